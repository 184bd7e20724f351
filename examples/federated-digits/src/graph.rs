//! The program, seen from above all peers.

use bb::prelude::*;

/// Keeps the model.
#[derive(bb::Peer)]
pub struct Server;
/// Keeps data that nobody else sees.
#[derive(bb::Peer)]
pub struct Client;

/// A role: what a component bound at start can do. Its methods become ops.
#[bb::role]
pub trait Trainer {
    /// One local pass. `params`, `f32[P]`, in; new ones and the number of samples out.
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
}

/// One round of federated averaging: broadcast, local training, gather, fold.
#[bb::module]
pub fn round(
    graph: &Graph,                      // the right to send: a module without it cannot hold a wire
    cohort: On<Server, Peers<Client>>,  // inputs: where they live is part of their type
    quorum: On<Server, f32>,
    trainer: TrainerAt<Client>,         // components: which role, on which class
    average: AggregatorAt<Server>,
) -> On<Server, Tensor> {
    let global = average.params(graph); // no inputs: `graph` = when the call starts; a value = once it is there
    let local = graph.wire(global, cohort);                             // On<Each<Client>, Tensor>
    let (update, samples) = trainer.train(local);                       // on every peer of the cohort
    let back = graph.wire((update, samples), local.sender::<Server>()); // On<Server, Gathered<(Tensor, u64)>>
    average.fold(back.quorum(quorum).within(secs(30)))
}
