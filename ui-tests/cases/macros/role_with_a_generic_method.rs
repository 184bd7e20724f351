use bb::prelude::*;
#[bb::role]
pub trait Index {
    fn near<T>(&mut self, x: T) -> Tensor;
}
fn main() {}
