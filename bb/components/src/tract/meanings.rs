//! What some operators mean, where tract takes them for something else or does not take them at all.

mod pad;
mod power;
mod shapes;
mod slice;

use bb::ir::proto::onnx::NodeProto;
use bb::ir::views::Attributes;
use tract_onnx::model::OnnxOpRegister;
use tract_onnx::tract_hir::internal::*;

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// Puts these meanings in place of tract's.
pub fn register(operators: &mut OnnxOpRegister) {
    operators.insert("Flatten", shapes::flatten);
    operators.insert("Pad", pad::pad);
    operators.insert("Pow", power::power);
    operators.insert("Slice", slice::slice);
    operators.insert("Squeeze", shapes::squeeze);
}

/// A pool that is not to be padded: what tract calls VALID leaves no windows that are cut off, whatever `ceil_mode` says.
pub fn as_tract_reads_it(node: &NodeProto) -> NodeProto {
    let mut node = node.clone();
    let pool = ["AveragePool", "MaxPool"].contains(&node.op_type());
    if pool && node.attr_str("auto_pad") == Some("VALID") {
        node.attribute.retain(|attribute| !["auto_pad", "pads"].contains(&attribute.name()));
    }
    node
}

/// Whole numbers that are known when a plan is made.
fn integers(tensor: &Tensor) -> TractResult<Vec<i64>> {
    Ok(tensor.cast_to::<i64>()?.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
}

fn axis(axis: i64, rank: usize) -> TractResult<usize> {
    let at = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(at).ok().filter(|at| *at < rank).with_context(|| format!("{rank} dimensions have no axis {axis}"))
}
