use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Head;
#[derive(bb::Dim)]
pub struct Batch;

#[bb::role]
pub trait Layer {
    fn weights(&mut self) -> Tensor<f32, (D<64>, D<10>)>;
}

/// The client sends 32 features; the weights on the far side are for 64.
#[bb::module]
pub fn split(
    graph: &Graph,
    x: On<Edge, Tensor<f32, (Batch, D<32>)>>,
    head: On<Edge, Peer<Head>>,
    layer: LayerAt<Head>,
) -> On<Head, Tensor> {
    let features = x.relu();
    let there = graph.wire(features, head);
    let weights = layer.weights(there);
    there.matmul(weights)
}
