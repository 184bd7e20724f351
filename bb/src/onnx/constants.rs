//! Tensors of a model's file: however they are written down, raw bytes in the end.

use bb_ir::proto::onnx::{NodeProto, TensorProto};
use bb_ir::types::ElementKind;
use bb_ir::views::Attributes;
use bb_ir::weights;

/// ONNX's `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;
/// Axes, shapes and numbers: known to the compiler where they are read. What is larger is a weight.
const SMALL: u64 = 256;

/// The tensor as raw bytes, under its name; or why it is none of bb's.
pub fn raw(tensor: &TensorProto) -> Result<TensorProto, String> {
    if tensor.data_location == Some(EXTERNAL) || !tensor.external_data.is_empty() {
        return Err("its values are in another file".into());
    }
    let number = tensor.data_type();
    let Some(element) = ElementKind::from_onnx(number) else {
        return Err(format!("it holds elements of ONNX's type {number}, which bb does not have"));
    };
    let whole = TensorProto {
        dims: tensor.dims.clone(),
        data_type: Some(number),
        name: tensor.name.clone(),
        raw_data: Some(tensor.raw_data.clone().unwrap_or_else(|| listed(tensor, element).into())),
        ..TensorProto::default()
    };
    match weights::tensor(&whole) {
        Some(_) => Ok(whole),
        None => Err(format!("its shape {:?} is not that of its values", tensor.dims)),
    }
}

/// The elements as they stand in the lists for elements of their kind, which ONNX widens.
fn listed(tensor: &TensorProto, element: ElementKind) -> Vec<u8> {
    match element {
        ElementKind::F32 => tensor.float_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementKind::F64 => tensor.double_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementKind::I64 => tensor.int64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementKind::U64 => tensor.uint64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementKind::U32 => tensor.uint64_data.iter().flat_map(|v| v.to_le_bytes().into_iter().take(4)).collect(),
        narrow => tensor.int32_data.iter().flat_map(|v| v.to_le_bytes().into_iter().take(narrow.size())).collect(),
    }
}

/// Whether it is one of the numbers a model computes shapes with.
pub fn is_small(tensor: &TensorProto) -> bool {
    weights::tensor(tensor).is_some_and(|tensor| match (tensor.element(), tensor.shape()) {
        (_, []) => true,
        (ElementKind::I64 | ElementKind::I32, [length]) => *length <= SMALL,
        _ => false,
    })
}

/// What a Constant of any version holds, as a tensor.
pub fn value(node: &NodeProto) -> Result<TensorProto, String> {
    let plain = |kind: ElementKind, dims: Vec<i64>| TensorProto {
        dims,
        data_type: Some(kind as i32),
        ..TensorProto::default()
    };
    let floats = |values: Vec<f32>, dims| TensorProto { float_data: values, ..plain(ElementKind::F32, dims) };
    let ints = |values: Vec<i64>, dims| TensorProto { int64_data: values, ..plain(ElementKind::I64, dims) };
    let length = |n: usize| vec![i64::try_from(n).unwrap_or(i64::MAX)];
    let tensor = if let Some(tensor) = node.attr_tensor("value") {
        tensor.clone()
    } else if let Some(value) = node.attr_float("value_float") {
        floats(vec![value], Vec::new())
    } else if let Some(value) = node.attr_int("value_int") {
        ints(vec![value], Vec::new())
    } else if let Some(values) = node.attr_ints("value_ints") {
        ints(values.to_vec(), length(values.len()))
    } else if let Some(values) = node.attr("value_floats").map(|a| a.floats.clone()) {
        let dims = length(values.len());
        floats(values, dims)
    } else {
        return Err("a Constant has no value that is a tensor".into());
    };
    raw(&tensor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_from_the_lists_onnx_widens() {
        let of = |kind: ElementKind| TensorProto { dims: vec![2], data_type: Some(kind as i32), ..Default::default() };
        let bytes = |tensor: TensorProto| raw(&tensor).map(|t| t.raw_data.expect("raw").to_vec());
        assert_eq!(bytes(TensorProto { int32_data: vec![1, -1], ..of(ElementKind::I8) }), Ok(vec![1, 255]));
        assert_eq!(bytes(TensorProto { int32_data: vec![1, 0], ..of(ElementKind::Bool) }), Ok(vec![1, 0]));
        assert_eq!(bytes(TensorProto { uint64_data: vec![7, 8], ..of(ElementKind::U32) }).map(|b| b.len()), Ok(8));
        assert_eq!(bytes(TensorProto { double_data: vec![0.0, 1.0], ..of(ElementKind::F64) }).map(|b| b.len()), Ok(16));
        let short = TensorProto { float_data: vec![1.0], ..of(ElementKind::F32) };
        assert_eq!(bytes(short), Err("its shape [2] is not that of its values".into()));
        let huge = TensorProto { dims: vec![i64::MAX; 4], ..of(ElementKind::F32) };
        assert!(bytes(huge).is_err());
        let half = TensorProto { data_type: Some(10), ..of(ElementKind::F32) };
        assert_eq!(bytes(half), Err("it holds elements of ONNX's type 10, which bb does not have".into()));
    }
}
