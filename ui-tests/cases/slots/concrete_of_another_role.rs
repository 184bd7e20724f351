use bb::prelude::*;
#[derive(bb::Peer)]
pub struct Server;
#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[bb::role]
pub trait Memory {
    fn keep(&mut self, x: Tensor) -> Tensor;
}
#[derive(Default)]
pub struct Heap;
#[bb::component]
impl Memory for Heap {
    fn keep(&mut self, x: Tensor) -> Tensor { x }
}
pub fn f(x: On<Server, Tensor>) -> On<Server, Tensor> {
    IndexAt::<Server>::concrete::<Heap>("heap").near(x)
}
fn main() {}
