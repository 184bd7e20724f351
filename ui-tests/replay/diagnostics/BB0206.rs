use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait State {
    fn get(&mut self) -> Tensor;
}

#[bb::module]
pub fn after_what_is_elsewhere(
    graph: &Graph,
    x: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    state: StateAt<Client>,
) -> On<Client, Tensor> {
    let there = graph.wire(x, to);
    there + state.get(&graph.after(x))
}
