//! A stream's bytes without a network or a task: what fuzzing goes in by.

use super::assembly::FrameError;
pub use super::chunk::HEAD_BYTES;
use super::link::{Link, Message};
use super::reader::{End, Reader};
use super::writer::write as write_stream;
use crate::clock::Clock;
use crate::traffic::Counters;
use bb_engine::{SendId, Time};
use bytes::Bytes;
use futures::executor::block_on;
use futures::io::Cursor;
use tokio::sync::mpsc;

/// Gives every whole message of a stream to `take`, and says how the stream ends: `Ok` with a goodbye, `Err(None)` where it
/// is cut.
///
/// # Errors
/// Why there are no more messages.
pub fn read(stream: &[u8], bytes_max: usize, take: &mut dyn FnMut(Bytes)) -> Result<(), Option<FrameError>> {
    let mut reader = Reader::new(stream, Counters::default());
    loop {
        match block_on(reader.message(bytes_max)) {
            Ok(message) => take(message.bytes),
            Err(End::Goodbye) => return Ok(()),
            Err(End::Cut) => return Err(None),
            Err(End::Refused(error)) => return Err(Some(error)),
        }
    }
}

/// The stream of these messages, the first of which is Hello. Those without bytes are control and go before the rest.
///
/// # Panics
/// Where there is no message, or more than a queue takes.
pub fn write(messages: &[Bytes]) -> Vec<u8> {
    let (hello, rest) = messages.split_first().expect("there is a Hello");
    let (link, queues) = Link::new(hello.clone());
    for message in rest {
        link.send(Whole(message.clone())).expect("a queue takes them");
    }
    drop(link);
    let (lost, _) = mpsc::unbounded_channel();
    let mut stream = Vec::new();
    block_on(write_stream(Cursor::new(&mut stream), queues, lost, Clock::start(), Counters::default()))
        .expect("memory takes it");
    stream
}

struct Whole(Bytes);
impl Message for Whole {
    fn id(&self) -> SendId {
        SendId { peer: 0, seq: 0 }
    }
    fn payload_bytes(&self) -> usize {
        self.0.len()
    }
    fn is_expired(&self, _: Time) -> bool {
        false
    }
    fn encode(&self, _: Time) -> Vec<Bytes> {
        vec![self.0.clone()]
    }
    fn encode_behind(&self, _: Time, out: &mut Vec<u8>) -> bool {
        let few = self.0.len() <= 1024;
        if few {
            out.extend_from_slice(&self.0);
        }
        few
    }
}
