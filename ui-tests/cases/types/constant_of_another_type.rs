use bb::prelude::*;
use ui_tests::*;
pub fn f(labels: On<Server, Tensor<i64>>) -> On<Server, Tensor<i64>> {
    labels * 0.5
}
fn main() {}
