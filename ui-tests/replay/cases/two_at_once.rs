use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;

/// Both are told in one build.
#[bb::module]
pub fn twice(graph: &Graph, x: On<Node, Tensor>, a: On<Node, Peer<Node>>, b: On<Node, Peer<Node>>) -> On<Node, Tensor> {
    let at_a = graph.wire(x, a);
    let at_b = graph.wire(x, b);
    let _ = at_a.matmul(x);
    at_b.relu() * at_a
}
