//! Worlds of linked pieces: typed arguments in, typed answers out.

use crate::world::CallIx;
use crate::{Host, NodeIx, World};
use bb::__private::{Argument, Typed};
use bb::engine::{Arg, CallError};
use bb::{Entry, OpError, Piece};
use bytes::Bytes;
use std::marker::PhantomData;
use std::time::Duration;

/// A node that hosts a `P`.
pub struct NodeOf<P> {
    /// Its number in the world.
    pub ix: NodeIx,
    piece: PhantomData<fn() -> P>,
}
impl<P> Clone for NodeOf<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for NodeOf<P> {}
impl<P> From<NodeOf<P>> for NodeIx {
    fn from(node: NodeOf<P>) -> NodeIx {
        node.ix
    }
}

/// A call that will have a `T`.
pub struct Asked<T> {
    /// Its number in the world.
    pub call: CallIx,
    output: PhantomData<fn() -> T>,
}
impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Asked<T> {}

impl Host {
    /// A piece that the build linked; `make` runs at every start.
    pub fn piece<P: Piece>(make: impl Fn() -> P + 'static) -> Self {
        let components = move || {
            let bound = make().components().into_iter();
            bound.map(|(slot, component)| (slot.to_owned(), component)).collect()
        };
        Host::with(Bytes::from_static(P::ARTIFACT), Box::new(components))
    }
}

impl World {
    /// Adds a node that hosts a piece the build linked; `make` runs at every start.
    ///
    /// # Panics
    /// If the piece cannot be installed: the op of a crate is missing that this binary does not link.
    pub fn host<P: Piece>(&mut self, make: impl Fn() -> P + 'static) -> NodeOf<P> {
        let ix = self.add(vec![Host::piece(make)]);
        NodeOf { ix: ix.unwrap_or_else(|e| panic!("{}: {e}", P::MODULE)), piece: PhantomData }
    }
    /// The same, and it survives a crash: see [`World::add_durable`].
    ///
    /// # Panics
    /// As [`World::host`] does.
    pub fn host_durable<P: Piece>(&mut self, make: impl Fn() -> P + 'static, writes_for: Duration) -> NodeOf<P> {
        let ix = self.add_durable(vec![Host::piece(make)], writes_for);
        NodeOf { ix: ix.unwrap_or_else(|e| panic!("{}: {e}", P::MODULE)), piece: PhantomData }
    }

    /// Calls the program, as of now.
    pub fn ask<P: Entry>(&mut self, node: NodeOf<P>, args: P::Args, budget: Duration) -> Asked<P::Output> {
        Asked { call: self.call(node.ix, arguments(args), budget), output: PhantomData }
    }
    /// What a call resolved to; `None` as long as it has not.
    ///
    /// # Panics
    /// If the answer is not of the output's type: then artifact and handle are of different builds.
    pub fn answer<T: Typed>(&self, asked: Asked<T>) -> Option<Result<T, CallError>> {
        let answer = self.result(asked.call)?.clone();
        let read = |values: Vec<_>| T::from_values(&mut values.into_iter());
        let wrong = |e: OpError| -> T { panic!("the answer is of another type: {e}") };
        Some(answer.map(|values| read(values).unwrap_or_else(wrong)))
    }
}

/// Values as they are handed in.
pub(crate) fn arguments(values: impl Typed) -> Vec<Arg> {
    let mut arguments = Vec::new();
    values.into_arguments(&mut arguments);
    let arg = |argument| match argument {
        Argument::Value(value) => Arg::Value(value),
        Argument::AllPeers { and_self } => Arg::AllPeers { and_self },
    };
    arguments.into_iter().map(arg).collect()
}
