//! The graph around a main function.

use super::bodies::element;
use super::renamed;
use crate::passes::stamp_compilation_metadata::import;
use bb_ir::names;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use bb_ir::types::ValueType;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// A call of `main` with typed inputs and outputs. The checker wants a shape at a graph's border, so a tensor of unknown
/// rank is a sequence of one there, which is taken apart before the call and made behind it.
pub(super) fn graph(main: &FunctionProto) -> GraphProto {
    let infos: FxHashMap<&str, &ValueInfoProto> = main.value_info.iter().map(|i| (i.name(), i)).collect();
    let mut call = NodeProto {
        name: main.name.clone(),
        domain: main.domain.clone(),
        op_type: main.name.clone(),
        overload: main.overload.clone(),
        input: main.input.clone(),
        output: main.output.clone(),
        ..NodeProto::default()
    };
    let (mut before, mut behind, mut input, mut output) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in &mut call.input {
        let Some(info) = infos.get(name.as_str()) else { continue };
        input.push(at_border(info));
        if unshaped(info).is_some() {
            let inside = names::inside(name);
            before.extend(element(name, 0, &names::position(name), &inside));
            *name = inside;
        }
    }
    for name in &mut call.output {
        let Some(info) = infos.get(name.as_str()) else { continue };
        output.push(at_border(info));
        if unshaped(info).is_some() {
            let inside = names::inside(name);
            behind.push(NodeProto {
                name: Some(name.clone()),
                op_type: Some("SequenceConstruct".into()),
                domain: Some(ops::ONNX_DOMAIN.into()),
                input: vec![inside.clone()],
                output: vec![name.clone()],
                ..NodeProto::default()
            });
            *name = inside;
        }
    }
    let node = before.into_iter().chain([call]).chain(behind).collect();
    GraphProto { name: main.name.clone(), node, input, output, ..GraphProto::default() }
}

fn unshaped(info: &ValueInfoProto) -> Option<ValueType> {
    let of = ValueType::from_proto(info.r#type.as_ref()?)?;
    matches!(of, ValueType::Tensor { shape: None, .. }).then_some(of)
}
fn at_border(info: &ValueInfoProto) -> ValueInfoProto {
    let mut info = renamed(info, info.name());
    if let Some(of) = unshaped(&info) {
        info.r#type = Some(ValueType::Seq(Box::new(of)).to_proto());
    }
    info
}

/// The operator sets that functions use and are, and these.
pub(super) fn imports(functions: &[FunctionProto], also: &[&str]) -> Vec<OperatorSetIdProto> {
    let used = functions.iter().flat_map(|f| f.node.iter().map(NodeProto::domain).chain([f.domain()]));
    let all: BTreeSet<&str> = used.chain(also.iter().copied()).collect();
    all.into_iter().map(import).collect()
}
