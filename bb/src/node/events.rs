//! What a node tells, with the types of its piece.

use crate::component::Piece;
use bb_engine::{ExecutionId, GraphId, Installed};
use bb_ir::component::OpError;
use bb_ir::value::Value;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// How many outputs of several values may be half there.
const OPEN_MAX: usize = 4096;

/// Something that happened on a node with a piece whose outputs are `E`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<E> {
    /// An output of the piece.
    Output {
        /// In which execution.
        execution: ExecutionId,
        /// It.
        value: E,
    },
    /// An output that is not of its type: artifact and handle are of different builds.
    Malformed {
        /// In which execution.
        execution: ExecutionId,
        /// What was found.
        error: OpError,
    },
    /// What [`On::emit`](crate::On::emit) tells.
    Emitted {
        /// In which execution.
        execution: ExecutionId,
        /// Its name.
        topic: Arc<str>,
        /// It.
        value: Value,
    },
    /// Anything else: connections, members, what failed, what came late.
    Node(bb_driver::Event),
}

/// The events of a node, from when they were asked for.
pub struct Events<P> {
    events: bb_driver::Events,
    graph: GraphId,
    /// By the name of a value: which output it belongs to, where in it, and how many values that is.
    places: BTreeMap<Arc<str>, (usize, usize, usize)>,
    /// Outputs of several values, of which some are there.
    open: BTreeMap<(ExecutionId, usize), Vec<Option<Value>>>,
    piece: PhantomData<fn() -> P>,
}

impl<P: Piece> Events<P> {
    pub(super) fn new(events: bb_driver::Events, installed: &Installed) -> Self {
        let widths = P::widths();
        let within =
            |(output, width): (usize, &usize)| (0..*width).map(move |at| (output, at, *width)).collect::<Vec<_>>();
        let places = widths.iter().enumerate().flat_map(within);
        let names = installed.outputs.iter().map(|(name, _)| name.clone());
        Events {
            events,
            graph: installed.graph,
            places: names.zip(places).collect(),
            open: BTreeMap::new(),
            piece: PhantomData,
        }
    }

    /// The next one; `None` once the node has stopped.
    pub async fn next(&mut self) -> Option<Event<P::Event>> {
        loop {
            match self.events.next().await? {
                bb_driver::Event::Output { graph, topic, value, execution, .. }
                    if graph == self.graph && !self.places.contains_key(&topic) =>
                {
                    return Some(Event::Emitted { execution, topic, value });
                }
                bb_driver::Event::Output { graph, topic, value, execution, .. } if graph == self.graph => {
                    if let Some(event) = self.output(&topic, value, execution) {
                        return Some(event);
                    }
                }
                other => return Some(Event::Node(other)),
            }
        }
    }

    /// The next output of the piece; `None` once the node has stopped.
    pub async fn next_output(&mut self) -> Option<P::Event> {
        loop {
            if let Event::Output { value, .. } = self.next().await? {
                return Some(value);
            }
        }
    }

    /// Takes one value; the output, if that was its last.
    fn output(&mut self, topic: &str, value: Value, execution: ExecutionId) -> Option<Event<P::Event>> {
        let (output, at, width) = *self.places.get(topic)?;
        let values = if width == 1 {
            vec![value]
        } else {
            if self.open.len() >= OPEN_MAX {
                // An execution that failed never completes its output.
                self.open.pop_first();
            }
            let key = (execution.clone(), output);
            let open = self.open.entry(key.clone()).or_insert_with(|| vec![None; width]);
            open[at] = Some(value);
            if open.iter().any(Option::is_none) {
                return None;
            }
            self.open.remove(&key)?.into_iter().flatten().collect()
        };
        Some(match P::event(output, values) {
            Ok(value) => Event::Output { execution, value },
            Err(error) => Event::Malformed { execution, error },
        })
    }
}
