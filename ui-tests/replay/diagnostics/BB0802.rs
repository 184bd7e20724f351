use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn is_cut_short(x: On<Server, Tensor>) -> On<Server, Tensor> {
    bb::onnx!("cut-short.onnx").call(x)
}
