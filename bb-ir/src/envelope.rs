//! What peers say to each other while a program runs.
//!
//! [`decode`] takes bytes from outside: whatever they are, it answers with an [`Envelope`] that keeps every limit, or
//! with a [`Refusal`] that says what is wrong, and it builds nothing before a scan of the raw bytes has counted them.
//! Payloads stay views into the frame. [`encode`] yields pieces to be written one behind the other: a large payload is
//! a piece of its own and is not copied.

use crate::failure::FailureCode;
use crate::limits::{self, WireLimits};
use crate::peer::PeerId;
use crate::proto::wire::{Execution, SlotFill, WireEnvelope};
use crate::scan::{self, Budget, Kind, Shape, field, repeated};
use crate::site::SiteAddress;
use crate::version::WIRE_VERSION;
use bytes::Bytes;
use prost::Message;

mod refusal;
mod write;

pub use refusal::Refusal;
pub use write::{Parts, encode, encode_with};

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
    pub fills: Vec<Fill<P>>,
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
            fills: Vec::new(),
            rtt: Vec::new(),
            trace: Bytes::new(),
        }
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

static EXECUTION: Shape = Shape {
    name: "Execution",
    size: size_of::<Execution>(),
    fields: &[
        field(1, "origin", Kind::Bytes(PeerId::BYTES_MAX, 0)),
        field(2, "epoch", Kind::Fixed64),
        field(3, "counter", Kind::Varint),
    ],
};
static FAILURE: Shape = Shape {
    name: "Failure",
    size: size_of::<crate::proto::wire::Failure>(),
    fields: &[field(1, "code", Kind::Varint), field(2, "message", Kind::Bytes(limits::FAILURE_BYTES_MAX, 0))],
};
static FILL: Shape = Shape {
    name: "SlotFill",
    size: size_of::<SlotFill>(),
    fields: &[
        field(1, "dest_suffix", Kind::Bytes(limits::DEST_SUFFIX_BYTES_MAX, 0)),
        field(2, "payload", Kind::Apart(usize::MAX)),
        field(3, "trigger_only", Kind::Varint),
        field(4, "type_hash", Kind::Fixed64),
        field(5, "failure", Kind::Message(&FAILURE)),
    ],
};
static RTT: Shape = Shape {
    name: "EdgeRttReport",
    size: size_of::<RttReport>(),
    fields: &[
        field(1, "wire_id", Kind::Varint),
        field(2, "srtt_ns", Kind::Varint),
        field(3, "rttvar_ns", Kind::Varint),
        field(4, "samples", Kind::Varint),
    ],
};
static ENVELOPE: Shape = Shape {
    name: "WireEnvelope",
    size: size_of::<WireEnvelope>(),
    fields: &[
        field(1, "version", Kind::Varint),
        field(2, "seq", Kind::Varint),
        field(3, "ack", Kind::Varint),
        field(4, "execution", Kind::Message(&EXECUTION)),
        field(5, "lane", Kind::Varint),
        field(6, "remaining_ns", Kind::Varint),
        repeated(7, "fills", limits::FILLS_MAX, Kind::Message(&FILL)),
        repeated(8, "rtt", limits::RTT_REPORTS_MAX, Kind::Message(&RTT)),
        field(9, "trace", Kind::Bytes(limits::TRACE_BYTES_MAX, 0)),
    ],
};

/// How much memory decoding a frame may take beside the frame.
pub(crate) fn memory_max(frame_bytes: usize) -> usize {
    frame_bytes.saturating_mul(4).saturating_add(64 << 10)
}

/// Reads a frame.
pub fn decode(frame: Bytes, limits: &WireLimits) -> Result<Envelope, Refusal> {
    let bytes = frame.len();
    if bytes > limits.frame_bytes_max {
        return Err(Refusal::FrameTooLarge { bytes, max: limits.frame_bytes_max });
    }
    let counted = scan::scan(&frame, &ENVELOPE, &Budget { depth_max: 3, memory_max: memory_max(bytes) })?;
    let header = bytes - counted.apart;
    if header > limits.header_bytes_max {
        return Err(Refusal::HeaderTooLarge { bytes: header, max: limits.header_bytes_max });
    }
    // The scan has seen every length and wire type, so what is left to go wrong is text.
    let proto = WireEnvelope::decode(frame).map_err(|_| Refusal::Text)?;
    check(proto, limits)
}

fn check(proto: WireEnvelope, limits: &WireLimits) -> Result<Envelope, Refusal> {
    if proto.version != WIRE_VERSION {
        return Err(Refusal::Version(proto.version));
    }
    if let Some(lane) = proto.lane.filter(|lane| *lane >= limits::LANES_MAX) {
        return Err(Refusal::Lane(lane));
    }
    if !proto.fills.is_empty() {
        if proto.execution.is_none() {
            return Err(Refusal::NoExecution);
        }
        if proto.seq == 0 {
            return Err(Refusal::NoSequenceNumber);
        }
    }
    let fills = proto.fills.into_iter().enumerate().map(|(i, fill)| check_fill(i, fill, limits));
    let fills = fills.collect::<Result<Vec<Fill>, Refusal>>()?;
    if proto.remaining_ns == 0 && fills.iter().any(|fill| !matches!(fill.content, FillContent::Failure { .. })) {
        return Err(Refusal::NoTimeLeft);
    }
    Ok(Envelope {
        seq: proto.seq,
        ack: proto.ack,
        // Empty = the sender. The scan has held the length against what a PeerId may have.
        execution: proto.execution.map(|e| ExecutionName {
            origin: PeerId::from_bytes(e.origin),
            epoch: e.epoch,
            counter: e.counter,
        }),
        lane: proto.lane,
        remaining_ns: proto.remaining_ns.min(limits::REMAINING_NS_MAX),
        fills,
        rtt: proto
            .rtt
            .into_iter()
            .map(|r| RttReport { wire_id: r.wire_id, srtt_ns: r.srtt_ns, rttvar_ns: r.rttvar_ns, samples: r.samples })
            .collect(),
        trace: proto.trace,
    })
}

fn check_fill(index: usize, fill: SlotFill, limits: &WireLimits) -> Result<Fill, Refusal> {
    let address = SiteAddress::from_segment(&fill.dest_suffix).ok_or(Refusal::Address { fill: index })?;
    let bytes = fill.payload.len();
    if bytes > limits.payload_bytes_max {
        return Err(Refusal::PayloadTooLarge { fill: index, bytes, max: limits.payload_bytes_max });
    }
    let content = match (fill.trigger_only, fill.failure) {
        (false, None) => FillContent::Payload { bytes: fill.payload, type_hash: fill.type_hash },
        (true, None) if bytes == 0 => FillContent::Trigger { type_hash: fill.type_hash },
        (false, Some(failure)) if bytes == 0 => FillContent::Failure {
            code: FailureCode::from_number(failure.code)
                .ok_or(Refusal::UnknownFailureCode { fill: index, code: failure.code })?,
            message: failure.message,
        },
        _ => return Err(Refusal::Ambiguous { fill: index }),
    };
    Ok(Fill { address, content })
}

#[cfg(test)]
mod tests;
