use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Each<Client>, Tensor>, w: On<Server, Tensor>) -> On<Server, Tensor> {
    let back = graph.wire(x, x.sender()).mean();
    back * w
}
fn main() {}
