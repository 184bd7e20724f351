use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn counts(x: On<Server, Tensor<i64>>) -> On<Server, Tensor> {
    bb::onnx!("mlp.onnx").call(x)
}
