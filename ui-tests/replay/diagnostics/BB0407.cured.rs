use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Tensor;
}
#[derive(Default)]
pub struct Flat;
#[bb::component]
impl Index for Flat {
    fn near(&mut self, x: Tensor) -> Tensor {
        x
    }
}

#[bb::role]
pub trait Model {
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[derive(Default)]
pub struct Nearest {
    index: IndexNeeded,
}
#[bb::component(needs(index: Index))]
impl Model for Nearest {
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.index.near(x)
    }
}

#[bb::module]
pub fn both_called_one(_graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let index = IndexAt::<Server>::concrete::<Flat>("index");
    let model = ModelAt::<Server>::concrete::<Nearest>("model");
    model.predict(index.near(x))
}
