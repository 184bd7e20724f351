//! Small programs, as they are recorded.
#![allow(missing_docs)]

use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Left;
#[derive(bb::Peer)]
pub struct Right;
#[derive(bb::Peer)]
pub struct Head;
#[derive(bb::Dim)]
pub struct N;

#[bb::role]
pub trait Trainer {
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
}
#[bb::role]
pub trait State {
    fn get(&mut self) -> Tensor;
    fn mix(&mut self, theirs: Tensor) -> Tensor;
}

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

/// A sub-module with a wire inside, called twice, the second when the first is there.
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

/// Two peers of one class: an artifact with both halves of its wires.
#[bb::module]
pub fn gossip(graph: &Graph, neighbour: On<Node, Peer<Node>>, state: StateAt<Node>) -> On<Node, Tensor> {
    let mine = state.get(graph);
    let theirs = graph.wire(mine, neighbour);
    mine + graph.wire(state.mix(theirs), graph.origin::<Node>())
}

/// Split inference: two halves meet at the peer both were told of.
#[bb::module]
pub fn split(
    graph: &Graph,
    x: On<Edge, Tensor>,
    left: On<Edge, Peer<Left>>,
    right: On<Edge, Peer<Right>>,
    head: On<Edge, Peer<Head>>,
) -> On<Edge, Tensor> {
    let (at_left, head_left) = graph.wire((x, head), left);
    let (at_right, head_right) = graph.wire((x, head), right);
    let a = graph.wire(at_left.tanh(), head_left);
    let b = graph.wire(at_right.sigmoid(), head_right);
    graph.wire(concat(a, b).softmax(), graph.origin::<Edge>())
}

#[bb::role]
pub trait Store {
    fn open(&mut self, cells: u64);
    fn keep(&mut self, x: Tensor) -> Tensor;
    fn cells(&mut self) -> u64;
}

/// Kept here, and there.
#[bb::module]
pub fn kept(
    graph: &Graph,
    x: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    far: StoreAt<Client>,
    near: StoreAt<Server>,
) -> On<Client, Tensor> {
    far.keep(graph.wire(near.keep(x), to))
}

/// As many cells there as there are, and one more here; and when that began.
#[bb::bootstrap(kept)]
pub fn open_stores(graph: &Graph, near: StoreAt<Server>, far: StoreAt<Client>) {
    far.open(far.cells(graph));
    near.open(near.cells(graph) + 1);
    graph.clock::<Client>().metric("began");
}
