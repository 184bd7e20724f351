use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// Who sent a parameter is the caller's business.
#[bb::module]
pub fn sender_of_parameter(graph: &Graph, x: On<Client, Tensor>) -> On<Server, Tensor> {
    graph.wire(x, x.sender::<Server>())
}
