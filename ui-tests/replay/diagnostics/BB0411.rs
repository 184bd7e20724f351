use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn goes_there_each_time(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    let mut x = x;
    for _ in 0..1_025 {
        let there = graph.wire(x, to);
        x = graph.wire(there.relu(), there.sender::<Server>());
    }
    x
}
