use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>, labels: On<Server, Tensor<i64>>) -> On<Server, Tensor> {
    x - labels
}
fn main() {}
