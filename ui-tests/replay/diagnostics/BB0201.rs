use bb::prelude::*;
use std::cell::Cell;

#[derive(bb::Peer)]
pub struct Server;

thread_local!(static KEPT: Cell<Option<On<Server, Tensor>>> = const { Cell::new(None) });

#[bb::module]
pub fn keeps(x: On<Server, Tensor>) -> On<Server, Tensor> {
    KEPT.set(Some(x));
    x.relu()
}

#[bb::module]
pub fn uses_what_is_kept(x: On<Server, Tensor>) -> On<Server, Tensor> {
    let y = keeps(x);
    y + KEPT.get().expect("it was kept")
}
