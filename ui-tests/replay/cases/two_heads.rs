use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Choice {
    fn head(&mut self, from: Peers<Server>) -> Peer<Server>;
}

/// Split inference with two heads: each side chooses its own.
#[bb::module]
pub fn two_heads(
    graph: &Graph,
    x: On<Server, Tensor>,
    left: On<Server, Peer<Client>>,
    right: On<Server, Peer<Node>>,
    heads: On<Server, Peers<Server>>,
    on_left: ChoiceAt<Client>,
    on_right: ChoiceAt<Node>,
) -> On<Server, Tensor> {
    let (at_left, heads_left) = graph.wire((x, heads), left);
    let a = graph.wire(at_left.relu(), on_left.head(heads_left));
    let (at_right, heads_right) = graph.wire((x, heads), right);
    let b = graph.wire(at_right.relu(), on_right.head(heads_right));
    concat(a, b)
}
