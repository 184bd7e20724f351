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

/// A component that the module does not have, one of another class, and a value of many peers.
#[bb::bootstrap(round)]
pub fn bootstrap_of_another(
    graph: &Graph,
    trainr: TrainerAt<Client>,
    trainer: TrainerAt<Server>,
    x: On<Each<Server>, Tensor>,
) {
    let _ = (trainr.load(graph), trainer.load(graph), x.relu());
}
