//! Modules that call modules.

use super::{Client, Server, request};
use bb::prelude::*;

/// Holds no wire: it stays a call.
#[bb::module]
pub fn twice<P: Place>(x: On<P, Tensor>) -> On<P, Tensor> {
    (x + x) * 0.5
}

/// One module at two places.
#[bb::module]
pub fn generic(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    twice(graph.wire(twice(x), to))
}

/// How much an answer is off: a module whose wires are those of the one it calls.
#[bb::module]
pub fn off(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    twice(x) - request(graph, x, to)
}

/// Sub-modules in each other with wires inside, the innermost called at two depths.
#[bb::module]
pub fn nested(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    request(graph, off(graph, x, to), to)
}
