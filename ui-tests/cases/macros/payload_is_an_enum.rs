use bb::prelude::*;
use ui_tests::*;
#[derive(WireType)]
pub enum Step {
    Up,
    Down,
}
#[bb::module]
pub fn f(graph: &Graph, step: On<Server, Step>, to: On<Server, Peer<Client>>) -> On<Client, Step> {
    graph.wire(step, to)
}
fn main() {}
