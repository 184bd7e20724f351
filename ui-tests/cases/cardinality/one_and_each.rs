use bb::prelude::*;
use ui_tests::*;
pub fn f(one: On<Client, Tensor>, each: On<Each<Client>, Tensor>) -> On<Each<Client>, Tensor> {
    each + one
}
fn main() {}
