use bb::prelude::*;
use ui_tests::*;
pub fn f(back: On<Server, Gathered<Tensor>>) -> On<Server, Tensor> {
    back.first(0.5).mean()
}
fn main() {}
