//! What an engine tells its host.

use crate::input::{CallId, CommandId, ComponentId, GraphId};
use crate::outgoing::Outgoing;
use bb_ir::difference::WireDifference;
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use bb_ir::value::Value;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One call of a program, on all nodes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId {
    /// The peer that made it.
    pub origin: PeerId,
    /// That peer's epoch.
    pub epoch: u64,
    /// That peer's counter.
    pub counter: u64,
}
impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:x}/{}", self.origin, self.epoch, self.counter)
    }
}

/// Something a host has to do, or may want to know.
#[derive(Clone, Debug)]
pub enum EngineStep {
    /// Send this message.
    Send(Outgoing),
    /// Run a component's method and answer with `Input::Completed`; methods of one component one at a time, in order.
    Run {
        /// What to answer with.
        command: CommandId,
        /// Which component.
        component: ComponentId,
        /// Which method.
        method: Arc<str>,
        /// Its arguments.
        inputs: Vec<Value>,
    },
    /// A call has its answer.
    CallResolved {
        /// Which.
        call: CallId,
        /// Of which graph.
        graph: GraphId,
        /// The outputs at the entry, in order, or why there are none.
        result: Result<Vec<Value>, CallError>,
    },
    /// An output of the program that lives here.
    AppEvent {
        /// Whose.
        graph: GraphId,
        /// The program's name.
        module_name: Arc<str>,
        /// The output's name.
        topic: Arc<str>,
        /// Its value.
        value: Value,
        /// In which execution.
        execution: ExecutionId,
    },
    /// An address that came along with a peer.
    Announced {
        /// Who is said to be there.
        peer: PeerId,
        /// Where.
        address: Bytes,
    },
    /// End the connection.
    Disconnect {
        /// With whom.
        peer: PeerId,
        /// Why.
        reason: DisconnectReason,
    },
    /// Something worth knowing.
    Event(Event),
}

/// Why an engine wants a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// Three refused frames in a minute.
    Violations,
    /// Its first frame was no Hello.
    BadHello,
    /// The operator has blocked it.
    Blocked,
    /// It was sent away a short while ago.
    BackingOff,
    /// There is no place for it among those that are remembered.
    TooManyPeers,
}

/// Why something will not come: the first cause, carried along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its number on the wire.
    pub code: FailureCode,
    /// For people: the op or peer it began with.
    pub message: String,
    /// Who was missing, where it is a quorum.
    pub quorum: Option<Box<QuorumFailure>>,
}
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// What a gather had when it could not have enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumFailure {
    /// How many it needed.
    pub need: u64,
    /// Who had answered.
    pub arrived: Vec<PeerId>,
    /// Who had not, and why.
    pub missing: Vec<(PeerId, FailureCode)>,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The graph is none, or its class is not where the program's inputs live.
    #[error("calls of this program do not start here")]
    NotTheEntry,
    /// An argument is not what the program takes.
    #[error("argument {index} of the call is not what the program takes: {expected}")]
    BadArgument {
        /// Which, from 0; the number of inputs where there are too many or too few.
        index: usize,
        /// What is taken.
        expected: String,
    },
    /// A bound of this node.
    #[error("the call does not fit the node's limits: {0:?}")]
    Limit(LimitKind),
    /// Its budget ran out.
    #[error("the call's budget ran out; it waited for {}", .waited_for.join("; "))]
    Deadline {
        /// What it waited for, each with what is known of whom it would have come from.
        waited_for: Vec<String>,
    },
    /// Something an output needs failed.
    #[error("{0}")]
    Failed(Cause),
    /// The caller dropped it.
    #[error("the call was dropped")]
    Dropped,
}

/// A bound of [`crate::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum LimitKind {
    Bytes,
    Frames,
    Lanes,
    Commands,
    Steps,
    Unacknowledged,
    KnownPeers,
    HeardOf,
}

/// Why a payload is not its site's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveFault {
    /// No such site here.
    UnknownSite,
    /// The sender holds the value for another type.
    TypeMismatch,
    /// Data where a trigger is meant, or the reverse.
    TransportMismatch,
    /// Not all payloads of the wire.
    Incomplete,
    /// The bytes are no payload of that type.
    Payload(String),
    /// A lane where there is none, none where there is one, or one beyond the cohort.
    Lane,
    /// The sender runs another program, or has not said Hello.
    ForeignProgram,
}

