//! A call in flight.

use super::CallError;
use crate::typed::Typed;
use bb_driver::Handle;
use bb_engine::{Arg, GraphId};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long a call may take where nothing is said.
const BUDGET: Duration = Duration::from_secs(60);

/// A call that resolves with a `T`. It starts when it is first polled; dropping it drops the call.
#[must_use = "a call is made when it is awaited"]
pub struct Call<T> {
    handle: Handle,
    graph: GraphId,
    args: Vec<Arg>,
    budget: Duration,
    running: Option<bb_driver::Call>,
    output: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    pub(super) fn new(handle: Handle, graph: GraphId, args: Vec<Arg>) -> Self {
        Call { handle, graph, args, budget: BUDGET, running: None, output: PhantomData }
    }
    pub(super) fn restored(handle: Handle, graph: GraphId, running: bb_driver::Call) -> Self {
        Call { running: Some(running), ..Call::new(handle, graph, Vec::new()) }
    }
    /// How long it may take; 60 s if nothing is said.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }
}

impl<T: Typed> Future for Call<T> {
    type Output = Result<T, CallError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = &mut *self;
        let running = call
            .running
            .get_or_insert_with(|| call.handle.call(call.graph, std::mem::take(&mut call.args), call.budget));
        Pin::new(running).poll(cx).map(|outcome| {
            let mut values = outcome?.into_iter();
            T::from_values(&mut values).map_err(|e| CallError::Answer(e.0))
        })
    }
}
