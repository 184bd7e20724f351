use bb::prelude::*;
use ui_tests::*;
pub fn f(rows: RowsAt<Server>, trainer: TrainerAt<Server>, x: On<Server, Tensor>) {
    let _ = trainer.train(rows.any(x));
}
fn main() {}
