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

/// Two values on two instances of one class.
#[bb::module]
pub fn gossip(graph: &Graph, neighbour: On<Node, Peer<Node>>, state: StateAt<Node>) -> On<Node, Tensor> {
    let mine = state.get(graph);
    let theirs = graph.wire(mine, neighbour);
    mine + theirs
}
