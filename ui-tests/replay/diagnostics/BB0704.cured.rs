use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn needs_nobody(graph: &Graph, x: On<Server, Tensor>, cohort: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let local = graph.wire(x, cohort);
    graph.wire(local.relu(), local.sender::<Server>()).quorum(1_u64).mean()
}
