use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

fn doubled(x: On<Node, Tensor>) -> On<Node, Tensor> {
    x + x
}
fn sum_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    mine + theirs
}
#[track_caller]
fn product_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    mine * theirs
}

/// Which of the two calls it is, names do not tell, so both are told of; what says where it is called is told there.
#[bb::module]
pub fn calls_it_twice(graph: &Graph, x: On<Node, Tensor>, neighbour: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let there = graph.wire(x, neighbour);
    let sum = doubled(sum_of(x, x));
    let _ = product_of(x, x);
    let _ = product_of(sum, there);
    sum_of(sum, there)
}
