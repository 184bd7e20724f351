use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(_: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    x
}
fn main() {}
