use bb::prelude::*;
use ui_tests::*;
pub fn f(a: On<Server, Tensor>, limit: On<Client, f32>) -> On<Server, Tensor> {
    clip(a, limit)
}
fn main() {}
