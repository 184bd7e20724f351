//! Bodies that play roles and ops, written in operators of ONNX.

use bb::ir::proto::onnx::{AttributeProto, FunctionProto, NodeProto, TensorProto};
use bb::ir::types::ElementKind;
use bb::ir::views::{Attributes, attribute};

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn body(input: &[&str], output: &[&str], node: Vec<NodeProto>) -> FunctionProto {
    FunctionProto { input: strings(input), output: strings(output), node, ..FunctionProto::default() }
}
pub fn op(name: &str, input: &[&str], output: &str, attributes: &[AttributeProto]) -> NodeProto {
    let mut node = NodeProto {
        name: Some(output.into()),
        op_type: Some(name.into()),
        input: strings(input),
        output: strings(&[output]),
        ..NodeProto::default()
    };
    attributes.iter().for_each(|a| node.set_attr(a.clone()));
    node
}
fn constant(output: &str, element: ElementKind, dims: &[i64], raw: Vec<u8>) -> NodeProto {
    let tensor = TensorProto {
        data_type: Some(element as i32),
        dims: dims.to_vec(),
        raw_data: Some(raw.into()),
        ..TensorProto::default()
    };
    op("Constant", &[], output, &[attribute::tensor("value", tensor)])
}
pub fn floats(output: &str, values: &[f32]) -> NodeProto {
    let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    constant(output, ElementKind::F32, &[values.len() as i64], raw)
}
pub fn float(output: &str, value: f32) -> NodeProto {
    constant(output, ElementKind::F32, &[], value.to_le_bytes().into())
}
pub fn count(output: &str, value: u64) -> NodeProto {
    constant(output, ElementKind::U64, &[], value.to_le_bytes().into())
}
pub fn integers(output: &str, values: &[i64]) -> NodeProto {
    let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    constant(output, ElementKind::I64, &[values.len() as i64], raw)
}
/// One tensor of a sequence, along a new first axis.
pub fn stacked(sequence: &str, output: &str) -> NodeProto {
    op("ConcatFromSequence", &[sequence], output, &[attribute::int("axis", 0), attribute::int("new_axis", 1)])
}
pub fn cast(from: &str, to: &str, element: ElementKind) -> NodeProto {
    op("Cast", &[from], to, &[attribute::int("to", element as i64)])
}
pub fn sum_over_first(from: &str, to: &str) -> Vec<NodeProto> {
    let axes = format!("{to}.axes");
    vec![integers(&axes, &[0]), op("ReduceSum", &[from, &axes], to, &[attribute::int("keepdims", 0)])]
}
