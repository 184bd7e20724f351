//! Messages are cut into chunks: `{message id u32, flags u8, length u32}`, little-endian, then that many bytes.

/// The most bytes of a message in one chunk: a control message waits for no more than this.
pub const CHUNK_BYTES_MAX: usize = 64 << 10;
/// The size of a chunk's head.
pub const HEAD_BYTES: usize = 9;

/// The message's last chunk.
const LAST: u8 = 1;

/// A chunk's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub message: u32,
    pub last: bool,
    pub length: u32,
}

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("a chunk has unknown flags")]
    Flags,
    #[error("a chunk is longer than 64 KiB")]
    TooLong,
}

impl Head {
    pub fn encode(self) -> [u8; HEAD_BYTES] {
        let mut out = [0; HEAD_BYTES];
        out[..4].copy_from_slice(&self.message.to_le_bytes());
        out[4] = if self.last { LAST } else { 0 };
        out[5..].copy_from_slice(&self.length.to_le_bytes());
        out
    }

    pub fn decode(bytes: [u8; HEAD_BYTES]) -> Result<Self, HeadError> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (message, length) = (number(0), number(5));
        if bytes[4] & !LAST != 0 {
            return Err(HeadError::Flags);
        }
        if length as usize > CHUNK_BYTES_MAX {
            return Err(HeadError::TooLong);
        }
        Ok(Head { message, last: bytes[4] & LAST != 0, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_a_bad_one_does_not() {
        let head = Head { message: 7, last: true, length: 65_536 };
        assert_eq!(Head::decode(head.encode()), Ok(head));
        let too_long = Head { length: 65_537, ..head }.encode();
        assert_eq!(Head::decode(too_long), Err(HeadError::TooLong));
        let mut flags = head.encode();
        flags[4] = 2;
        assert_eq!(Head::decode(flags), Err(HeadError::Flags));
    }
}
