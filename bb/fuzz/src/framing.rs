//! Messages out of a stream's chunks.

use super::memory;
use bb_driver::framing;
use bytes::Bytes;

/// The longest message here: short enough for inputs to go beyond it.
const MESSAGE_BYTES_MAX: usize = 100_000;
/// What a reader holds whatever comes: its buffer, its list of open messages.
const READER_BYTES: u64 = 17 << 10;

/// A stream.
pub fn frames(bytes: &[u8]) {
    let (mut messages, mut body) = (Vec::new(), 0);
    _ = memory::within(memory::decoder_max(bytes.len()) + READER_BYTES, || {
        framing::read(bytes, MESSAGE_BYTES_MAX, &mut |message: Bytes| {
            assert!(message.len() <= MESSAGE_BYTES_MAX);
            body += message.len() + framing::HEAD_BYTES;
        })
    });
    assert!(body <= bytes.len(), "{body} bytes out of {}", bytes.len());
    _ = framing::read(bytes, MESSAGE_BYTES_MAX, &mut |message| messages.push(message));
    messages.truncate(1000);
    if messages.is_empty() {
        return;
    }
    // The first stands for Hello. Behind it, what carries nothing is control and goes before the rest.
    let mut again = Vec::new();
    let written = framing::write(&messages);
    let end = framing::read(&written, MESSAGE_BYTES_MAX, &mut |message| again.push(message));
    assert_eq!(end, Ok(()));
    messages[1..].sort_by_key(|m| !m.is_empty());
    assert_eq!(again, messages);
}

/// A chunk, right or wrong.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub message: u32,
    pub flags: u8,
    /// What the head says, where it is not the truth.
    pub length: Option<u32>,
    pub body: Vec<u8>,
}

impl Chunk {
    /// Head and body.
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.length.unwrap_or(self.body.len() as u32);
        [&self.message.to_le_bytes()[..], &[self.flags], &length.to_le_bytes(), &self.body].concat()
    }
}

/// Bytes as chunks, as far as they are; what is left is the body of one.
pub fn chunks(mut bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<{ framing::HEAD_BYTES }>() {
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (body, rest) = rest.split_at(rest.len().min(number(5) as usize));
        let length = (body.len() != number(5) as usize).then(|| number(5));
        chunks.push(Chunk { message: number(0), flags: head[4], length, body: body.to_vec() });
        bytes = rest;
    }
    chunks
}
