use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[derive(bb::Dim)]
pub struct Batch;

#[bb::role]
pub trait Layer {
    fn weights(&mut self) -> Tensor<f32, (D<64>, D<10>)>;
}

#[bb::module]
pub fn features_of_32(
    graph: &Graph,
    x: On<Server, Tensor<f32, (Batch, D<32>)>>,
    head: On<Server, Peer<Client>>,
    layer: LayerAt<Client>,
) -> On<Client, Tensor> {
    let there = graph.wire(x.relu(), head);
    there.matmul(layer.weights(&graph.after(there)))
}
