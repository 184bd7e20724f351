use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait State {
    fn get(&mut self) -> Tensor;
    fn mix(&mut self, theirs: Tensor) -> Tensor;
}

/// `graph` is the start of the call, and that is on `Server`.
#[bb::module]
pub fn starts_elsewhere(graph: &Graph, to: On<Server, Peer<Node>>, state: StateAt<Node>) -> On<Server, Tensor> {
    let _ = to;
    graph.wire(state.get(graph), graph.origin::<Server>())
}
