use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn looks_inside(x: On<Server, Tensor>) -> On<Server, Tensor> {
    bb::onnx!("mlp.onnx").until("feature").call(x)
}
