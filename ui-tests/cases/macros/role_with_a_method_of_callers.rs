use bb::prelude::*;
#[bb::role]
pub trait Index {
    fn of(&mut self, x: Tensor) -> Tensor;
}
fn main() {}
