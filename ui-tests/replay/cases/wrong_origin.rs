use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// The caller is a `Server`.
#[bb::module]
pub fn wrong_origin(graph: &Graph, to: On<Server, Peer<Node>>, x: On<Server, Tensor>) -> On<Client, Tensor> {
    graph.wire(graph.wire(x, to), graph.origin::<Client>())
}
