use bb::prelude::*;
use ui_tests::*;
pub fn f(trainer: TrainerAt<Client>, samples: On<Client, u64>) {
    let _ = trainer.train(samples);
}
fn main() {}
