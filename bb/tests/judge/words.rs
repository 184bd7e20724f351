//! Programs for what the others leave out: the language's operators, numbers of every kind, modules that stay calls, and
//! what the engine itself does.

use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Worker;

/// A module without a wire stays a call in its piece.
#[bb::module]
pub fn scaled(x: On<Worker, Tensor>, by: On<Worker, Tensor>) -> On<Worker, Tensor> {
    (x * by).sigmoid() - 0.5
}

/// Operators on both sides of a wire, over tensors whose rank nobody says.
#[bb::module]
pub fn operators(
    graph: &Graph,
    x: On<Edge, Tensor>,
    w: On<Edge, Tensor<f32, (D<3>, D<2>)>>,
    to: On<Edge, Peer<Worker>>,
) -> (On<Edge, Tensor>, On<Edge, Tensor>, On<Edge, Tensor>, On<Edge, Tensor<i64>>) {
    let positive = (x * x + 0.5).sqrt().log().exp();
    let (there, weights) = graph.wire((positive.relu(), w), to);
    let product = there.reshape(&[1, 3]).matmul(weights);
    let other = there.slice(0, 1, 3).reshape(&[1, 2]);
    let both = concat(product, other.tanh()).softmax();
    let by = both.reduce_max(&[0, 1]);
    let scaled = scaled(scaled(both, by), by);
    let sums = weights.transpose(&[1, 0]).reduce_sum(&[0]) / 3.0;
    let (a, b, c) = graph.wire((scaled, sums, -weights.reduce_mean(&[1])), there.sender::<Edge>());
    (a, b, c.identity(), a.argmax())
}

/// Whole numbers, bytes and words.
#[bb::module]
pub fn kinds(
    graph: &Graph,
    n: On<Edge, u64>,
    i: On<Edge, Tensor<i64, (D<4>,)>>,
    word: On<Edge, String>,
    to: On<Edge, Peer<Worker>>,
) -> (On<Edge, u64>, On<Edge, Tensor<i64>>, On<Edge, Tensor<bool>>, On<Edge, String>, On<Edge, Tensor<f64>>) {
    let (count, all, said) = graph.wire((n, i, word), to);
    let far = all * all - 3;
    let back = said.sender::<Edge>();
    let (count, some, equal) = graph.wire((count, far.slice(0, 0, 2), far.equal(all)), back);
    let (said, quarters) = graph.wire((said, far.cast::<f64>() * 0.25), back);
    (count, some, equal, said, quarters)
}

/// What the engine itself does, where it does not depend on a clock or on chance.
#[bb::module]
pub fn by_itself(graph: &Graph, x: On<Edge, Tensor<f32, (D<2>,)>>, to: On<Edge, Peer<Worker>>) -> On<Edge, Tensor> {
    let there = graph.wire(x.after(secs(1)).limit(3, secs(1)), to);
    there.emit("seen");
    there.reduce_sum(&[0]).metric("sum");
    let home = graph.origin::<Edge>();
    let (a, b) = (graph.wire(there + 1.0, home), graph.wire(there, home));
    graph.any([a - 1.0, b]).shaped()
}

/// A cohort that a component chooses; in every lane a value from around it.
#[bb::module]
pub fn selected(
    graph: &Graph,
    from: On<Edge, Peers<Worker>>,
    x: On<Edge, Tensor<f32, (D<2>,)>>,
    choice: PeerSelectorAt<Edge, Worker>,
) -> (On<Edge, Tensor>, On<Edge, u64>, On<Edge, Peers<Worker>>) {
    let chosen = choice.select(from);
    let there = graph.wire(x, chosen);
    let back = graph.wire(there.exp(), there.sender::<Edge>());
    let further = back.each(|y| y - x);
    (further.sum(), back.quorum(1.0).count(), chosen)
}
