use bb::prelude::*;
#[bb::role]
pub trait Index {
    fn concrete(&mut self, x: Tensor) -> Tensor;
}
fn main() {}
