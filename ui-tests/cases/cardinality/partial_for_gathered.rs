use bb::prelude::*;
use ui_tests::*;
#[bb::role]
pub trait Exact {
    fn fold(&mut self, all: Gathered<Tensor>) -> Tensor;
}
pub fn f(exact: ExactAt<Server>, back: On<Server, Gathered<Tensor>>) -> On<Server, Tensor> {
    exact.fold(back.quorum(0.5))
}
fn main() {}
