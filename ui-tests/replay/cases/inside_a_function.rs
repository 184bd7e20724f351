use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn outer(x: On<Server, Tensor>) -> On<Server, Tensor> {
    /// Nobody else calls it, and it has handles all the same.
    #[bb::module]
    pub fn inner(x: On<Server, Tensor>) -> On<Server, Tensor> {
        x.relu()
    }
    inner(x)
}
