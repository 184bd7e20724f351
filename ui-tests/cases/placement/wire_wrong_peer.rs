use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Client, Tensor>, cohort: On<Server, Peers<Client>>) {
    let _ = graph.wire(x, cohort);
}
fn main() {}
