//! A cohort, and what its members send back.

use super::{Client, N, Server};
use bb::prelude::*;

#[bb::role]
pub trait Trainer {
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
}

/// Federated averaging.
#[bb::module]
pub fn round(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    quorum: On<Server, f32>,
    trainer: TrainerAt<Client>,
    average: AggregatorAt<Server>,
) -> On<Server, Tensor> {
    let global = average.params(graph);
    let local = graph.wire(global, cohort);
    let (update, samples) = trainer.train(local);
    let back = graph.wire((update, samples), local.sender::<Server>());
    average.fold(back.quorum(quorum).within(secs(30)))
}

/// A sub-module with wires inside, called twice, the second when the first is there.
#[bb::module]
pub fn two_rounds(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    quorum: On<Server, f32>,
    trainer: TrainerAt<Client>,
    average: AggregatorAt<Server>,
) -> (On<Server, Tensor>, On<Server, Tensor>) {
    let first = round(graph, cohort, quorum, trainer, average);
    (first, round(&graph.after(first), cohort, quorum, trainer, average))
}

/// Scatter and gather: half of all have to answer, and have more time for it than two wires have otherwise.
#[bb::module]
pub fn scatter(
    graph: &Graph,
    x: On<Server, Tensor<f32, (N,)>>,
    cohort: On<Server, Peers<Client>>,
) -> (On<Server, Tensor<f32, (N,)>>, On<Server, u64>) {
    let there = graph.wire(x, cohort);
    let back = graph.wire(there.tanh(), there.sender::<Server>()).quorum(0.5).within(secs(90));
    (back.mean(), back.count())
}

/// Lanes: every sender's value is treated as it comes, and answered.
#[bb::module]
pub fn scored(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    x: On<Server, Tensor<f32, (N,)>>,
) -> (On<Server, Tensor>, On<Server, u64>) {
    let there = graph.wire(x, cohort);
    let back = graph.wire(there.relu(), there.sender::<Server>());
    let mut answer = None;
    let scores = back.each(|y| {
        let there: On<Each<Client>, Tensor> = graph.wire(y - x, y.sender());
        answer = Some(there);
        (y - x).reduce_mean(&[0])
    });
    let answer = answer.expect("the body of each is recorded once");
    let answered = graph.wire(answer.exp(), answer.sender::<Server>()).count();
    (scores.first(3).mean(), answered)
}

#[bb::op]
fn clip(x: Tensor, limit: f32) -> Tensor {
    let values = x.as_slice().iter().map(|v| v.clamp(-limit, limit)).collect();
    Tensor::from_vec(x.shape(), values).expect("as many as before")
}

/// An op in lanes, and a reply that is read on the members.
#[bb::module]
pub fn clipped(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    trainer: TrainerAt<Client>,
    x: On<Server, Tensor>,
) -> On<Server, Tensor> {
    let back = graph.wire(x, cohort);
    let back = graph.wire(back, back.sender::<Server>());
    back.each(|y| {
        let there: On<Each<Client>, Tensor> = graph.wire(y, y.sender());
        let _ = trainer.train(there);
        clip(y * x, 1.0)
    })
    .first(3)
    .mean()
}
