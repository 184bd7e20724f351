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

/// The start of a sub-module is not where its operation runs.
#[bb::module]
pub fn after_elsewhere(graph: &Graph, to: On<Server, Peer<Node>>, x: On<Server, Tensor>, state: StateAt<Node>) -> On<Node, Tensor> {
    let there = graph.wire(x, to);
    there + state.get(&graph.after(x))
}
