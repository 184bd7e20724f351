use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// A value that came from nowhere.
#[bb::module]
pub fn no_sender(graph: &Graph, to: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let local = graph.wire(x, to).relu();
    graph.wire(local, local.sender())
}
