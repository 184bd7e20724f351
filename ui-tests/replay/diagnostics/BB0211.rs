use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Peer)]
pub struct Node;

#[bb::module]
pub fn to_a_third_place(
    graph: &Graph,
    x: On<Server, Tensor>,
    cohort: On<Server, Peers<Client>>,
    node: On<Server, Peer<Node>>,
) -> On<Node, Tensor> {
    let (local, node) = graph.wire((x, node), cohort);
    graph.wire(local.relu(), node).mean()
}
