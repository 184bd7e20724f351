//! What happened in a world, in order.

use crate::{NodeIx, World, Wrong, peer_id};
use bb::engine::{CallError, Event};
use bb::ir::envelope::FillContent;
use bb::ir::limits::WireLimits;
use bb::ir::value::Value;
use bytes::Bytes;
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
        /// It.
        frame: Bytes,
    },
    /// A message came.
    Received {
        /// The sender.
        from: NodeIx,
        /// Its length.
        bytes: usize,
        /// It.
        frame: Bytes,
    },
    /// A component ran a method.
    Ran {
        /// The method's name.
        method: Arc<str>,
    },
    /// What it gave was made wrong.
    WentWrong(Wrong),
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

impl World {
    /// What happened on a node, as its engine tells it.
    ///
    /// ```
    /// # use bb_sim::{NodeIx, World};
    /// use bb::engine::Event;
    /// # fn check(world: &World, server: NodeIx) {
    /// assert!(world.events_of(server).any(|e| matches!(e, Event::PeerCools { .. })));
    /// # }
    /// ```
    pub fn events_of(&self, node: NodeIx) -> impl Iterator<Item = &Event> {
        self.trace().iter().filter(move |row| row.node == node).filter_map(|row| match &row.what {
            What::Event(event) => Some(event),
            _ => None,
        })
    }
    /// What a node is called: its class, and its number.
    pub fn name(&self, node: NodeIx) -> String {
        format!("{} {}", self.class(node), node.0)
    }

    /// A row for people: nodes by their class, messages by the wires they are of and where those are in the program.
    pub fn tell(&self, row: &Row) -> String {
        let named = |n: &NodeIx| self.name(*n);
        let what = match &row.what {
            What::Sent { to, bytes, frame } => {
                format!("sends {} to {}, {bytes} B", self.content(*to, frame), named(to))
            }
            What::Received { from, frame, .. } => format!("gets {} of {}", self.content(row.node, frame), named(from)),
            other => {
                let text = other.to_string();
                (0..self.len())
                    .fold(text, |text, n| text.replace(&format!("PeerId({})", peer_id(n)), &named(&NodeIx(n))))
            }
        };
        format!("{:>12.6} s  {:<12}  {what}", row.at.as_secs_f64(), self.name(row.node))
    }

    fn content(&self, receiver: NodeIx, frame: &Bytes) -> String {
        let Ok(envelope) = bb::ir::envelope::decode(frame.clone(), &WireLimits::default()) else {
            return "what is no message".into();
        };
        let mut wires: Vec<String> = Vec::new();
        for fill in &envelope.fills {
            let wire = self.wire(receiver, &fill.address).unwrap_or_else(|| "an unknown wire".into());
            let wire = if let FillContent::Failure { code, .. } = &fill.content {
                format!("the failure of {wire} ({code})")
            } else {
                wire
            };
            if wires.last() != Some(&wire) {
                wires.push(wire);
            }
        }
        let lane = envelope.lane.map_or(String::new(), |lane| format!(", lane {lane}"));
        match wires.as_slice() {
            [] => format!("an acknowledgement up to {}", envelope.ack),
            wires => format!("{}{lane}", wires.join(" and ")),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6} s  node {}  {}", self.at.as_secs_f64(), self.node.0, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Sent { to, bytes, .. } => write!(f, "sends {bytes} B to node {}", to.0),
            What::Received { from, bytes, .. } => write!(f, "receives {bytes} B from node {}", from.0),
            What::Ran { method } => write!(f, "runs `{method}`"),
            What::WentWrong(Wrong::Nan) => f.write_str("gives numbers that are none"),
            What::WentWrong(Wrong::Shape) => f.write_str("gives another shape"),
            What::WentWrong(Wrong::Error) => f.write_str("is made to refuse"),
            What::WentWrong(Wrong::Panic) => f.write_str("is made to panic"),
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
