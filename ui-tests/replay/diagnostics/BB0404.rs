//! bb::build!(graph; bb::Options::default().per_hop_budget(std::time::Duration::ZERO));

use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn no_time(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(x, to)
}
