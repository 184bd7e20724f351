use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::module]
pub fn panics(_graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let layers: Vec<On<Server, Tensor>> = vec![x];
    layers[3]
}
