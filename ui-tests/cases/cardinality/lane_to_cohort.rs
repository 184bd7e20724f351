use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, back: On<Server, Gathered<Tensor>>, cohort: On<Server, Peers<Client>>) {
    let _ = back.each(|x| { let _ = graph.wire(x, cohort); x });
}
fn main() {}
