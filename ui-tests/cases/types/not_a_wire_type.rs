use bb::prelude::*;
use ui_tests::*;
pub struct Secret;
pub fn f(graph: &Graph, x: On<Server, Secret>, cohort: On<Server, Peers<Client>>) {
    let _ = graph.wire(x, cohort);
}
fn main() {}
