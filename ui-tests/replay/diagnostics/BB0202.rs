use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Peer)]
pub struct Node;

#[bb::module]
pub fn replies_to_a_node(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Node, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Node>())
}
