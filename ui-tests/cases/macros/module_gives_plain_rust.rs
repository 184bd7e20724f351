use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(graph: &Graph, x: On<Server, Tensor>) -> usize {
    let _ = x;
    3
}
fn main() {}
