use bb::prelude::*;
use ui_tests::*;
pub fn f(back: On<Server, Gathered<Tensor>>, need: On<Client, f32>) -> On<Server, Tensor> {
    back.quorum(need).mean()
}
fn main() {}
