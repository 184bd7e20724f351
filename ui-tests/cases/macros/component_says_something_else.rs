use bb::prelude::*;
#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[derive(Default)]
pub struct Mine;
#[bb::component(requires(index: Index))]
impl Index for Mine {
    fn near(&mut self, x: Tensor) -> Tensor { x }
}
fn main() {}
