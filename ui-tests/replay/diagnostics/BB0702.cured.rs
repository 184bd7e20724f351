use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn halves(x: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    (x.relu(), x.tanh())
}

#[bb::module]
pub fn takes_one_half(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let (left, right) = halves(x);
    left + right
}
