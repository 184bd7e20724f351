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

/// What runs while the crate builds may panic.
#[bb::bootstrap(round)]
pub fn bootstrap_panics(graph: &Graph, trainer: TrainerAt<Client>) {
    let _ = trainer.load(graph);
    panic!("no");
}
