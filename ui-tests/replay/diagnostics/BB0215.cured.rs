use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn ticks(graph: &Graph, _start: On<Server, ()>) -> On<Server, u64> {
    graph.interval::<Server>(secs(10))
}
