//! Payloads on a wire.
//!
//! Tensor: u8 ONNX element type, u8 rank ≤ 8, 6 zero bytes, rank × u64 LE, elements LE row-major. Peer: u8 length,
//! multihash, then up to 4 addresses (u16 LE length, ≤ 256 B each). Sequence: u32 LE count, then per entry u32 LE
//! length and payload. Everything else is its bytes.

use crate::peer::PeerId;
use crate::types::{ElementKind, PEER_DENOTATION, ValueType};
use crate::value::{Dims, RawTensor, Value};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use smallvec::SmallVec;

/// The most addresses that travel with a peer.
pub const ADDRESSES_MAX: usize = 4;
/// The longest address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// The deepest nesting of sequences in a payload.
pub const DEPTH_MAX: usize = 16;

/// Why bytes are no payload of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the payload says it has.
    #[error("the payload ends too early")]
    Truncated,
    /// More bytes than the payload says it has.
    #[error("there are bytes behind the payload")]
    Trailing,
    /// The element type is not the declared one.
    #[error("the payload holds another element type than the program says")]
    Element,
    /// Rank, dimensions or their product are out of range, or do not fit the length.
    #[error("the dimensions do not fit the payload")]
    Shape,
    /// A boolean that is neither 0 nor 1, a string that is not UTF-8, a peer that is no multihash.
    #[error("the payload holds what its type does not allow")]
    Content,
    /// Sequences nested deeper than [`DEPTH_MAX`].
    #[error("the payload is nested too deep")]
    Depth,
}

/// A value of a payload, with the addresses that came along with its peers.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The value; large tensors are views into the bytes.
    pub value: Value,
    /// Addresses announced for peers in it.
    pub addresses: Vec<(PeerId, Bytes)>,
}

/// What stands before a payload's body: hardly ever more than a tensor's element type and two dimensions.
pub type Head = SmallVec<[u8; 24]>;
/// A payload to be sent: its head and its body, to be written one behind the other.
pub type Parts = (Head, Bytes);

/// The parts of a payload: a tensor's elements are shared, not copied.
pub fn encode(value: &Value, addresses_of: &dyn Fn(&PeerId) -> Vec<Bytes>) -> Parts {
    match value {
        Value::Tensor(t) if t.shape().is_empty() => {
            let mut head = tensor_header(t);
            head.extend_from_slice(t.data());
            (head, Bytes::new())
        }
        Value::Tensor(t) => (tensor_header(t), t.to_bytes()),
        Value::Bytes(b) => (Head::new(), b.clone()),
        other => {
            let mut out = BytesMut::new();
            encode_into(other, addresses_of, &mut out);
            (Head::new(), out.freeze())
        }
    }
}

fn tensor_header(t: &RawTensor) -> Head {
    let mut head = Head::new();
    head.extend_from_slice(&[t.element() as u8, t.shape().len() as u8, 0, 0, 0, 0, 0, 0]);
    t.shape().iter().for_each(|size| head.extend_from_slice(&size.to_le_bytes()));
    head
}

fn encode_into(value: &Value, addresses_of: &dyn Fn(&PeerId) -> Vec<Bytes>, out: &mut BytesMut) {
    match value {
        Value::Absent | Value::Trigger => {}
        Value::Tensor(t) => {
            out.put_slice(&tensor_header(t));
            out.put_slice(t.data());
        }
        Value::Bytes(b) => out.put_slice(b),
        Value::Peer(peer) => {
            out.put_u8(peer.as_bytes().len() as u8);
            out.put_slice(peer.as_bytes());
            for address in addresses_of(peer).iter().filter(|a| a.len() <= ADDRESS_BYTES_MAX).take(ADDRESSES_MAX) {
                out.put_u16_le(address.len() as u16);
                out.put_slice(address);
            }
        }
        Value::Seq(values) => {
            out.put_u32_le(values.len() as u32);
            for value in values.iter() {
                let mut entry = BytesMut::new();
                encode_into(value, addresses_of, &mut entry);
                out.put_u32_le(entry.len() as u32);
                out.put_slice(&entry);
            }
        }
    }
}

/// Small payloads are copied: a view would keep all that came with them in memory.
const COPIED_BYTES_MAX: usize = 1 << 10;

