//! Large constants on wires.

use crate::error::{at_node, source_of};
use crate::index::NodeIx;
use crate::parallel;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::types::{Dim, ValueType};
use bb_ir::wire_shape::is_send;

/// A constant that is larger is told of: sending it costs more than the rest of its message.
const LARGE_BYTES: u64 = 64 << 10;

pub fn of(root: &FunctionProto) -> Vec<Diagnostic> {
    let index = parallel::index(root);
    // Of each value: the constant that it is, or is computed from and from nothing else.
    let mut constant: Vec<Option<NodeIx>> = vec![None; index.values()];
    let mut found = Vec::new();
    for (at, node) in index.nodes() {
        if is_send(node) {
            let payloads = index.data_inputs(at).split_last().map_or(&[][..], |(_, payloads)| payloads);
            for value in payloads.iter().flatten() {
                let (Some(from), Some(bytes)) = (constant[value.at()], index.value_type(*value).and_then(bytes)) else {
                    continue;
                };
                if bytes > LARGE_BYTES {
                    let text = format!("this wire carries a constant of {bytes} bytes in every call");
                    let fault = at_node(node, "BB0703", text).note_at("the constant", source_of(index.node(from)));
                    found
                        .push(fault.help("use it where it is needed: constants are part of the program of every peer"));
                }
            }
        } else if ops::is_onnx(node) {
            let from = match node.op_type() {
                "Constant" => Some(at),
                _ => {
                    let inputs = index.inputs(at).iter().flatten().map(|value| constant[value.at()]);
                    inputs.collect::<Option<Vec<_>>>().and_then(|all| all.first().copied())
                }
            };
            for value in index.outputs(at).iter().flatten() {
                constant[value.at()] = from;
            }
        }
    }
    found
}

/// Where the shape is known.
fn bytes(of: ValueType) -> Option<u64> {
    let ValueType::Tensor { element: Some(element), shape: Some(shape) } = of else { return None };
    let sizes = shape.iter().map(|dim| if let Dim::Size(n) = dim { Some(*n) } else { None });
    sizes.collect::<Option<Vec<_>>>()?.into_iter().try_fold(element.size() as u64, u64::checked_mul)
}
