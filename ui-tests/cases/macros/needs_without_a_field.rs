use bb::prelude::*;
#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[bb::role]
pub trait Model {
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[derive(Default)]
pub struct Deep {
    below: IndexNeeded,
}
#[bb::component(needs(index: Index))]
impl Model for Deep {
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError> { self.below.near(x) }
}
fn main() {}
