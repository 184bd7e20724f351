use bb::prelude::*;
use ui_tests::*;
pub fn f(graph: &Graph, x: On<Each<Client>, Tensor>, home: On<Each<Client>, Peer<Server>>, trainer: TrainerAt<Server>) {
    let _ = trainer.train(graph.wire(x, home));
}
fn main() {}
