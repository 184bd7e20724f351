use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// Two cohorts of one class.
#[bb::module]
pub fn two_cohorts(graph: &Graph, a: On<Server, Peers<Client>>, b: On<Server, Peers<Client>>, x: On<Server, Tensor>) {
    let at_a = graph.wire(x, a);
    let at_b = graph.wire(x, b);
    let _ = at_a + at_b;
}
