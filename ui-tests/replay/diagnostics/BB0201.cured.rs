use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn keeps(x: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    (x.relu(), x)
}

#[bb::module]
pub fn uses_what_is_kept(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let (y, kept) = keeps(x);
    y + kept
}
