//! What peers say to each other while a program runs.
//!
//! [`decode`] takes bytes from outside: whatever they are, it answers with an [`Envelope`] that keeps every limit, or
//! with a [`Refusal`] that says what is wrong, and takes no more memory than the limits say on the way.
//! Payloads stay views into the frame. [`encode`] yields pieces to be written one behind the other: a large payload is
//! a piece of its own and is not copied.

use crate::codec::{Head, Parts};
use crate::failure::FailureCode;
use crate::peer::PeerId;
use crate::site::SiteAddress;
use bytes::Bytes;
use smallvec::SmallVec;

mod read;
mod refusal;
mod write;

pub use read::{decode, decode_into};
pub use refusal::Refusal;
pub use write::{encode, encode_behind, encode_with};

/// The fills of a message: most have one.
pub type Fills<P> = SmallVec<[Fill<P>; 1]>;

/// One message between two peers. `P` is what a payload is: bytes once received, [`Parts`] when sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<P = Bytes> {
    /// Counts the messages of this sender's epoch to this receiver, from 1; 0 = no fills.
    pub seq: u64,
    /// The highest number up to which everything from the other side has arrived.
    pub ack: u64,
    /// Whose call the fills belong to. There wherever there are fills.
    pub execution: Option<ExecutionName>,
    /// The lane, on wires into and out of `Each`.
    pub lane: Option<u32>,
    /// What is left of the execution's time.
    pub remaining_ns: u64,
    /// The payloads of a wire.
    pub fills: Fills<P>,
    /// How long the sender's round trips take.
    pub rtt: Vec<RttReport>,
    /// W3C `traceparent`, or empty.
    pub trace: Bytes,
}

impl<P> Envelope<P> {
    /// One that says nothing but its number and what has arrived.
    pub fn bare(seq: u64, ack: u64) -> Self {
        Envelope {
            seq,
            ack,
            execution: None,
            lane: None,
            remaining_ns: 0,
            fills: Fills::new(),
            rtt: Vec::new(),
            trace: Bytes::new(),
        }
    }
}

impl Envelope {
    /// What was received, to be sent as it is.
    pub fn to_be_sent(self) -> Envelope<Parts> {
        let content = |content| match content {
            FillContent::Payload { bytes, type_hash } => {
                FillContent::Payload { bytes: (Head::new(), bytes), type_hash }
            }
            FillContent::Trigger { type_hash } => FillContent::Trigger { type_hash },
            FillContent::Failure { code, message } => FillContent::Failure { code, message },
        };
        let Envelope { seq, ack, execution, lane, remaining_ns, fills, rtt, trace } = self;
        let fills = fills.into_iter().map(|f| Fill { address: f.address, content: content(f.content) }).collect();
        Envelope { seq, ack, execution, lane, remaining_ns, fills, rtt, trace }
    }
}

impl<P> Default for Envelope<P> {
    fn default() -> Self {
        Envelope::bare(0, 0)
    }
}

impl<P> Envelope<P> {
    /// Makes it a bare one without a number again, and keeps its room.
    pub fn clear(&mut self) {
        (self.seq, self.ack, self.execution, self.lane, self.remaining_ns) = (0, 0, None, None, 0);
        self.fills.clear();
        self.rtt.clear();
        self.trace = Bytes::new();
    }
}

/// An execution as an envelope names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExecutionName {
    /// The peer that minted it; `None` = the sender.
    pub origin: Option<PeerId>,
    /// The origin's epoch.
    pub epoch: u64,
    /// The origin's counter.
    pub counter: u64,
}

/// One payload, for one site.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill<P = Bytes> {
    /// The receiving site.
    pub address: SiteAddress,
    /// What it gets.
    pub content: FillContent<P>,
}

/// What a site gets.
#[derive(Clone, Debug, PartialEq)]
pub enum FillContent<P = Bytes> {
    /// A value.
    Payload {
        /// As [`crate::codec`] writes it.
        bytes: P,
        /// What the sender holds it for.
        type_hash: u64,
    },
    /// A firing signal.
    Trigger {
        /// What the sender holds it for.
        type_hash: u64,
    },
    /// This value will not come.
    Failure {
        /// Why.
        code: FailureCode,
        /// Why, for people. Sent as far as it fits.
        message: String,
    },
}

/// How long the round trips over one wire take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RttReport {
    /// The wire.
    pub wire_id: u64,
    /// The smoothed time.
    pub srtt_ns: u64,
    /// How much it varies.
    pub rttvar_ns: u64,
    /// From how many samples.
    pub samples: u32,
}

/// How much memory decoding a frame may take beside the frame.
pub(crate) fn memory_max(frame_bytes: usize) -> usize {
    frame_bytes.saturating_mul(4).saturating_add(64 << 10)
}

#[cfg(test)]
mod tests;
