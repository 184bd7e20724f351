use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn drops_a_value(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let _ = x.exp();
    x.relu()
}
