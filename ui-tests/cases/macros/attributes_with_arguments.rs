use bb::prelude::*;
#[derive(bb::Peer)]
pub struct Server;
#[bb::role(on = "Server")]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[bb::op(inline)]
pub fn half(x: Tensor) -> Tensor {
    x
}
#[bb::module(entry = "Server")]
pub fn step(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu()
}
fn main() {}
