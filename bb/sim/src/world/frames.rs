//! Messages as the bytes that travel.

use bb::engine::{Outgoing, Time};
use bytes::{Bytes, BytesMut};

/// Memory is taken in pieces of this size: about so much stays as long as anything in it does.
const BLOCK_BYTES: usize = 16 << 10;

/// Writes frames: small ones lie behind each other.
pub(super) struct Frames {
    written: Vec<u8>,
    block: BytesMut,
}
impl Default for Frames {
    fn default() -> Self {
        Frames { written: Vec::new(), block: BytesMut::with_capacity(BLOCK_BYTES) }
    }
}

impl Frames {
    /// The frame of a message that leaves now.
    pub fn write(&mut self, message: &Outgoing, now: Time) -> Bytes {
        self.written.clear();
        if message.encode_behind(now, &mut self.written) { self.small() } else { joined(&message.encode(now)) }
    }
    fn small(&mut self) -> Bytes {
        let bytes = self.written.len();
        if self.block.capacity() < bytes {
            self.block = BytesMut::with_capacity(bytes.max(BLOCK_BYTES));
        }
        self.block.extend_from_slice(&self.written);
        self.block.split().freeze()
    }
}

/// The pieces of a frame as one.
fn joined(pieces: &[Bytes]) -> Bytes {
    if let [one] = pieces {
        return one.clone();
    }
    let mut frame = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    pieces.iter().for_each(|piece| frame.extend_from_slice(piece));
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_bytes_while_blocks_come_and_go() {
        let mut frames = Frames::default();
        let sizes = [1, 7_000, 9_000, 600, 40_000, 3];
        let all: Vec<Bytes> = (1u8..)
            .zip(sizes)
            .map(|(byte, size)| {
                frames.written = vec![byte; size];
                frames.small()
            })
            .collect();
        for ((byte, size), frame) in (1u8..).zip(sizes).zip(all) {
            assert_eq!(frame, vec![byte; size]);
        }
    }
}