/// Reads a payload as a value of type `ty`. Of no more than a kilobyte the value is a copy, of more it is a view.
pub fn decode(ty: &ValueType, payload: Bytes) -> Result<Decoded, DecodeError> {
    let mut addresses = Vec::new();
    let payload = match ty {
        // What is read of them is copied in any case.
        ValueType::Duration => payload,
        ValueType::Tensor { .. } if payload.len() <= SCALAR_BYTES_MAX => payload,
        _ if payload.len() <= COPIED_BYTES_MAX => Bytes::copy_from_slice(&payload),
        _ => payload,
    };
    let value = decode_at(ty, payload, &mut addresses, 0)?;
    Ok(Decoded { value, addresses })
}

/// A tensor of no dimensions takes no more, and lies in its value; one of more dimensions takes more.
const SCALAR_BYTES_MAX: usize = 8 + 8;

fn decode_at(
    ty: &ValueType,
    bytes: Bytes,
    addresses: &mut Vec<(PeerId, Bytes)>,
    depth: usize,
) -> Result<Value, DecodeError> {
    if depth > DEPTH_MAX {
        return Err(DecodeError::Depth);
    }
    match ty {
        ValueType::Trigger => bytes.is_empty().then_some(Value::Trigger).ok_or(DecodeError::Trailing),
        ValueType::Tensor { element, .. } => tensor(*element, bytes).map(Value::Tensor),
        ValueType::Duration => {
            let tensor = tensor(Some(ElementKind::I64), bytes)?;
            if tensor.shape().is_empty() { Ok(Value::Tensor(tensor)) } else { Err(DecodeError::Shape) }
        }
        ValueType::Denoted(d) if d == PEER_DENOTATION => peer(bytes, addresses).map(Value::Peer),
        ValueType::Denoted(d) if d == crate::types::STRING_DENOTATION => {
            std::str::from_utf8(&bytes).map_err(|_| DecodeError::Content)?;
            Ok(Value::Bytes(bytes))
        }
        ValueType::Denoted(_) => Ok(Value::Bytes(bytes)),
        ValueType::Seq(of) => {
            let mut rest = bytes;
            let count = u32_le(&mut rest)?;
            // Every entry has a length of its own, so the count is bounded by the bytes before anything is allocated.
            if count as usize > rest.len() / 4 {
                return Err(DecodeError::Truncated);
            }
            let mut values = Vec::with_capacity(count as usize);
            for _ in 0..count {
                let length = u32_le(&mut rest)? as usize;
                if length > rest.len() {
                    return Err(DecodeError::Truncated);
                }
                values.push(decode_at(of, rest.split_to(length), addresses, depth + 1)?);
            }
            if rest.is_empty() { Ok(Value::Seq(values.into())) } else { Err(DecodeError::Trailing) }
        }
    }
}

