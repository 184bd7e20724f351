use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, back: On<Server, Gathered<Tensor>>, other: On<Server, Peer<Client>>) {
    let _ = back.each(|x| { let _ = graph.wire(x, other); x });
}
fn main() {}
