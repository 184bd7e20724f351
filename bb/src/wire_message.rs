//! A user's payload as protobuf: field `tag` holds the payload of that field's value, as bytes.

use bb_ir::codec;
use bb_ir::component::OpError;
use bb_ir::types::ValueType;
use bb_ir::value::Value;
use bytes::Buf;
use prost::encoding::{
    DecodeContext, WireType as Form, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

/// The message of these fields.
pub fn encode(fields: &[(u32, Value)]) -> Value {
    let mut out = Vec::new();
    for (tag, value) in fields {
        let (head, body) = codec::encode(value, &|_| Vec::new());
        encode_key(*tag, Form::LengthDelimited, &mut out);
        encode_varint((head.len() + body.len()) as u64, &mut out);
        out.extend_from_slice(&head);
        out.extend_from_slice(&body);
    }
    Value::Bytes(out.into())
}

/// The fields of a message, in the order of `fields`. Unknown ones are passed over; of doubles the last counts.
///
/// # Errors
/// Says what is malformed or missing.
pub fn decode(value: Value, fields: &[(u32, ValueType)]) -> Result<Vec<Value>, OpError> {
    let Value::Bytes(mut bytes) = value else {
        return Err(OpError::new(format!("`{value:?}` is not the bytes of a message")));
    };
    let malformed = |e: prost::DecodeError| OpError::new(format!("the message is malformed: {e}"));
    let mut found: Vec<Option<Value>> = vec![None; fields.len()];
    while bytes.has_remaining() {
        let (tag, form) = decode_key(&mut bytes).map_err(malformed)?;
        let at = fields.iter().position(|f| f.0 == tag).filter(|_| form == Form::LengthDelimited);
        let Some(at) = at else {
            skip_field(form, tag, &mut bytes, DecodeContext::default()).map_err(malformed)?;
            continue;
        };
        let length = decode_varint(&mut bytes).map_err(malformed)?;
        if length > bytes.remaining() as u64 {
            return Err(OpError::new(format!("field {tag} of the message ends too early")));
        }
        let payload = bytes.split_to(length as usize);
        let decoded = codec::decode(&fields[at].1, payload).map_err(|e| OpError::new(format!("field {tag}: {e}")))?;
        found[at] = Some(decoded.value);
    }
    found
        .into_iter()
        .zip(fields)
        .map(|(value, (tag, _))| value.ok_or_else(|| OpError::new(format!("field {tag} of the message is missing"))))
        .collect()
}
