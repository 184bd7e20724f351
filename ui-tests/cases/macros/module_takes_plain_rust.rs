use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(graph: &Graph, x: On<Server, Tensor>, layers: usize) -> On<Server, Tensor> {
    x
}
fn main() {}
