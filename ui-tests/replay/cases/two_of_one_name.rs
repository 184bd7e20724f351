use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

/// Artifacts and handles go by name.
pub mod first {
    use super::*;
    #[bb::module]
    pub fn step(x: On<Server, Tensor>) -> On<Server, Tensor> {
        x.relu()
    }
}
pub mod second {
    use super::*;
    #[bb::module]
    pub fn step(y: On<Server, f32>, x: On<Server, Tensor>) -> On<Server, Tensor> {
        x.exp() * y
    }
}
