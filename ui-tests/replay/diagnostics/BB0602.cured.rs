use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn gives_up_too_early(
    graph: &Graph,
    x: On<Server, Tensor>,
    cohort: On<Server, Peers<Client>>,
) -> On<Server, Tensor> {
    let local = graph.wire(x, cohort);
    graph.wire(local.after(secs(3)), local.sender::<Server>()).within(secs(5)).mean()
}
