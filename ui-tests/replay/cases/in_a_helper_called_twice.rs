use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

/// A helper without the attribute, called more than once.
fn sum_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    mine + theirs
}

/// Nobody knows which call it is: the error stands at the first, and says where the others are.
#[bb::module]
pub fn calls_a_helper(graph: &Graph, x: On<Node, Tensor>, neighbour: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let there = graph.wire(x, neighbour);
    let twice = sum_of(x, x);
    let more = sum_of(twice, there);
    sum_of(more, x)
}
