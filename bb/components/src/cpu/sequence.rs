//! Sequences.

use super::array::{integers, tensor};
use super::shape::join;
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::Value;
use bb::ir::views::Attributes;

fn sequence<'a>(op: &str, inputs: &'a [Value]) -> Result<&'a [Value], OpError> {
    inputs.first().and_then(Value::as_seq).ok_or_else(|| OpError::new(format!("input 0 of {op} is no sequence")))
}

pub fn construct(_: &NodeProto) -> Built {
    kernel(|inputs| Ok(Value::Seq(inputs.to_vec().into())))
}

pub fn length(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| Ok(Value::scalar(sequence(&op, inputs)?.len() as i64)))
}

pub fn at(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let values = sequence(&op, inputs)?;
        let position = integers(&op, tensor(&op, inputs, 1)?)?;
        let [position] = position.as_slice() else { return Err(OpError::new(format!("{op} takes one position"))) };
        let length = values.len() as i64;
        let from_start = if *position < 0 { position + length } else { *position };
        let value = usize::try_from(from_start).ok().and_then(|i| values.get(i)).cloned();
        value.ok_or_else(|| OpError::new(format!("{op} has no entry {position} among {length}")))
    })
}

pub fn concat(node: &NodeProto) -> Built {
    let op = op(node);
    let at = node.attr_int("axis").ok_or_else(|| OpError::new("ConcatFromSequence has no attribute `axis`"))?;
    let new_axis = node.attr_int("new_axis").unwrap_or(0) != 0;
    kernel(move |inputs| {
        let values = sequence(&op, inputs)?;
        let parts = (0..values.len()).map(|i| tensor(&op, values, i)).collect::<Result<Vec<_>, _>>()?;
        join(&op, &parts, at, new_axis)
    })
}
