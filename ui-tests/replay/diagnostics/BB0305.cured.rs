use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Encoder {
    fn encode(&mut self, x: Tensor<f32, (D<8>,)>) -> Tensor<f32, (D<4>,)>;
}

#[bb::module]
pub fn encoded(x: On<Server, Tensor<f32, (D<8>,)>>, encoder: EncoderAt<Server>) -> On<Server, Tensor<f32, (D<4>,)>> {
    encoder.encode(x) * 0.5
}
