use bb::prelude::*;
use ui_tests::*;
pub struct Relay;
pub fn f(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Relay>>) {
    let _ = graph.wire(x, to);
}
fn main() {}
