use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Server, Tensor>, y: On<Client, Tensor>, cohort: On<Server, Peers<Client>>) {
    let _ = graph.wire((x, y), cohort);
}
fn main() {}
