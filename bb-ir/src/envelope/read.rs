//! Frames as envelopes, in one walk over their bytes.
//!
//! What is allocated follows from the counts of [`crate::limits`] alone: a vector of fills, one of reports, and the
//! texts of failures, none longer than the frame.

use super::{Envelope, ExecutionName, Fill, FillContent, Refusal, RttReport};
use crate::failure::FailureCode;
use crate::fields::Fields;
use crate::limits::{self, WireLimits};
use crate::peer::PeerId;
use crate::scan::ScanError;
use crate::site::SiteAddress;
use crate::version::WIRE_VERSION;
use bytes::Bytes;

/// Reads a frame.
pub fn decode(frame: Bytes, limits: &WireLimits) -> Result<Envelope, Refusal> {
    let mut envelope = Envelope::bare(0, 0);
    decode_into(&frame, limits, &mut envelope)?;
    Ok(envelope)
}

/// The same, over what stands in `envelope`: who reads many moves none of them about. Of a frame that is refused it holds
/// a part.
pub fn decode_into(frame: &Bytes, limits: &WireLimits, envelope: &mut Envelope) -> Result<(), Refusal> {
    let bytes = frame.len();
    if bytes > limits.frame_bytes_max {
        return Err(Refusal::FrameTooLarge { bytes, max: limits.frame_bytes_max });
    }
    let (mut version, mut payloads) = (0, 0);
    envelope.clear();
    let mut fields = Fields::of("WireEnvelope", frame);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => version = fields.varint(&field, "version")? as u32,
            2 => envelope.seq = fields.varint(&field, "seq")?,
            3 => envelope.ack = fields.varint(&field, "ack")?,
            4 => envelope.execution = Some(execution(fields.bytes(&field, "execution", usize::MAX)?)?),
            5 => envelope.lane = Some(fields.varint(&field, "lane")? as u32),
            6 => envelope.remaining_ns = fields.varint(&field, "remaining_ns")?.min(limits::REMAINING_NS_MAX),
            7 => {
                let content = fields.message(&field)?;
                let index = envelope.fills.len();
                at_most(index, "fills", limits::FILLS_MAX)?;
                envelope.fills.push(fill(index, content, frame, limits, &mut payloads)?);
            }
            8 => {
                let content = fields.message(&field)?;
                at_most(envelope.rtt.len(), "rtt", limits::RTT_REPORTS_MAX)?;
                envelope.rtt.push(report(content)?);
            }
            9 => envelope.trace = frame.slice_ref(fields.bytes(&field, "trace", limits::TRACE_BYTES_MAX)?),
            _ => {}
        }
    }
    let header = bytes - payloads;
    if header > limits.header_bytes_max {
        return Err(Refusal::HeaderTooLarge { bytes: header, max: limits.header_bytes_max });
    }
    check(version, envelope)
}

fn at_most(before: usize, field: &'static str, max: usize) -> Result<(), ScanError> {
    if before == max { Err(ScanError::TooMany { message: "WireEnvelope", field, max }) } else { Ok(()) }
}

fn check(version: u32, envelope: &Envelope) -> Result<(), Refusal> {
    if version != WIRE_VERSION {
        return Err(Refusal::Version(version));
    }
    if let Some(lane) = envelope.lane.filter(|lane| *lane >= limits::LANES_MAX) {
        return Err(Refusal::Lane(lane));
    }
    if !envelope.fills.is_empty() {
        if envelope.execution.is_none() {
            return Err(Refusal::NoExecution);
        }
        if envelope.seq == 0 {
            return Err(Refusal::NoSequenceNumber);
        }
    }
    let fails = |fill: &Fill| matches!(fill.content, FillContent::Failure { .. });
    if envelope.remaining_ns == 0 && !envelope.fills.iter().all(fails) {
        return Err(Refusal::NoTimeLeft);
    }
    Ok(())
}

fn execution(bytes: &[u8]) -> Result<ExecutionName, ScanError> {
    let mut name = ExecutionName { origin: None, epoch: 0, counter: 0 };
    let mut fields = Fields::of("Execution", bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            // Empty = the sender.
            1 => name.origin = PeerId::from_bytes(fields.bytes(&field, "origin", PeerId::BYTES_MAX)?),
            2 => name.epoch = fields.fixed64(&field, "epoch")?,
            3 => name.counter = fields.varint(&field, "counter")?,
            _ => {}
        }
    }
    Ok(name)
}

fn fill(index: usize, bytes: &[u8], frame: &Bytes, limits: &WireLimits, payloads: &mut usize) -> Result<Fill, Refusal> {
    let (mut suffix, mut payload, mut trigger, mut type_hash, mut failed) = (&[][..], &[][..], false, 0, None);
    let mut fields = Fields::of("SlotFill", bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => suffix = fields.bytes(&field, "dest_suffix", limits::DEST_SUFFIX_BYTES_MAX)?,
            2 => payload = fields.bytes(&field, "payload", usize::MAX)?,
            3 => trigger = fields.varint(&field, "trigger_only")? != 0,
            4 => type_hash = fields.fixed64(&field, "type_hash")?,
            5 => failed = Some(failure(fields.bytes(&field, "failure", usize::MAX)?)?),
            _ => {}
        }
    }
    *payloads += payload.len();
    let address = SiteAddress::from_segment(suffix).ok_or(Refusal::Address { fill: index })?;
    let bytes = payload.len();
    if bytes > limits.payload_bytes_max {
        return Err(Refusal::PayloadTooLarge { fill: index, bytes, max: limits.payload_bytes_max });
    }
    let content = match (trigger, failed) {
        (false, None) => FillContent::Payload { bytes: frame.slice_ref(payload), type_hash },
        (true, None) if bytes == 0 => FillContent::Trigger { type_hash },
        (false, Some((code, message))) if bytes == 0 => FillContent::Failure {
            code: FailureCode::from_number(code).ok_or(Refusal::UnknownFailureCode { fill: index, code })?,
            message,
        },
        _ => return Err(Refusal::Ambiguous { fill: index }),
    };
    Ok(Fill { address, content })
}

fn failure(bytes: &[u8]) -> Result<(u32, String), Refusal> {
    let (mut code, mut message) = (0, "");
    let mut fields = Fields::of("Failure", bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => code = fields.varint(&field, "code")? as u32,
            2 => {
                let text = fields.bytes(&field, "message", limits::FAILURE_BYTES_MAX)?;
                message = std::str::from_utf8(text).map_err(|_| Refusal::Text)?;
            }
            _ => {}
        }
    }
    Ok((code, message.to_owned()))
}

fn report(bytes: &[u8]) -> Result<RttReport, ScanError> {
    let mut report = RttReport { wire_id: 0, srtt_ns: 0, rttvar_ns: 0, samples: 0 };
    let mut fields = Fields::of("EdgeRttReport", bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => report.wire_id = fields.varint(&field, "wire_id")?,
            2 => report.srtt_ns = fields.varint(&field, "srtt_ns")?,
            3 => report.rttvar_ns = fields.varint(&field, "rttvar_ns")?,
            4 => report.samples = fields.varint(&field, "samples")? as u32,
            _ => {}
        }
    }
    Ok(report)
}
