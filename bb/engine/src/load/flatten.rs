//! Calls of pure sub-modules are spread out, so that the plan has one table of nodes and dispatch needs no call stack.

use super::{Values, malformed};
use crate::error::InstallError;
use bb_ir::keys;
use bb_ir::names;
use bb_ir::ops::MODULE_DOMAIN;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata, control_inputs};
use rustc_hash::FxHashMap;

/// The most nodes and calls of one artifact, calls spread out, and the most values inside them.
pub const SPREAD_MAX: usize = 1_000_000;
/// The deepest nesting of calls.
const DEPTH_MAX: usize = 128;

struct Flatten<'a> {
    functions: FxHashMap<FunctionKey, &'a FunctionProto>,
    values: &'a mut Values,
    nodes: Vec<NodeProto>,
    /// Nodes and calls that were spread out, and values named for them: what is empty inside costs as well.
    spread: usize,
}

/// The nodes of a function of a model, calls spread out; adds the types of what is inside the calls.
pub fn flatten(model: &ModelProto, main: &FunctionProto, values: &mut Values) -> Result<Vec<NodeProto>, InstallError> {
    let functions = model.functions.iter().map(|f| (FunctionKey::of_function(f), f)).collect();
    let mut all = Flatten { functions, values, nodes: Vec::new(), spread: 0 };
    for node in &main.node {
        all.add(node, None, 0)?;
    }
    Ok(all.nodes)
}

/// What a callee's names become, and what its nodes take over from the call.
struct Around<'a> {
    prefix: &'a str,
    names: FxHashMap<&'a str, String>,
    call: &'a NodeProto,
}

impl Flatten<'_> {
    fn spreads(&mut self, count: usize) -> Result<(), InstallError> {
        self.spread = self.spread.saturating_add(count);
        if self.spread > SPREAD_MAX { Err(InstallError::TooLarge { max: SPREAD_MAX }) } else { Ok(()) }
    }
    fn add(&mut self, node: &NodeProto, around: Option<&Around>, depth: usize) -> Result<(), InstallError> {
        self.spreads(1)?;
        if depth > DEPTH_MAX {
            return Err(malformed("its sub-modules call each other without end"));
        }
        let mut node = node.clone();
        if let Some(around) = around {
            let rename = |name: &String| match around.names.get(name.as_str()) {
                Some(outer) => outer.clone(),
                None if name.is_empty() => String::new(),
                None => names::inlined(around.prefix, name),
            };
            node.input = node.input.iter().map(rename).collect();
            node.output = node.output.iter().map(rename).collect();
            node.name = Some(names::inlined(around.prefix, node.name()));
            for key in [keys::HOME_CLASS_KEY, keys::PLACE_KEY, keys::LANE_KEY] {
                if let Some(value) = around.call.metadata(key) {
                    node.set_metadata(key, value);
                }
            }
        }
        if node.domain() != MODULE_DOMAIN {
            self.nodes.push(node);
            return Ok(());
        }
        let callee = self.functions.get(&FunctionKey::of_node(&node)).copied();
        let callee =
            callee.ok_or_else(|| malformed(format!("it calls `{}`, which it does not hold", node.op_type())))?;
        if callee.input.len() != node.input.len()
            || callee.output.len() != node.output.len()
            || control_inputs(&node) > 0
        {
            return Err(malformed(format!("the call of `{}` does not fit it", node.op_type())));
        }
        let prefix = node.name().to_owned();
        let formal = callee.input.iter().zip(&node.input).map(|(f, a)| (f.as_str(), a.clone()));
        let names: FxHashMap<&str, String> = formal.collect();
        self.spreads(callee.value_info.len() + callee.output.len())?;
        for info in &callee.value_info {
            if let (None, Some(ty)) = (names.get(info.name()), info.r#type.as_ref().and_then(ValueType::from_proto)) {
                let class = info.metadata(keys::PEER_CLASS_KEY).map(Into::into);
                self.values.insert(names::inlined(&prefix, info.name()), (ty, class));
            }
        }
        let around = Around { prefix: &prefix, names, call: &node };
        for inner in &callee.node {
            self.add(inner, Some(&around), depth + 1)?;
        }
        // An output is what the callee gives under its own name: the caller's name is a copy of it.
        for (given, taken) in callee.output.iter().zip(&node.output) {
            let source = around.names.get(given.as_str()).cloned().unwrap_or_else(|| names::inlined(&prefix, given));
            let mut copy = NodeProto {
                input: vec![source],
                output: vec![taken.clone()],
                name: Some(names::inlined(&prefix, taken)),
                op_type: Some(bb_ir::ops::SYSCALL_PASS_THROUGH.into()),
                domain: Some(bb_ir::ops::SYSCALL_DOMAIN.into()),
                ..NodeProto::default()
            };
            for key in [keys::HOME_CLASS_KEY, keys::PLACE_KEY, keys::LANE_KEY] {
                if let Some(value) = node.metadata(key) {
                    copy.set_metadata(key, value);
                }
            }
            self.nodes.push(copy);
        }
        Ok(())
    }
}
