//! Envelopes, Hellos and payloads: what is decoded keeps the bound on memory, and comes back when it is written again.

use super::memory;
use bb::ir::codec::{self, Decoded};
use bb::ir::envelope::{self, Envelope};
use bb::ir::hello;
use bb::ir::limits::WireLimits;
use bb::ir::peer::PeerId;
use bb::ir::types::{BYTES_DENOTATION, ElementKind, STRING_DENOTATION, ValueType};
use bytes::Bytes;

/// A frame.
pub fn envelope(bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    let limits = WireLimits::default();
    let decoded = memory::within(memory::decoder_max(bytes.len()), || envelope::decode(frame, &limits));
    if let Ok(decoded) = decoded {
        let again = envelope::decode(written(decoded.clone()), &limits);
        assert_eq!(again, Ok(decoded));
    }
}

/// An envelope's bytes.
pub fn written(envelope: Envelope) -> Bytes {
    envelope::encode(&envelope.to_be_sent()).concat().into()
}

/// A connection's first frame.
pub fn hello(bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    let limits = WireLimits::default();
    let decoded = memory::within(memory::decoder_max(bytes.len()), || hello::decode(frame, &limits));
    if let Ok(decoded) = decoded {
        assert_eq!(hello::decode(hello::encode(&decoded), &limits), Ok(decoded));
    }
}

/// A payload, behind a byte that says of which type.
pub fn payload(bytes: &[u8]) {
    let Some((ty, payload)) = bytes.split_first() else { return };
    let ty = payload_type(*ty);
    let payload = Bytes::copy_from_slice(payload);
    let read = |payload: Bytes| memory::within(memory::decoder_max(payload.len()), || codec::decode(&ty, payload));
    let Ok(Decoded { value, addresses }) = read(payload) else { return };
    let of = |peer: &PeerId| addresses.iter().filter(|(p, _)| p == peer).map(|(_, a)| a.clone()).collect();
    let again = read([&codec::encode(&value, &of).0[..], &codec::encode(&value, &of).1[..]].concat().into());
    // A peer that stands twice is written with the addresses of both.
    assert_eq!(again.map(|d| d.value), Ok(value));
}

/// The types that payloads are of.
pub fn payload_type(byte: u8) -> ValueType {
    let one = match byte % 16 {
        n @ 0..=10 => ValueType::tensor(ElementKind::ALL[usize::from(n)]),
        11 => ValueType::peer(),
        12 => ValueType::Denoted(STRING_DENOTATION.into()),
        13 => ValueType::Denoted(BYTES_DENOTATION.into()),
        14 => ValueType::Trigger,
        _ => ValueType::Duration,
    };
    (0..byte / 16 % 4).fold(one, |ty, _| ValueType::Seq(Box::new(ty)))
}
