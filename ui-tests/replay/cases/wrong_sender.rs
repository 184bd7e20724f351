use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// The wrong class in a reply.
#[bb::module]
pub fn wrong_sender(graph: &Graph, to: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Node, Tensor> {
    let local = graph.wire(x, to);
    graph.wire(local, local.sender::<Node>())
}
