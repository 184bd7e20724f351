use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Client>, a: On<Client, Tensor>) {
    let _ = trainer.blend(a, 3u64, 0.5);
}
fn main() {}
