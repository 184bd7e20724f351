use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

pub mod small {
    use super::*;
    #[bb::module]
    pub fn small_step(x: On<Server, Tensor>) -> On<Server, Tensor> {
        x.relu()
    }
}
pub mod large {
    use super::*;
    #[bb::module]
    pub fn large_step(x: On<Server, Tensor>) -> On<Server, Tensor> {
        x.relu().exp()
    }
}
