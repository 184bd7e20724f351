use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn mean_of_half(back: On<Server, Partial<Tensor>>) -> On<Server, Tensor> {
    back.mean()
}

#[bb::module]
pub fn asks_half(graph: &Graph, x: On<Server, Tensor>, cohort: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, cohort);
    mean_of_half(graph.wire(there.relu(), there.sender::<Server>()).quorum(0.5))
}
