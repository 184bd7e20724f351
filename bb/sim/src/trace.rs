//! What happened in a world, in order.

use crate::NodeIx;
use bb::engine::{CallError, Event};
use bb::ir::value::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Row {
    /// When, since the world began.
    pub at: Duration,
    /// Where.
    pub node: NodeIx,
    /// What.
    pub what: What,
}

/// What can happen on a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// A message left for another node.
    Sent {
        /// The receiver.
        to: NodeIx,
        /// Its length.
        bytes: usize,
    },
    /// A message came.
    Received {
        /// The sender.
        from: NodeIx,
        /// Its length.
        bytes: usize,
    },
    /// A component ran a method.
    Ran {
        /// The method's name.
        method: Arc<str>,
    },
    /// A call was made.
    Called,
    /// A call resolved.
    Resolved(Result<Vec<Value>, CallError>),
    /// An output at a class that did not call.
    Output {
        /// The output's name.
        topic: Arc<str>,
        /// Its value.
        value: Value,
    },
    /// The engine reports something.
    Event(Event),
    /// The node died.
    Killed,
    /// The node started.
    Started,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6} s  node {}  ", self.at.as_secs_f64(), self.node.0)?;
        match &self.what {
            What::Sent { to, bytes } => write!(f, "sends {bytes} B to node {}", to.0),
            What::Received { from, bytes } => write!(f, "receives {bytes} B from node {}", from.0),
            What::Ran { method } => write!(f, "runs `{method}`"),
            What::Called => f.write_str("calls"),
            What::Resolved(Ok(values)) => write!(f, "has its answer: {values:?}"),
            What::Resolved(Err(error)) => write!(f, "has no answer: {error}"),
            What::Output { topic, value } => write!(f, "gives `{topic}`: {value:?}"),
            What::Event(event) => write!(f, "{event:?}"),
            What::Killed => f.write_str("is killed"),
            What::Started => f.write_str("starts"),
        }
    }
}
