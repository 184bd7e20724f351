//! bb::build!(graph; bb::Options::default().unroll::<graph::Client>(3));

use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn halved_by_all(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there * 0.5, there.sender::<Server>()).mean()
}
