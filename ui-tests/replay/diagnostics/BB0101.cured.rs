use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn last_layer(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let layers = [x.relu(), x.tanh()];
    layers[0] + layers[1]
}