fn u32_le(bytes: &mut Bytes) -> Result<u32, DecodeError> {
    if bytes.len() < 4 {
        return Err(DecodeError::Truncated);
    }
    let four = bytes.split_to(4);
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn tensor(element: Option<ElementKind>, mut bytes: Bytes) -> Result<RawTensor, DecodeError> {
    let (head, rest) = bytes.split_first_chunk::<8>().ok_or(DecodeError::Truncated)?;
    let kind = ElementKind::from_onnx(i32::from(head[0])).ok_or(DecodeError::Element)?;
    if element.is_some_and(|e| e != kind) {
        return Err(DecodeError::Element);
    }
    let rank = usize::from(head[1]);
    if rank > Dims::RANK_MAX || u64::from_le_bytes(*head) >> 16 != 0 {
        return Err(DecodeError::Shape);
    }
    let (sizes, elements) = rest.split_at_checked(rank * 8).ok_or(DecodeError::Truncated)?;
    let mut dims = [0; Dims::RANK_MAX];
    for (dim, size) in dims.iter_mut().zip(sizes.as_chunks().0) {
        *dim = u64::from_le_bytes(*size);
    }
    let dims = Dims::new(&dims[..rank]).ok_or(DecodeError::Shape)?;
    match dims.elements().checked_mul(kind.size() as u64) {
        None => return Err(DecodeError::Shape),
        Some(n) if n > elements.len() as u64 => return Err(DecodeError::Truncated),
        Some(n) if n < elements.len() as u64 => return Err(DecodeError::Trailing),
        Some(_) => {}
    }
    bytes.advance(8 + rank * 8);
    let bytes = if bytes.is_empty() { Bytes::new() } else { bytes };
    RawTensor::new(kind, dims, bytes).ok_or(DecodeError::Content)
}

fn peer(mut bytes: Bytes, addresses: &mut Vec<(PeerId, Bytes)>) -> Result<PeerId, DecodeError> {
    let length = usize::from(*bytes.first().ok_or(DecodeError::Truncated)?);
    if bytes.len() < 1 + length {
        return Err(DecodeError::Truncated);
    }
    let id = bytes.split_to(1 + length).slice(1..);
    let peer = PeerId::from_bytes(&id).ok_or(DecodeError::Content)?;
    for _ in 0..ADDRESSES_MAX {
        if bytes.is_empty() {
            return Ok(peer);
        }
        if bytes.len() < 2 {
            return Err(DecodeError::Truncated);
        }
        let length = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        if length > ADDRESS_BYTES_MAX {
            return Err(DecodeError::Content);
        }
        if bytes.len() < 2 + length {
            return Err(DecodeError::Truncated);
        }
        addresses.push((peer.clone(), Bytes::copy_from_slice(&bytes.split_to(2 + length)[2..])));
    }
    if bytes.is_empty() { Ok(peer) } else { Err(DecodeError::Trailing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(value: &Value) -> Bytes {
        let (a, b) = encode(value, &|_| vec![Bytes::from_static(b"addr")]);
        [&a[..], &b].concat().into()
    }

    #[test]
    fn payloads_come_back_and_no_prefix_of_one_is_a_payload() {
        let peer = PeerId::from_bytes(vec![0, 36, 8, 1]).expect("short");
        let f32s = ValueType::tensor(ElementKind::F32);
        for (ty, value) in [
            (f32s.clone(), Value::Tensor(RawTensor::from_vec(&[2, 3], vec![1.0f32; 6]).expect("six"))),
            (ValueType::scalar(ElementKind::Bool), Value::scalar(true)),
            (ValueType::Duration, Value::scalar(5i64)),
            (ValueType::peer(), Value::Peer(peer.clone())),
            (
                ValueType::Seq(Box::new(ValueType::peer())),
                Value::Seq([Value::Peer(peer.clone()), Value::Peer(peer)].into()),
            ),
            (ValueType::Seq(Box::new(f32s)), Value::Seq([Value::scalar(1.0f32)].into())),
        ] {
            let bytes = whole(&value);
            assert_eq!(decode(&ty, bytes.clone()).expect("just encoded").value, value);
            for end in 0..bytes.len() {
                // A peer without its addresses is a peer.
                if let Ok(short) = decode(&ty, bytes.slice(..end)) {
                    assert_eq!((ty.clone(), short.value), (ValueType::peer(), value.clone()));
                }
            }
            let longer: Bytes = [&bytes[..], &[0, 0, 0]].concat().into();
            assert!(decode(&ty, longer).is_err());
        }
    }

    #[test]
    fn what_is_small_does_not_keep_the_frame_that_it_came_in() {
        let bytes = |n: u64| RawTensor::from_vec(&[n], vec![1u8; n as usize]).map(Value::Tensor).expect("as many");
        let tensor = ValueType::tensor(ElementKind::U8);
        let text = |n: usize| Value::Bytes(vec![b'a'; n].into());
        let string = ValueType::Denoted(crate::types::STRING_DENOTATION.into());
        let seq = |of: Value| Value::Seq([of.clone(), of].into());
        let seqs = |of: &ValueType| ValueType::Seq(Box::new(of.clone()));
        for (ty, value, is_view) in [
            (tensor.clone(), bytes(0), false),
            (tensor.clone(), bytes(1), false),
            (tensor.clone(), bytes(1000), false),
            (tensor.clone(), bytes(2000), true),
            (ValueType::scalar(ElementKind::U8), Value::scalar(7u8), false),
            (string.clone(), text(1), false),
            (string, text(2000), true),
            (seqs(&tensor), seq(bytes(10)), false),
            (seqs(&tensor), seq(bytes(2000)), true),
        ] {
            let payload = whole(&value);
            let frame: Bytes = [&payload[..], &[0; 5000]].concat().into();
            let decoded = decode(&ty, frame.slice(..payload.len())).expect("just encoded");
            assert_eq!(decoded.value, value);
            assert_eq!(frame.is_unique(), !is_view, "{ty:?} of {} bytes", payload.len());
        }
    }
}
