use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>) -> On<Server, Tensor<bool>> {
    x.equal(x).relu()
}
fn main() {}
