use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>, samples: On<Server, u64>) -> On<Server, Tensor> {
    x * samples
}
fn main() {}
