use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Memory {
    fn keep(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[derive(Default)]
pub struct Sorted {
    index: TreeNeeded,
}
#[bb::component(needs(index: Tree))]
impl Memory for Sorted {
    fn keep(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.index.find(x)
    }
}
#[bb::role]
pub trait Tree {
    fn find(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[derive(Default)]
pub struct Balanced {
    memory: MemoryNeeded,
}
#[bb::component(needs(memory: Memory))]
impl Tree for Balanced {
    fn find(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.memory.keep(x)
    }
}

#[bb::module]
pub fn each_needs_the_other(_graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let _ = MemoryAt::<Server>::concrete::<Sorted>("memory");
    TreeAt::<Server>::concrete::<Balanced>("index").find(x)
}
