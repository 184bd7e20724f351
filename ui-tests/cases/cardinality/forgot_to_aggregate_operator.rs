use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Each<Client>, Tensor>, home: On<Each<Client>, Peer<Server>>) -> On<Server, Tensor> {
    let back = graph.wire(x, home);
    back + back
}
fn main() {}
