use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>, w: On<Server, Tensor<f64>>) -> On<Server, Tensor> {
    x.matmul(w)
}
fn main() {}
