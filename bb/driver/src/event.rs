//! What a node tells whoever listens.

use bb_engine::{DisconnectReason, ExecutionId, GraphId, PeerId, Value};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened on a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The engine's.
    Engine(bb_engine::Event),
    /// An output of a program that lives here.
    Output {
        /// Whose.
        graph: GraphId,
        /// The program's name.
        program: Arc<str>,
        /// The output's name.
        topic: Arc<str>,
        /// Its value.
        value: Value,
        /// In which execution.
        execution: ExecutionId,
    },
    /// A peer is connected, and has said Hello.
    Connected {
        /// Who.
        peer: PeerId,
    },
    /// The last connection to a peer is gone.
    Disconnected {
        /// Who.
        peer: PeerId,
        /// Why, where it was this node's doing.
        reason: Option<DisconnectReason>,
    },
    /// An address could not be reached; it is tried again.
    DialFailed {
        /// The address.
        address: String,
        /// Why not.
        reason: String,
        /// When it is tried again.
        again_in: Duration,
    },
    /// A peer's stream broke the rules of the protocol.
    StreamRefused {
        /// Who.
        peer: PeerId,
        /// How.
        reason: String,
    },
    /// The listener was slower than the node: so many events are gone.
    Missed {
        /// How many.
        events: u64,
    },
}
