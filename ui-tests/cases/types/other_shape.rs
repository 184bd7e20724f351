use bb::prelude::*;
use ui_tests::*;
pub fn f(rows: RowsAt<Server>, x: On<Server, Tensor<f32, (M, D<64>)>>) {
    let _ = rows.run(x);
}
fn main() {}
