use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// A cohort's values go home, not to a third place.
#[bb::module]
pub fn third_place(graph: &Graph, cohort: On<Server, Peers<Client>>, node: On<Server, Peer<Node>>, x: On<Server, Tensor>) -> On<Node, Tensor> {
    let (local, node) = graph.wire((x, node), cohort);
    graph.wire(local, node).mean()
}
