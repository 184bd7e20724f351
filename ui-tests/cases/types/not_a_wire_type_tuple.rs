use bb::prelude::*;
use ui_tests::*;
pub struct Secret;
pub fn f(graph: &Graph, x: On<Server, Secret>, y: On<Server, Tensor>, cohort: On<Server, Peers<Client>>) {
    let _ = graph.wire((y, x), cohort);
}
fn main() {}
