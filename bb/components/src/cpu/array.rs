//! Between values and ndarray.

use bb::OpError;
use bb::ir::types::ElementKind;
use bb::ir::value::{RawTensor, Scalar, Value};
use ndarray::{ArrayD, ArrayViewD, IxDyn};

pub fn unsupported(op: &str, element: ElementKind) -> OpError {
    OpError::new(format!("{op} does not take tensors of {}", element.name()))
}

/// The `index`th input.
pub fn tensor<'a>(op: &str, inputs: &'a [Value], index: usize) -> Result<&'a RawTensor, OpError> {
    let value = inputs.get(index).ok_or_else(|| OpError::new(format!("{op} has no input {index}")))?;
    value.as_tensor().ok_or_else(|| OpError::new(format!("input {index} of {op} is no tensor")))
}
/// The `index`th input, where it is there.
pub fn optional<'a>(op: &str, inputs: &'a [Value], index: usize) -> Result<Option<&'a RawTensor>, OpError> {
    match inputs.get(index) {
        None | Some(Value::Absent) => Ok(None),
        Some(_) => tensor(op, inputs, index).map(Some),
    }
}
/// Two inputs of one element type.
pub fn pair<'a>(op: &str, inputs: &'a [Value]) -> Result<(&'a RawTensor, &'a RawTensor), OpError> {
    let (a, b) = (tensor(op, inputs, 0)?, tensor(op, inputs, 1)?);
    if a.element() == b.element() {
        return Ok((a, b));
    }
    Err(OpError::new(format!("{op} takes one element type, not {} and {}", a.element().name(), b.element().name())))
}

pub fn sizes(t: &RawTensor) -> Vec<usize> {
    t.shape().iter().map(|n| *n as usize).collect()
}

/// The tensor as an array, without a copy.
pub fn view<E: Scalar<Plain = E> + bytemuck::Pod>(t: &RawTensor) -> Result<ArrayViewD<'_, E>, OpError> {
    let slice = t.as_slice::<E>().ok_or_else(|| OpError::new("the element type is another"))?;
    ArrayViewD::from_shape(IxDyn(&sizes(t)), slice).map_err(|e| OpError::new(e.to_string()))
}
/// The tensor's elements as plain numbers of their size, whatever they mean.
pub fn plain<P: bytemuck::Pod>(t: &RawTensor) -> Result<ArrayViewD<'_, P>, OpError> {
    let slice = bytemuck::try_cast_slice(t.data()).map_err(|e| OpError::new(e.to_string()))?;
    ArrayViewD::from_shape(IxDyn(&sizes(t)), slice).map_err(|e| OpError::new(e.to_string()))
}

/// The array as a value.
pub fn value<E: Scalar>(array: ArrayD<E>) -> Result<Value, OpError> {
    let dims: Vec<u64> = array.shape().iter().map(|n| *n as u64).collect();
    let values = if array.is_standard_layout() {
        let (values, offset) = array.into_raw_vec_and_offset();
        let offset = offset.unwrap_or(0);
        let count: usize = dims.iter().product::<u64>() as usize;
        if offset == 0 && values.len() == count { values } else { values[offset..offset + count].to_vec() }
    } else {
        array.iter().copied().collect()
    };
    from_vec(&dims, values)
}
pub fn from_vec<E: Scalar>(dims: &[u64], values: Vec<E>) -> Result<Value, OpError> {
    let tensor = RawTensor::from_vec(dims, values);
    tensor.map(Value::Tensor).ok_or_else(|| OpError::new(format!("a result of shape {dims:?} is too large")))
}

/// The shape that both broadcast to, as numpy does.
pub fn broadcast(op: &str, a: &[usize], b: &[usize]) -> Result<Vec<usize>, OpError> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y || y == 1 => Ok(x),
            (1, y) => Ok(y),
            _ => Err(OpError::new(format!("{op} cannot broadcast {a:?} with {b:?}"))),
        })
        .collect()
}

/// An axis that may count from the end.
pub fn axis(op: &str, axis: i64, rank: usize) -> Result<usize, OpError> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    let inside = usize::try_from(from_start).ok().filter(|a| *a < rank);
    inside.ok_or_else(|| OpError::new(format!("{op} has no axis {axis} in a tensor of rank {rank}")))
}

/// A vector of indices: i32 or i64.
pub fn integers(op: &str, t: &RawTensor) -> Result<Vec<i64>, OpError> {
    match t.element() {
        ElementKind::I64 => t.to_vec::<i64>(),
        ElementKind::I32 => t.to_vec::<i32>().map(|v| v.into_iter().map(i64::from).collect()),
        _ => None,
    }
    .ok_or_else(|| OpError::new(format!("{op} takes i64 or i32 here, not {}", t.element().name())))
}
