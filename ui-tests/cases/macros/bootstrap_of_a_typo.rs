use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(x: On<Server, Tensor>, trainer: TrainerAt<Server>) -> On<Server, Tensor> {
    trainer.train(x).0
}
#[bb::bootstrap(ff)]
pub fn prepare(graph: &Graph, trainer: TrainerAt<Server>) {
    let _ = trainer.state(graph);
}
fn main() {}
