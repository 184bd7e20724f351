use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Client>, a: On<Each<Client>, Tensor>, b: On<Server, Tensor>) {
    let _ = trainer.blend(a, b, 0.5);
}
fn main() {}
