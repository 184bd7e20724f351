use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn is_of_an_old_set(x: On<Server, Tensor>) -> On<Server, Tensor> {
    bb::onnx!("softmax-12.onnx").call(x)
}
