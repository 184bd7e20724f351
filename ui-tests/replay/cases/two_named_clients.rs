use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// The same, two named peers.
#[bb::module]
pub fn two_clients(graph: &Graph, a: On<Server, Peer<Client>>, b: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Client, Tensor> {
    let at_a = graph.wire(x, a);
    let at_b = graph.wire(x, b);
    at_a.matmul(at_b)
}
