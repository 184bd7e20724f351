//! Messages from their chunks. No input, no output: a reader asks where the next bytes go.

use super::chunk::{Head, HeadError, Kind};
use bytes::{Bytes, BytesMut};

/// One control message may stand between the chunks of one data message.
const OPEN_MAX: usize = 2;

/// The messages of one stream that are not whole yet.
#[derive(Default)]
pub struct Assembly {
    open: Vec<(u32, BytesMut)>,
}

/// Why a stream's bytes are no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A chunk's head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// A message beyond the limit.
    #[error("a message is longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// Too many messages begun.
    #[error("more than two messages are open at once")]
    Interleaved,
    /// The stream's end within a message.
    #[error("the stream ends within a message")]
    Unfinished,
}

impl Assembly {
    /// Room for a chunk's bytes, at the end of its message. The length is judged before there is any.
    pub fn accept(&mut self, head: Head, bytes_max: usize) -> Result<&mut [u8], FrameError> {
        let length = head.length as usize;
        let at = self.open.iter().position(|(id, _)| *id == head.message);
        let before = at.map_or(0, |at| self.open[at].1.len());
        if before + length > bytes_max {
            return Err(FrameError::TooLong { max: bytes_max });
        }
        let at = match at {
            Some(at) => at,
            None if self.open.len() == OPEN_MAX => return Err(FrameError::Interleaved),
            None => {
                self.open.push((head.message, BytesMut::with_capacity(length)));
                self.open.len() - 1
            }
        };
        let body = &mut self.open[at].1;
        body.resize(before + length, 0);
        Ok(&mut body[before..])
    }

    /// The chunk's bytes are there: the message, if it is whole.
    pub fn filled(&mut self, head: Head) -> Option<Bytes> {
        let at = self.open.iter().position(|(id, _)| *id == head.message)?;
        (head.kind != Kind::More).then(|| self.open.swap_remove(at).1.freeze())
    }

    /// Whether nothing is begun.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(message: u32, kind: Kind, length: u32) -> Head {
        Head { message, kind, length }
    }
    fn put(assembly: &mut Assembly, head: Head, byte: u8) -> Result<Option<Bytes>, FrameError> {
        assembly.accept(head, 100)?.fill(byte);
        Ok(assembly.filled(head))
    }

    #[test]
    fn two_messages_grow_side_by_side_and_a_third_is_refused() {
        let mut a = Assembly::default();
        assert_eq!(put(&mut a, head(1, Kind::More, 2), 1), Ok(None));
        assert_eq!(put(&mut a, head(2, Kind::More, 1), 2), Ok(None));
        assert_eq!(put(&mut a, head(3, Kind::Last, 1), 3), Err(FrameError::Interleaved));
        assert_eq!(put(&mut a, head(2, Kind::Last, 1), 4), Ok(Some(Bytes::from_static(&[2, 4]))));
        assert!(!a.is_empty());
        assert_eq!(put(&mut a, head(1, Kind::Last, 0), 0), Ok(Some(Bytes::from_static(&[1, 1]))));
        assert!(a.is_empty());
    }

    #[test]
    fn a_message_beyond_the_limit_gets_no_room() {
        let mut a = Assembly::default();
        assert_eq!(put(&mut a, head(1, Kind::Last, 101), 0), Err(FrameError::TooLong { max: 100 }));
        assert!(a.is_empty(), "nothing was allocated for it");
        assert_eq!(put(&mut a, head(1, Kind::More, 100), 0), Ok(None));
        assert_eq!(put(&mut a, head(1, Kind::Last, 1), 0), Err(FrameError::TooLong { max: 100 }));
    }
}
