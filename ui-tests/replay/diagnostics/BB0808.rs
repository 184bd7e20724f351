//! bb::build!(graph; bb::Options::default().backend_operators(["Relu"]));
use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn goes_to_a_backend(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu().tanh()
}
