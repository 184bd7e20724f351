use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

/// What is wrong with the role is all that is told: not that the module cannot be recorded either.
#[bb::role]
pub trait Index {
    fn near(&self, x: Tensor) -> Tensor;
}

#[bb::module]
pub fn guess(_graph: &Graph, x: On<Server, Tensor>, index: IndexAt<Server>) -> On<Server, Tensor> {
    index.near(x)
}
