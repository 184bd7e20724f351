use bb::prelude::*;
#[derive(bb::Peer)]
pub struct Server;
#[bb::module]
pub fn step(graph: Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu()
}
fn main() {}
