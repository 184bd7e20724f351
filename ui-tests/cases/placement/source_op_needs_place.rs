use ui_tests::*;
pub fn f(trainer: TrainerAt<Client>) {
    let _ = trainer.state();
}
fn main() {}
