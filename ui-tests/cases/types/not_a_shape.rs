use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor<f32, N>>) {
    let _ = x;
}
fn main() {}
