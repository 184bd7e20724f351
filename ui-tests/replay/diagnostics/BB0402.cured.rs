use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[derive(Default)]
pub struct Flat;
#[bb::component]
impl Index for Flat {
    fn near(&mut self, x: Tensor) -> Tensor {
        x
    }
}

#[bb::module]
pub fn two_ways(_graph: &Graph, x: On<Server, Tensor>, index: IndexAt<Server>, flat: IndexAt<Server>) -> On<Server, Tensor> {
    flat.near(index.near(x))
}
