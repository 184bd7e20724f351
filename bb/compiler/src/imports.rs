//! Which operator sets a model imports: those that it uses, in each function and together.

use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto};
use bb_ir::version::{BB_OPSET, ONNX_OPSET};
use std::collections::BTreeSet;

/// Writes the imports of a model and of its functions anew, and tells whether they were others.
pub(crate) fn import_what_is_used(model: &mut ModelProto) -> bool {
    let mut all = BTreeSet::from([ops::MODULE_DOMAIN]);
    let mut changed = false;
    let ModelProto { functions, graph, opset_import, .. } = model;
    for FunctionProto { node, opset_import, .. } in functions {
        let used = domains(node);
        changed |= replace(opset_import, &used);
        all.extend(used);
    }
    all.extend(graph.iter().flat_map(|graph| domains(&graph.node)));
    changed | replace(opset_import, &all)
}

fn replace(imports: &mut Vec<OperatorSetIdProto>, used: &BTreeSet<&str>) -> bool {
    let used: Vec<OperatorSetIdProto> = used.iter().copied().map(import).collect();
    let changed = *imports != used;
    *imports = used;
    changed
}

/// What a carrier holds is of ONNX's own operators.
fn domains(nodes: &[NodeProto]) -> BTreeSet<&str> {
    let mut used = ops::domains(nodes);
    if used.contains(ops::BACKEND_DOMAIN) {
        used.insert(ops::ONNX_DOMAIN);
    }
    used
}

/// The version of an operator set that a program is written in.
pub(crate) fn import(domain: &str) -> OperatorSetIdProto {
    let version = if domain == ops::ONNX_DOMAIN { ONNX_OPSET } else { BB_OPSET };
    OperatorSetIdProto { domain: Some(domain.to_owned()), version: Some(version) }
}
