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

#[bb::role]
pub trait Catalogue {
    fn list(&mut self, x: Tensor) -> Tensor;
}

#[bb::module]
pub fn a_catalogue_for_an_index(
    _graph: &Graph,
    x: On<Server, Tensor>,
    catalogue: CatalogueAt<Server>,
    index: IndexAt<Server>,
) -> On<Server, Tensor> {
    let _ = index;
    ModelAt::<Server>::concrete::<Nearest>("model").predict(catalogue.list(x))
}
