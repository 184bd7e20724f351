use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn goes_there_once(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    let mut y = there;
    for _ in 0..1_025 {
        y = y.relu();
    }
    graph.wire(y, there.sender::<Server>())
}
