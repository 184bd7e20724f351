use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

#[bb::module]
pub fn gossip(graph: &Graph, mine: On<Node, Tensor>, neighbour: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let theirs = graph.wire(mine, neighbour);
    mine + theirs
}
