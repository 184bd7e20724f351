use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Client>, global: On<Server, Tensor>) {
    let (_update, _samples) = trainer.train(global);
}
fn main() {}
