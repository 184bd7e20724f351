//! What tests of kernels are written with: values, nodes, and a kernel run once.

use bb::ir::component::KernelEntry;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::{Attributes, attribute};

/// An attribute's value.
#[derive(Clone, Copy)]
pub enum A {
    I(i64),
    F(f32),
    Is(&'static [i64]),
    #[allow(dead_code, reason = "not every test has one")]
    S(&'static str),
}

pub fn f(dims: &[u64], values: &[f32]) -> Value {
    Value::Tensor(RawTensor::from_vec(dims, values.to_vec()).expect("as many"))
}
pub fn i(dims: &[u64], values: &[i64]) -> Value {
    Value::Tensor(RawTensor::from_vec(dims, values.to_vec()).expect("as many"))
}

/// A node of so many outputs.
pub fn node(op: &str, with: &[(&str, A)], outputs: usize) -> NodeProto {
    let output = (0..outputs).map(|i| format!("y{i}")).collect();
    let mut node = NodeProto { op_type: Some(op.into()), output, ..NodeProto::default() };
    for (name, value) in with {
        node.set_attr(match value {
            A::I(i) => attribute::int(name, *i),
            A::F(f) => attribute::float(name, *f),
            A::S(s) => attribute::string(name, s),
            A::Is(is) => attribute::ints(name, is.to_vec()),
        });
    }
    node
}

/// What the kernel of that table gives.
pub fn run(kernels: &[KernelEntry], node: &NodeProto, mut inputs: Vec<Value>) -> Result<Vec<Value>, String> {
    let entry = kernels.iter().find(|k| k.op == node.op_type()).expect("in the table");
    let kernel = (entry.build)(node).map_err(|e| e.0)?;
    let mut outputs = Vec::new();
    kernel.run(&mut inputs, &mut outputs).map_err(|e| e.0)?;
    Ok(outputs)
}
