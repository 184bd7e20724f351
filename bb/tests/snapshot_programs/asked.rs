//! One peer asks another, or itself.

use super::{Client, Node, Server};
use bb::prelude::*;

/// Request and reply.
#[bb::module]
pub fn request(graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there.exp(), there.sender::<Server>())
}

#[bb::role]
pub trait State {
    fn get(&mut self) -> Tensor;
    fn mix(&mut self, theirs: Tensor) -> Tensor;
}

/// Gossip between equals. Two peers of one class: an artifact with both halves of its wires.
#[bb::module]
pub fn gossip(graph: &Graph, neighbour: On<Node, Peer<Node>>, state: StateAt<Node>) -> On<Node, Tensor> {
    let mine = state.get(graph);
    let theirs = graph.wire(mine, neighbour);
    mine + graph.wire(state.mix(theirs), graph.origin::<Node>())
}

/// A peer that sends to itself.
#[bb::module]
pub fn self_send(graph: &Graph, x: On<Node, Tensor>) -> On<Node, Tensor> {
    x + graph.wire(x.relu(), graph.origin::<Node>())
}
