use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn uses_det(x: On<Server, Tensor>) -> On<Server, Tensor> {
    bb::onnx!("mlp.onnx").call(x)
}
