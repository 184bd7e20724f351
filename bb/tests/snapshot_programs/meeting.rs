//! Values on their way over several peers.

use super::{Client, Edge, Head, Left, Node, Right, Server};
use bb::prelude::*;

/// Split inference: three stages on three classes, and home.
#[bb::module]
pub fn split(
    graph: &Graph,
    image: On<Edge, Tensor>,
    near: On<Edge, Peer<Left>>,
    far: On<Edge, Peer<Right>>,
) -> On<Edge, Tensor> {
    let (features, far) = graph.wire((image.relu(), far), near);
    let hidden = graph.wire(features.tanh(), far);
    graph.wire(hidden.softmax(), graph.origin::<Edge>())
}

/// A join of two wires: one value comes directly, another by way of a third peer.
#[bb::module]
pub fn join(
    graph: &Graph,
    x: On<Server, Tensor>,
    y: On<Server, Tensor>,
    to: On<Server, Peer<Client>>,
    by: On<Server, Peer<Node>>,
) -> On<Server, Tensor> {
    let direct = graph.wire(x, to);
    let (way, to) = graph.wire((y, to), by);
    let round = graph.wire(way.relu(), to);
    graph.wire(direct - round, direct.sender::<Server>())
}

/// A diamond: two halves of one value meet at the peer both were told of.
#[bb::module]
pub fn diamond(
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
