use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn of_anything(x: On<Server, Tensor<f32>>) -> On<Server, Tensor<f32>> {
    x
}
