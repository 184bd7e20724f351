use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor<String>>) {
    let _ = x;
}
fn main() {}
