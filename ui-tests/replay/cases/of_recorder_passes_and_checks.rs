use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

/// What the recorder finds and what a pass finds, in one build.
#[bb::module]
pub fn two_faults(
    graph: &Graph,
    x: On<Server, Tensor<f32, (D<2>, D<3>)>>,
    a: On<Server, Peer<Client>>,
    b: On<Server, Peer<Client>>,
) -> On<Server, Tensor> {
    let at_a = graph.wire(x, a);
    let _ = at_a + graph.wire(x, b);
    x.matmul(x)
}

/// Another module of the same build.
#[bb::module]
pub fn one_more(graph: &Graph, x: On<Server, Tensor>, cohort: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let local = graph.wire(x, cohort);
    graph.wire(local, local.sender::<Server>()).quorum(2.0).mean()
}
