use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Server>, x: On<Server, Tensor>) {
    let _ = trainer.train(x.argmax());
}
fn main() {}
