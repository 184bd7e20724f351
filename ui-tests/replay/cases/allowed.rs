use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

/// What a module allows is not warned of.
#[bb::module]
#[allow(deprecated)]
pub fn allowed(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let _ = x.exp();
    x.relu()
}
