//! Envelopes as pieces of bytes.

use super::{Envelope, Fill, FillContent};
use crate::codec::Parts;
use crate::fields::{FIXED64, LENGTH, VARINT};
use crate::limits;
use crate::varint;
use crate::version::WIRE_VERSION;
use bytes::Bytes;

/// What is copied behind what stands before it instead of becoming a piece of its own.
const COPIED_BYTES_MAX: usize = 1024;
/// What a head, and a fill around its payload, hardly ever exceed.
const HEAD_BYTES: usize = 96;
const FILL_BYTES: usize = 48;

/// The pieces of a frame, to be written one behind the other. Large payloads are shared, not copied.
pub fn encode(envelope: &Envelope<Parts>) -> Vec<Bytes> {
    encode_with(envelope, envelope.remaining_ns)
}

/// The same with another rest of time: only when a message is handed over is known what is left.
pub fn encode_with(envelope: &Envelope<Parts>, remaining_ns: u64) -> Vec<Bytes> {
    let copied = |body: &Bytes| if body.len() <= COPIED_BYTES_MAX { body.len() } else { 0 };
    let payload = |fill: &Fill<Parts>| match &fill.content {
        FillContent::Payload { bytes: (head, body), .. } => head.len() + copied(body),
        FillContent::Trigger { .. } => 0,
        FillContent::Failure { message, .. } => message.len(),
    };
    let payloads: usize = envelope.fills.iter().map(|fill| FILL_BYTES + payload(fill)).sum();
    let mut pieces = Pieces { done: Vec::with_capacity(1), open: Vec::with_capacity(HEAD_BYTES + payloads) };
    write(envelope, remaining_ns, &mut pieces);
    pieces.close();
    pieces.done
}

/// Puts a frame behind what is in `out`, if all of it is small: what a writer of many small ones does with them. Whether
/// it is.
pub fn encode_behind(envelope: &Envelope<Parts>, remaining_ns: u64, out: &mut Vec<u8>) -> bool {
    let large = |fill: &Fill<Parts>| match &fill.content {
        FillContent::Payload { bytes: (_, body), .. } => body.len() > COPIED_BYTES_MAX,
        FillContent::Trigger { .. } | FillContent::Failure { .. } => false,
    };
    let small = !envelope.fills.iter().any(large);
    if small {
        let mut pieces = Pieces { done: Vec::new(), open: std::mem::take(out) };
        write(envelope, remaining_ns, &mut pieces);
        *out = pieces.open;
    }
    small
}

fn write(envelope: &Envelope<Parts>, remaining_ns: u64, pieces: &mut Pieces) {
    let out = &mut pieces.open;
    number(1, u64::from(WIRE_VERSION), out);
    number(2, envelope.seq, out);
    number(3, envelope.ack, out);
    if let Some(name) = &envelope.execution {
        let origin = name.origin.as_ref().map_or(&[][..], |o| o.as_bytes());
        key(4, LENGTH, out);
        varint::put((bytes_length(origin) + fixed_length(name.epoch) + number_length(name.counter)) as u64, out);
        bytes(1, origin, out);
        fixed(2, name.epoch, out);
        number(3, name.counter, out);
    }
    if let Some(lane) = envelope.lane {
        key(5, VARINT, out);
        varint::put(u64::from(lane), out);
    }
    number(6, remaining_ns.min(limits::REMAINING_NS_MAX), out);
    for fill in &envelope.fills {
        write_fill(fill, pieces);
    }
    let out = &mut pieces.open;
    for report in &envelope.rtt {
        let numbers = [report.wire_id, report.srtt_ns, report.rttvar_ns, u64::from(report.samples)];
        key(8, LENGTH, out);
        varint::put(numbers.iter().map(|n| number_length(*n)).sum::<usize>() as u64, out);
        (1..).zip(numbers).for_each(|(field, n)| number(field, n, out));
    }
    bytes(9, &envelope.trace, out);
}

/// A fill with its fields in the order of their numbers, so that the payload stands between two others.
fn write_fill(fill: &Fill<Parts>, pieces: &mut Pieces) {
    let suffix = fill.address.to_segment();
    let (payload, type_hash, failed) = match &fill.content {
        FillContent::Payload { bytes, type_hash } => (Some(bytes), *type_hash, None),
        FillContent::Trigger { type_hash } => (None, *type_hash, None),
        FillContent::Failure { code, message } => {
            let end = message.floor_char_boundary(limits::FAILURE_BYTES_MAX);
            (None, 0, Some((u64::from(code.number()), &message.as_bytes()[..end])))
        }
    };
    let payload = payload.filter(|(head, body)| !head.is_empty() || !body.is_empty());
    let payload_bytes = payload.map_or(0, |(head, body)| head.len() + body.len());
    let trigger = u64::from(matches!(fill.content, FillContent::Trigger { .. }));
    let failure_bytes = failed.map(|(code, message)| number_length(code) + bytes_length(message));
    let length = bytes_length(&suffix)
        + length_of(payload_bytes)
        + number_length(trigger)
        + fixed_length(type_hash)
        + failure_bytes.map_or(0, |n| 1 + varint::length(n as u64) + n);
    let out = &mut pieces.open;
    key(7, LENGTH, out);
    varint::put(length as u64, out);
    bytes(1, &suffix, out);
    if let Some((head, body)) = payload {
        key(2, LENGTH, out);
        varint::put(payload_bytes as u64, out);
        pieces.open.extend_from_slice(head);
        pieces.shared(body);
    }
    let out = &mut pieces.open;
    number(3, trigger, out);
    fixed(4, type_hash, out);
    if let (Some((code, message)), Some(n)) = (failed, failure_bytes) {
        key(5, LENGTH, out);
        varint::put(n as u64, out);
        number(1, code, out);
        bytes(2, message, out);
    }
}

// Fields of numbers below 16, whose keys are one byte; what is zero or empty is left out.

fn key(field: u8, wire_type: u8, out: &mut Vec<u8>) {
    out.push(field << 3 | wire_type);
}
fn number(field: u8, number: u64, out: &mut Vec<u8>) {
    if number != 0 {
        key(field, VARINT, out);
        varint::put(number, out);
    }
}
fn number_length(number: u64) -> usize {
    if number == 0 { 0 } else { 1 + varint::length(number) }
}
fn fixed(field: u8, number: u64, out: &mut Vec<u8>) {
    if number != 0 {
        key(field, FIXED64, out);
        out.extend_from_slice(&number.to_le_bytes());
    }
}
fn fixed_length(number: u64) -> usize {
    if number == 0 { 0 } else { 9 }
}
fn bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        key(field, LENGTH, out);
        varint::put(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }
}
fn bytes_length(bytes: &[u8]) -> usize {
    length_of(bytes.len())
}
/// Of a field with so many bytes.
fn length_of(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { 1 + varint::length(bytes as u64) + bytes }
}

/// Pieces done, and the one that is still written to.
#[derive(Default)]
struct Pieces {
    done: Vec<Bytes>,
    open: Vec<u8>,
}

impl Pieces {
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
}
