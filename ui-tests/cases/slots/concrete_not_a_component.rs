use bb::prelude::*;
#[derive(bb::Peer)]
pub struct Server;
#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[derive(Default)]
pub struct Mine;
impl Index for Mine {
    fn near(&mut self, x: Tensor) -> Tensor { x }
}
pub fn f(x: On<Server, Tensor>) -> On<Server, Tensor> {
    IndexAt::<Server>::concrete::<Mine>("mine").near(x)
}
fn main() {}
