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
pub fn with_a_trainer(
    graph: &Graph,
    x: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    trainer: TrainerAt<Client>,
) -> On<Client, Tensor> {
    trainer.train(graph.wire(x, to))
}

#[bb::bootstrap(with_a_trainer)]
pub fn load_a_coach(graph: &Graph, coach: TrainerAt<Client>) {
    let _ = coach.load(graph);
}
