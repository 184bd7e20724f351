use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn last_layer(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let layers = vec![x.relu(), x.tanh()];
    layers[2]
}
