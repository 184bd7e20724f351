//! Envelopes as pieces of bytes.

use super::{Envelope, Fill, FillContent};
use crate::limits;
use crate::proto::wire::{EdgeRttReport, Execution, Failure, SlotFill, WireEnvelope};
use crate::varint;
use crate::version::WIRE_VERSION;
use bytes::Bytes;
use prost::Message;

/// A payload to be sent: its head and its body, written one behind the other, as [`crate::codec::encode`] makes them.
pub type Parts = (Bytes, Bytes);

/// What is copied behind what stands before it instead of becoming a piece of its own.
const COPIED_BYTES_MAX: usize = 1024;
/// The keys of `WireEnvelope.fills`, `SlotFill.dest_suffix` and `SlotFill.payload`: number and wire type.
const FILLS_KEY: u8 = (7 << 3) | 2;
const SUFFIX_KEY: u8 = (1 << 3) | 2;
const PAYLOAD_KEY: u8 = (2 << 3) | 2;
/// What a head, and a fill around its payload, hardly ever exceed.
const HEAD_BYTES: usize = 96;
const FILL_BYTES: usize = 48;

/// The pieces of a frame, to be written one behind the other. Large payloads are shared, not copied.
pub fn encode(envelope: &Envelope<Parts>) -> Vec<Bytes> {
    encode_with(envelope, envelope.remaining_ns)
}

/// The same with another rest of time: only when a message is handed over is known what is left.
pub fn encode_with(envelope: &Envelope<Parts>, remaining_ns: u64) -> Vec<Bytes> {
    let copied = |bytes: &Bytes| if bytes.len() <= COPIED_BYTES_MAX { bytes.len() } else { 0 };
    let payload = |fill: &Fill<Parts>| match &fill.content {
        FillContent::Payload { bytes: (head, body), .. } => copied(head) + copied(body),
        FillContent::Trigger { .. } => 0,
        FillContent::Failure { message, .. } => message.len(),
    };
    let payloads: usize = envelope.fills.iter().map(|fill| FILL_BYTES + payload(fill)).sum();
    let mut pieces = Pieces { done: Vec::with_capacity(1), open: Vec::with_capacity(HEAD_BYTES + payloads) };
    let head = WireEnvelope {
        version: WIRE_VERSION,
        seq: envelope.seq,
        ack: envelope.ack,
        execution: envelope.execution.as_ref().map(|e| Execution {
            origin: e.origin.as_ref().map(|o| o.to_bytes()).unwrap_or_default(),
            epoch: e.epoch,
            counter: e.counter,
        }),
        lane: envelope.lane,
        remaining_ns: remaining_ns.min(limits::REMAINING_NS_MAX),
        ..WireEnvelope::default()
    };
    pieces.message(&head);
    for fill in &envelope.fills {
        write_fill(fill, &mut pieces);
    }
    let tail = WireEnvelope {
        rtt: envelope
            .rtt
            .iter()
            .map(|r| EdgeRttReport {
                wire_id: r.wire_id,
                srtt_ns: r.srtt_ns,
                rttvar_ns: r.rttvar_ns,
                samples: r.samples,
            })
            .collect(),
        trace: envelope.trace.clone(),
        ..WireEnvelope::default()
    };
    pieces.message(&tail);
    pieces.finish()
}

/// A fill with its fields in the order of their numbers, so that the payload stands between two messages.
fn write_fill(fill: &Fill<Parts>, pieces: &mut Pieces) {
    let suffix = fill.address.to_segment();
    let (payload, after) = match &fill.content {
        FillContent::Payload { bytes, type_hash } => {
            (Some(bytes), SlotFill { type_hash: *type_hash, ..SlotFill::default() })
        }
        FillContent::Trigger { type_hash } => {
            (None, SlotFill { trigger_only: true, type_hash: *type_hash, ..SlotFill::default() })
        }
        FillContent::Failure { code, message } => {
            let end = message.floor_char_boundary(limits::FAILURE_BYTES_MAX);
            let failure = Failure { code: code.number(), message: message[..end].to_owned() };
            (None, SlotFill { failure: Some(failure), ..SlotFill::default() })
        }
    };
    let payload = payload.filter(|(head, body)| !head.is_empty() || !body.is_empty());
    let bytes = payload.map_or(0, |(head, body)| head.len() + body.len());
    let field = if bytes == 0 { 0 } else { 1 + varint::length(bytes as u64) + bytes };
    pieces.open.push(FILLS_KEY);
    let before = 1 + varint::length(suffix.len() as u64) + suffix.len();
    varint::put((before + field + after.encoded_len()) as u64, &mut pieces.open);
    pieces.open.push(SUFFIX_KEY);
    varint::put(suffix.len() as u64, &mut pieces.open);
    pieces.open.extend_from_slice(&suffix);
    if let Some((head, body)) = payload {
        pieces.open.push(PAYLOAD_KEY);
        varint::put(bytes as u64, &mut pieces.open);
        pieces.shared(head);
        pieces.shared(body);
    }
    pieces.message(&after);
}

/// Pieces done, and the one that is still written to.
#[derive(Default)]
struct Pieces {
    done: Vec<Bytes>,
    open: Vec<u8>,
}

impl Pieces {
    fn message(&mut self, message: &impl Message) {
        message.encode(&mut self.open).expect("a vector grows");
    }
    fn shared(&mut self, bytes: &Bytes) {
        if bytes.len() <= COPIED_BYTES_MAX {
            self.open.extend_from_slice(bytes);
        } else {
            self.close();
            self.done.push(bytes.clone());
        }
    }
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open).into());
        }
    }
    fn finish(mut self) -> Vec<Bytes> {
        self.close();
        self.done
    }
}
