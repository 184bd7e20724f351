use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x + Tensor::from([0.5, 0.25])
}
fn main() {}
