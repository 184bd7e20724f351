use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, cohort: On<Server, Peers<Client>>) {
    let _ = graph.wire(3.0f32, cohort);
}
fn main() {}
