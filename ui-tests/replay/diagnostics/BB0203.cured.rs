use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn replies_to_nobody(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there.relu(), there.sender::<Server>())
}
