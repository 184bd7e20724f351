use bb::prelude::*;
use ui_tests::*;
#[bb::module]
pub fn f(x: On<Server, Tensor>, trainer: TrainerAt<Server>) -> On<Server, Tensor> {
    trainer.train(x).0
}
#[bb::bootstrap(f)]
pub async fn prepare<T>(trainer: TrainerAt<Server>) -> On<Server, Tensor> {
    trainer.state(graph)
}
#[bb::bootstrap(f)]
pub fn empty(graph: &Graph) {}
fn main() {}
