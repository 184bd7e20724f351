use bb::prelude::*;
use ui_tests::*;
pub fn f(rows: RowsAt<Server>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    rows.any(x) * x
}
fn main() {}
