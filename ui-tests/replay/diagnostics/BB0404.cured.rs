use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn no_time(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(x, to)
}