impl fmt::Display for ReceiveFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReceiveFault::UnknownSite => "there is no such site",
            ReceiveFault::TypeMismatch => "it is of another type",
            ReceiveFault::TransportMismatch => "it is a trigger for data, or data for a trigger",
            ReceiveFault::Incomplete => "it is not all of the wire's payloads",
            ReceiveFault::Payload(reason) => reason,
            ReceiveFault::Lane => "its lane is not one of the cohort",
            ReceiveFault::ForeignProgram => "its sender runs another program",
        })
    }
}

/// What stands around a wire and says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Gate {
    PeerHealthRx,
    BackoffRx,
    PeerHealthTx,
    BackoffTx,
    DeadlineCheck,
}

/// Why it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateReason {
    /// The operator has blocked the peer.
    Blocked,
    /// The peer has not answered several times.
    Cooling {
        /// How long it is not asked.
        rest: Duration,
    },
    /// It could not be reached, its queue was full, or it was sent away.
    BackingOff {
        /// How long it is left alone.
        rest: Duration,
    },
    /// There is no time left.
    Deadline,
}

impl fmt::Display for GateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GateReason::Blocked => f.write_str("it is blocked"),
            GateReason::Cooling { rest } => write!(f, "it has not answered, and is not asked for {rest:.1?}"),
            GateReason::BackingOff { rest } => write!(f, "it is left alone for {rest:.1?}"),
            GateReason::Deadline => f.write_str("there is no time left"),
        }
    }
}

/// Something worth knowing. None of these needs an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Event {
    /// A peer is connected and a member of a class.
    MemberJoined { peer: PeerId, class: Arc<str> },
    /// It is not any more.
    MemberLeft { peer: PeerId, class: Arc<str> },
    /// A peer claims a class whose list it is not on.
    MembershipRefused { peer: PeerId, class: String },
    /// Anyone may claim this class: no list was given.
    OpenMembership { class: Arc<str> },
    /// A peer runs another build of a program, so it is not among those that are asked. What differs in the wires; nothing,
    /// where only what runs between them does.
    ProgramMismatch { peer: PeerId, program: Arc<str>, differences: Vec<WireDifference> },
    /// A frame that is none, or breaks a limit.
    EnvelopeRefused { peer: PeerId, reason: String },
    /// A message that does not fit its site.
    WireReceiveError { peer: PeerId, wire: Option<u64>, kind: ReceiveFault },
    /// A message for a frame that has ended.
    Late { execution: ExecutionId, wire: u64, lane: Option<u32>, peer: PeerId },
    /// A message for an execution that this node should know and does not.
    Stale { execution: ExecutionId, wire: u64, lane: Option<u32>, peer: PeerId },
    /// A message from a peer that may not fill the site.
    UnexpectedSender { execution: ExecutionId, wire: u64, lane: Option<u32>, peer: PeerId },
    /// A site that is filled already.
    DuplicateFill { execution: ExecutionId, wire: u64, lane: Option<u32>, peer: PeerId },
    /// A message that was delivered before.
    Duplicate { peer: PeerId, seq: u64 },
    /// An op failed.
    OpFailed { execution: ExecutionId, op: Arc<str>, cause: Cause },
    /// A number that the program tells under a name.
    Metric { execution: ExecutionId, name: Arc<str>, value: f64 },
    /// What runs once per start has run: components that it touches are there for calls.
    Bootstrapped { graph: GraphId, program: Arc<str> },
    /// It has failed: calls of the program fail here until the node is started again.
    BootstrapFailed { graph: GraphId, program: Arc<str>, cause: Cause },
    /// A frame's time ran out.
    FrameExpired { execution: ExecutionId, place: u32, lane: Option<u32>, waited_for: Vec<String> },
    /// A message was not delivered.
    SendFailed { execution: ExecutionId, wire: u64, peer: PeerId, code: FailureCode },
    /// A gate let something not through: a message before its Send, or all that a peer says.
    GateRefused { gate: Gate, reason: GateReason, peer: PeerId, wire: Option<u64>, execution: Option<ExecutionId> },
    /// A peer has not answered several times in a row: nothing is sent to it for a while, then one message at a time.
    PeerCools { peer: PeerId, pause: Duration },
    /// It answers again.
    PeerRecovers { peer: PeerId },
    /// What is on its way to a peer has become more than half of what may be, or less than a quarter again.
    Backpressure { peer: PeerId, bytes: u64, high: bool },
    /// A bound was hit; what did not fit is gone.
    LimitReached { limit: LimitKind, execution: Option<ExecutionId> },
    /// A completion of a method whose frame has ended.
    CompletedAfterEnd { command: CommandId },
    /// An input that names what is not there.
    UnknownInput { what: &'static str },
}
