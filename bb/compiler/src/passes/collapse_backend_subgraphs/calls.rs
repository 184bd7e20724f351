//! Calls of modules that send nothing, their bodies put in place.

use bb_ir::ops::{MODULE_DOMAIN, ONNX_DOMAIN};
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::views::{FunctionKey, Metadata};
use bb_ir::{keys, names};
use rustc_hash::FxHashMap;

/// What a node that stands where a call stood takes over from it.
const FROM_CALL: [&str; 3] = [keys::HOME_CLASS_KEY, keys::PLACE_KEY, keys::LANE_KEY];

/// The main of a model without calls.
pub fn inlined(model: &ModelProto) -> FunctionProto {
    let functions: FxHashMap<FunctionKey, &FunctionProto> =
        model.functions.iter().map(|f| (FunctionKey::of_function(f), f)).collect();
    let mut main = model.functions[0].clone();
    let mut open: Vec<NodeProto> = std::mem::take(&mut main.node).into_iter().rev().collect();
    while let Some(node) = open.pop() {
        let callee = functions.get(&FunctionKey::of_node(&node)).filter(|_| node.domain() == MODULE_DOMAIN);
        let Some(callee) = callee else {
            main.node.push(node);
            continue;
        };
        let formal = callee.input.iter().map(String::as_str).zip(&node.input);
        let given: FxHashMap<&str, &String> = formal.collect();
        let prefix = node.name();
        let rename = |name: &String| match given.get(name.as_str()) {
            Some(outer) => (*outer).clone(),
            None if name.is_empty() => String::new(),
            None => names::inlined(prefix, name),
        };
        for info in callee.value_info.iter().filter(|info| !given.contains_key(info.name())) {
            let mut info = info.clone();
            info.name = Some(names::inlined(prefix, info.name()));
            main.value_info.push(info);
        }
        let take_over = |inner: &mut NodeProto| {
            for key in FROM_CALL {
                if let Some(value) = node.metadata(key) {
                    inner.set_metadata(key, value);
                }
            }
        };
        // A result is what the callee gives, under the caller's name.
        let results = callee.output.iter().zip(&node.output).map(|(inner, outer)| {
            let mut copy = NodeProto {
                input: vec![rename(inner)],
                output: vec![outer.clone()],
                name: Some(names::inlined(prefix, outer)),
                op_type: Some("Identity".into()),
                domain: Some(ONNX_DOMAIN.into()),
                ..NodeProto::default()
            };
            for key in [keys::MODULE_INSTANCE_KEY, keys::SOURCE_KEY] {
                copy.set_metadata(key, node.metadata(key).unwrap_or("-"));
            }
            take_over(&mut copy);
            copy
        });
        let body = callee.node.iter().map(|inner| {
            let mut inner = inner.clone();
            inner.name = Some(names::inlined(prefix, inner.name()));
            inner.input = inner.input.iter().map(rename).collect();
            inner.output = inner.output.iter().map(rename).collect();
            take_over(&mut inner);
            inner
        });
        let all: Vec<NodeProto> = body.chain(results).collect();
        open.extend(all.into_iter().rev());
    }
    main
}
