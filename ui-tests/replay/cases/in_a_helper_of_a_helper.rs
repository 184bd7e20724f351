use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

fn sum_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    mine + theirs
}
fn mean_of(mine: On<Node, Tensor>, theirs: On<Node, Tensor>) -> On<Node, Tensor> {
    sum_of(mine, theirs) * 0.5
}

/// The call that leads there, by way of another helper.
#[bb::module]
pub fn calls_a_helper(graph: &Graph, x: On<Node, Tensor>, neighbour: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let there = graph.wire(x, neighbour);
    mean_of(x.relu(), there).exp()
}
