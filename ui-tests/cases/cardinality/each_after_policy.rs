use bb::prelude::*;
use ui_tests::*;
pub fn f(back: On<Server, Gathered<Tensor>>, w: On<Server, Tensor>) -> On<Server, Tensor> {
    back.quorum(0.5).each(|x| x * w).mean()
}
fn main() {}
