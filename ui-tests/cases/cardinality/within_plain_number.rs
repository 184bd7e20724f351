use bb::prelude::*;
use ui_tests::*;
pub fn f(back: On<Server, Gathered<Tensor>>) -> On<Server, Tensor> {
    back.within(30).mean()
}
fn main() {}
