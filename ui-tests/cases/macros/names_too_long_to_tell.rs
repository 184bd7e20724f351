use bb::prelude::*;
use ui_tests::*;
#[derive(bb::Peer)]
pub struct CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC;
#[bb::module]
pub fn mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x
}
fn main() {}
