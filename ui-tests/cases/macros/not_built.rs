use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x
}
pub fn g() {
    let _ = f::Server {};
}
fn main() {}
