use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

/// A helper without the attribute: recorded where it is called.
fn sum_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    mine + theirs
}

/// The fault is in the helper's line; the error stands at the module that calls it.
#[bb::module]
pub fn calls_a_helper(graph: &Graph, x: On<Node, Tensor>, neighbour: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let there = graph.wire(x, neighbour);
    sum_of(x, there)
}
