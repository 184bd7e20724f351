use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn again(x: On<Server, Tensor>) -> On<Server, Tensor> {
    again(x.relu())
}
