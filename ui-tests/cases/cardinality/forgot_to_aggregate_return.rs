use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Each<Client>, Tensor>, home: On<Each<Client>, Peer<Server>>) -> On<Server, Tensor> {
    graph.wire(x, home)
}
fn main() {}
