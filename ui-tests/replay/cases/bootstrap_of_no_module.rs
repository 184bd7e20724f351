use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Trainer {
    fn load(&mut self) -> Tensor;
    fn train(&mut self, params: Tensor) -> Tensor;
}
#[bb::module]
pub fn round(
    graph: &Graph,
    x: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    trainer: TrainerAt<Client>,
) -> On<Client, Tensor> {
    trainer.train(graph.wire(x, to))
}

pub fn helper(x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu()
}
/// Of a plain function.
#[bb::bootstrap(helper)]
pub fn bootstrap_of_no_module(graph: &Graph, trainer: TrainerAt<Client>) {
    let _ = trainer.load(graph);
}
/// Of what nobody starts.
#[bb::module]
pub fn halves(
    x: On<Server, Tensor>,
    y: On<Client, Tensor>,
    trainer: TrainerAt<Client>,
) -> (On<Server, Tensor>, On<Client, Tensor>) {
    (x.relu(), trainer.train(y))
}
#[bb::bootstrap(halves)]
pub fn of_a_fragment(graph: &Graph, trainer: TrainerAt<Client>) {
    let _ = trainer.load(graph);
}
