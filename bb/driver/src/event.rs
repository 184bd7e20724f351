//! What a node tells whoever listens.

use crate::book::Forgotten;
use crate::plane::FrameError;
use bb_engine::{DisconnectReason, ExecutionId, GraphId, PeerId, Value};
use std::sync::Arc;
use std::time::Duration;

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parting {
    /// The peer said goodbye: it was shut down.
    Goodbye,
    /// It broke, or the peer died. The peer may come back.
    Lost,
    /// The peer was started anew.
    Restarted,
    /// This node ended it.
    Dismissed(DisconnectReason),
}

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
        /// How.
        how: Parting,
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
    /// An address of a peer is not kept, or is not kept any longer.
    AddressForgotten {
        /// Whose.
        peer: PeerId,
        /// The address.
        address: String,
        /// Why.
        why: Forgotten,
    },
    /// What the node holds could not be written; what waits for that is held back, and it is tried again.
    CheckpointFailed {
        /// Why not.
        error: String,
    },
    /// A peer broke the rules of the protocol; the connection is closed.
    StreamRefused {
        /// Who.
        peer: PeerId,
        /// How.
        fault: StreamFault,
    },
    /// The listener was slower than the node: so many events are gone.
    Missed {
        /// How many.
        events: u64,
    },
}

/// How a peer broke the rules of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFault {
    /// Its bytes are no messages.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It opened a second stream.
    #[error("it opened a second stream on one connection")]
    SecondStream,
    /// It is no peer of this kind.
    #[error("it does not speak /bb/1")]
    OtherProtocol,
    /// It said nothing.
    #[error("it said no Hello within ten seconds")]
    NoHello,
}
