use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Each<Client>, Tensor>, peers: On<Each<Client>, Peers<Client>>) -> On<Each<Client>, Tensor> {
    graph.wire(x, peers)
}
fn main() {}
