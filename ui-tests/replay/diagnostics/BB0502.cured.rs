use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn again(x: On<Server, Tensor>) -> On<Server, Tensor> {
    (0..3).fold(x, |x, _| x.relu())
}
