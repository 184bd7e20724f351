//! bb::build!(graph; bb::Options::default().strict_types());

use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Encoder {
    fn encode(&mut self, x: Tensor<f32, (D<8>,)>) -> Tensor;
}

#[bb::module]
pub fn encoded(x: On<Server, Tensor<f32, (D<8>,)>>, encoder: EncoderAt<Server>) -> On<Server, Tensor> {
    encoder.encode(x) * 0.5
}
