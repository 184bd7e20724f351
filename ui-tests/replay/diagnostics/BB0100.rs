use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn stray(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu()
}
