use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Server>, x: On<Server, Tensor>) {
    let _ = trainer.blend(x, x.argmax(), 0.5);
}
fn main() {}
