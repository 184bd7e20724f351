//! What a host tells an engine.

use crate::tables::governor::Standing;
pub use bb_ir::component::ComponentFailure;
use bb_ir::component::DependencyDecl;
use bb_ir::peer::PeerId;
use bb_ir::value::Value;
use bytes::Bytes;
use std::time::Duration;

/// An installed artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphId(pub u32);
/// A component: one slot of one installed artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId(pub u32);
/// A component that the host has, or a type that it builds components of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound<'h> {
    /// The slot's name, or the type's.
    pub name: &'h str,
    /// The components it needs.
    pub needs: &'h [DependencyDecl],
}
/// A call, numbered by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);
/// A method that the engine wants run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);
/// A message that the engine wants sent. One that is sent again has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId {
    /// To whom, as this engine numbers peers.
    pub peer: u32,
    /// Its number in the envelope; of one that has none and that nobody asks for, a number below all of that peer's.
    pub seq: u64,
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// This value.
    Value(Value),
    /// The admitted, connected members of the cohort's class that run this very program.
    AllPeers {
        /// The node itself as well, where it hosts the class.
        and_self: bool,
    },
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Call a program whose entry this node hosts.
    Call {
        /// The host's number for it, not in use.
        call: CallId,
        /// The entry's artifact.
        graph: GraphId,
        /// The entry's inputs, in order.
        args: Vec<Arg>,
        /// How long it may take.
        budget: Duration,
    },
    /// Nobody waits for the call any more.
    Drop {
        /// Which.
        call: CallId,
    },
    /// A connection to an authenticated peer is up, and its first frame is there.
    Connected {
        /// Who.
        peer: PeerId,
        /// The frame.
        hello: Bytes,
    },
    /// A connected peer has said Hello once more: it hosts what it did before, and may host more. Of several that come
    /// out of order, the one that says most counts.
    Hosts {
        /// Who.
        peer: PeerId,
        /// The frame.
        hello: Bytes,
    },
    /// The last connection to a peer is gone.
    Disconnected {
        /// Who.
        peer: PeerId,
    },
    /// A frame of a connected peer.
    Received {
        /// Whom the transport authenticated.
        peer: PeerId,
        /// The frame.
        frame: Bytes,
    },
    /// A message will not be delivered.
    Refused {
        /// Which.
        send: SendId,
        /// Why.
        reason: Refusal,
    },
    /// A method has run.
    Completed {
        /// Which.
        command: CommandId,
        /// Its results, or why there are none.
        result: Result<Vec<Value>, ComponentFailure>,
    },
    /// Where a peer can be reached: what travels with peer values.
    Addresses {
        /// Who.
        peer: PeerId,
        /// Its addresses, best first.
        addresses: Vec<Bytes>,
    },
    /// What a peer is to this node from now on. A blocked one is sent away, and what is on its way to it is refused.
    Standing {
        /// Who.
        peer: PeerId,
        /// What it is.
        standing: Standing,
    },
    /// Time has passed.
    Tick,
}

/// Why a message will not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There was no way to the peer.
    Unreachable,
    /// The queue to the peer was full.
    QueueFull,
    /// Its time ran out in the queue.
    Expired,
    /// It is larger than the peer takes.
    TooLarge,
    /// The connection was lost.
    PeerLost,
}
