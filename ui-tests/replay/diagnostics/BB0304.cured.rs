use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Machine {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement>;
}
#[derive(Default)]
pub struct Quick;
#[bb::component(element = f32)]
impl Machine for Quick {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement> {
        x
    }
}
#[derive(Default)]
pub struct Exact;
#[bb::component(element = f64)]
impl Machine for Exact {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement> {
        x
    }
}

#[bb::module]
pub fn quick_then_exact(_graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor<f64>> {
    let quick = MachineAt::<Server>::concrete::<Quick>("quick");
    let exact = MachineAt::<Server>::concrete::<Exact>("exact");
    exact.run(quick.run(x).narrow::<f32>().cast::<f64>()).narrow::<f64>()
}
