use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn ticks(graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    graph.interval::<Server>(secs(10)).metric("tick");
    x.relu()
}
