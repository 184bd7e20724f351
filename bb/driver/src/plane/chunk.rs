//! Messages are cut into chunks: `{message id u32, flags u8, length u32}`, little-endian, then that many bytes.

/// The most bytes of a message in one chunk: a control message waits for no more than this.
pub const CHUNK_BYTES_MAX: usize = 64 << 10;
/// The size of a chunk's head.
pub const HEAD_BYTES: usize = 9;

/// A chunk's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub message: u32,
    pub kind: Kind,
    pub length: u32,
}

/// What a chunk is, as its flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// More of the message follows.
    More = 0,
    /// The message's last chunk.
    Last = 1,
    /// The stream's orderly end, which tells it from a connection that was lost.
    Goodbye = 2,
    /// The last chunk of a Hello that is not the stream's first frame: the peer hosts more than before.
    Hello = 3,
}

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Flags that mean nothing.
    #[error("a chunk has the unknown flags {0:#04x}")]
    Flags(u8),
    /// More than a chunk may hold.
    #[error("a chunk of {0} bytes is longer than 64 KiB")]
    TooLong(u32),
    /// A chunk that brings nothing: a stream of those would keep a reader busy for ever.
    #[error("a chunk is empty and not its message's last")]
    Empty,
    /// Bytes behind the end.
    #[error("the end of the stream has a length")]
    LongGoodbye,
}

impl Head {
    pub const GOODBYE: Head = Head { message: 0, kind: Kind::Goodbye, length: 0 };

    pub fn encode(self) -> [u8; HEAD_BYTES] {
        let mut out = [0; HEAD_BYTES];
        out[..4].copy_from_slice(&self.message.to_le_bytes());
        out[4] = self.kind as u8;
        out[5..].copy_from_slice(&self.length.to_le_bytes());
        out
    }

    pub fn decode(bytes: [u8; HEAD_BYTES]) -> Result<Self, HeadError> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (message, length) = (number(0), number(5));
        let kind = match bytes[4] {
            0 => Kind::More,
            1 => Kind::Last,
            2 => Kind::Goodbye,
            3 => Kind::Hello,
            flags => return Err(HeadError::Flags(flags)),
        };
        match (kind, length) {
            (_, length) if length as usize > CHUNK_BYTES_MAX => Err(HeadError::TooLong(length)),
            (Kind::More, 0) => Err(HeadError::Empty),
            (Kind::Goodbye, 1..) => Err(HeadError::LongGoodbye),
            _ => Ok(Head { message, kind, length }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_a_bad_one_does_not() {
        let head = Head { message: 7, kind: Kind::Last, length: 65_536 };
        assert_eq!(Head::decode(head.encode()), Ok(head));
        assert_eq!(Head::decode(Head::GOODBYE.encode()), Ok(Head::GOODBYE));
        let refused = |head: Head| Head::decode(head.encode()).expect_err("refused");
        assert_eq!(refused(Head { length: 65_537, ..head }), HeadError::TooLong(65_537));
        assert_eq!(refused(Head { kind: Kind::More, length: 0, ..head }), HeadError::Empty);
        assert_eq!(refused(Head { length: 1, ..Head::GOODBYE }), HeadError::LongGoodbye);
        let mut flags = head.encode();
        flags[4] = 4;
        assert_eq!(Head::decode(flags), Err(HeadError::Flags(4)));
    }
}
