//! A bootstrap, and the program that it is of.

use super::{Client, Server};
use bb::prelude::*;

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
