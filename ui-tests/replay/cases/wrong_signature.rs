use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Dim)]
pub struct N;

#[bb::op]
fn mean(rows: Tensor<f32, (N, D<64>)>) -> Tensor<f32, (D<64>,)> {
    let _ = rows;
    unimplemented!("never run")
}

/// What is joined is 96 wide, and the op on the client takes 64.
#[bb::module]
pub fn averaged(
    graph: &Graph,
    a: On<Server, Tensor<f32, (N, D<32>)>>,
    b: On<Server, Tensor<f32, (N, D<64>)>>,
    to: On<Server, Peer<Client>>,
) -> On<Client, Tensor> {
    let both = concat(a, b);
    let there = graph.wire(both, to);
    mean(there).shaped()
}
