use bb::prelude::*;
use ui_tests::*;
pub fn f(a: On<Server, Tensor>, b: On<Client, Tensor>) -> On<Server, Tensor> {
    a + b
}
fn main() {}
