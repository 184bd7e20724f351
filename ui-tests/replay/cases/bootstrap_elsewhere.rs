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

#[bb::role]
pub trait Log {
    fn open(&mut self) -> u64;
}
/// A class that calls do nothing on.
#[bb::module]
pub fn logged(x: On<Server, Tensor>, log: LogAt<Client>) -> On<Server, Tensor> {
    let _ = log;
    x.relu()
}
#[bb::bootstrap(logged)]
pub fn bootstrap_elsewhere(graph: &Graph, log: LogAt<Client>) {
    let _ = log.open(graph);
}
