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
pub fn bootstrapped_with_a_wire(
    graph: &Graph,
    x: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    trainer: TrainerAt<Client>,
) -> On<Client, Tensor> {
    trainer.train(graph.wire(x, to))
}

#[bb::bootstrap(bootstrapped_with_a_wire)]
pub fn announce(graph: &Graph, trainer: TrainerAt<Client>) {
    let _ = trainer.load(graph);
}
