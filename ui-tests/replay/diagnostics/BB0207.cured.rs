use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn replies(graph: &Graph, x: On<Client, Tensor>, from: On<Client, Peer<Server>>) -> On<Server, Tensor> {
    graph.wire(x.relu(), from)
}
