//! The reader of one stream.

use super::assembly::{Assembly, FrameError};
use super::chunk::{HEAD_BYTES, Head, Kind};
use crate::traffic::Counters;
use bb_engine::{PeerId, WireLimits};
use bytes::Bytes;
use futures::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use libp2p::swarm::ConnectionId;
use std::io;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Heads and small messages are read together; larger chunks go straight to where they belong.
const BUFFER_BYTES: usize = 16 << 10;
/// Messages of no more bytes are taken out together, as views into one copy. What outlives it is copied again: see
/// `bb_ir::codec::decode`.
const SMALL_BYTES_MAX: usize = 1 << 10;
/// How many frames are handed on together.
const FRAMES_AT_ONCE: usize = 256;
/// How much of all peers' frames may wait for the engine.
const WAITING_BYTES_MAX: usize = 256 << 20;
/// In what units that is counted.
const UNIT_BYTES: usize = 1 << 10;

/// What a reader tells the node.
pub struct Incoming {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub what: What,
    /// Gives the room back when the node has taken it.
    _room: Option<OwnedSemaphorePermit>,
}

/// What came.
pub enum What {
    /// The first frame, or a further one of that kind.
    Hello(Bytes),
    /// Others, in their order.
    Frames(Vec<Bytes>),
    /// Nothing more will.
    Ended(End),
}

/// A whole message.
pub struct Message {
    pub bytes: Bytes,
    /// Whether it says that it is a Hello; the stream's first is one that does not.
    pub hello: bool,
}

/// How a stream ended.
#[derive(Debug)]
pub enum End {
    /// The peer said goodbye: everything it wrote has come.
    Goodbye,
    /// The connection was lost.
    Cut,
    /// The peer broke the rules.
    Refused(FrameError),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Cut
    }
}
impl From<FrameError> for End {
    fn from(error: FrameError) -> Self {
        End::Refused(error)
    }
}

/// Where readers put what they read. It is bounded in messages and bytes: where the node is slow, peers are slowed down.
#[derive(Clone)]
pub struct Inflow {
    out: mpsc::Sender<Incoming>,
    room: Arc<Semaphore>,
}

impl Inflow {
    /// With room for so many messages.
    pub fn new(messages_max: usize) -> (Self, mpsc::Receiver<Incoming>) {
        let (out, end) = mpsc::channel(messages_max);
        (Inflow { out, room: Arc::new(Semaphore::new(WAITING_BYTES_MAX / UNIT_BYTES)) }, end)
    }

    /// Whether somebody still listens.
    async fn put(&self, peer: &PeerId, connection: ConnectionId, what: What) -> bool {
        let bytes = match &what {
            What::Hello(bytes) => bytes.len(),
            What::Frames(frames) => frames.iter().map(|f| f.len() + size_of::<Bytes>()).sum(),
            What::Ended(_) => 0,
        };
        let units = bytes.min(WAITING_BYTES_MAX) / UNIT_BYTES;
        let room = match units {
            0 => None,
            _ => self.room.clone().acquire_many_owned(units as u32).await.ok(),
        };
        self.out.send(Incoming { peer: peer.clone(), connection, what, _room: room }).await.is_ok()
    }
}

/// Reads messages until the stream ends.
pub async fn read<R: AsyncRead + Unpin>(
    stream: R,
    peer: PeerId,
    connection: ConnectionId,
    limits: WireLimits,
    inflow: Inflow,
    counters: Counters,
) {
    let mut reader = Reader::new(stream, counters);
    let (mut bytes_max, mut first) = (limits.hello_bytes_max, true);
    let mut frames = Vec::new();
    loop {
        // What has come together is handed on together.
        let message = match () {
            () if !first && reader.small(bytes_max, &mut frames) => None,
            () => match reader.message(bytes_max).await {
                Ok(Message { bytes, hello: false }) if !first => {
                    frames.push(bytes);
                    None
                }
                other => Some(other),
            },
        };
        if message.is_none() && frames.len() < FRAMES_AT_ONCE && reader.holds_another() {
            continue;
        }
        if !frames.is_empty() && !inflow.put(&peer, connection, What::Frames(std::mem::take(&mut frames))).await {
            return;
        }
        let (what, over) = match message {
            None => continue,
            Some(Ok(Message { bytes, .. })) => (What::Hello(bytes), false),
            Some(Err(end)) => (What::Ended(end), true),
        };
        if !inflow.put(&peer, connection, what).await || over {
            return;
        }
        (bytes_max, first) = (limits.frame_bytes_max, false);
    }
}

/// Takes messages out of a stream.
pub struct Reader<R> {
    stream: BufReader<R>,
    assembly: Assembly,
    counters: Counters,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(stream: R, counters: Counters) -> Self {
        Reader { stream: BufReader::with_capacity(BUFFER_BYTES, stream), assembly: Assembly::default(), counters }
    }

    /// The next whole message, or how the stream ended.
    pub async fn message(&mut self, bytes_max: usize) -> Result<Message, End> {
        loop {
            let mut head = [0; HEAD_BYTES];
            self.stream.read_exact(&mut head).await?;
            self.counters.framing_received(HEAD_BYTES);
            let head = Head::decode(head).map_err(FrameError::from)?;
            if head.kind == Kind::Goodbye {
                return Err(if self.assembly.is_empty() { End::Goodbye } else { FrameError::Unfinished.into() });
            }
            let room = self.assembly.accept(head, bytes_max)?;
            self.stream.read_exact(room).await?;
            if let Some(bytes) = self.assembly.filled(head) {
                self.counters.received(bytes.len());
                return Ok(Message { bytes, hello: head.kind == Kind::Hello });
            }
        }
    }

    /// Puts small messages that were read whole behind `frames`; whether there were any.
    fn small(&mut self, bytes_max: usize, frames: &mut Vec<Bytes>) -> bool {
        if !self.assembly.is_empty() {
            return false;
        }
        let (buffer, bytes_max) = (self.stream.buffer(), bytes_max.min(SMALL_BYTES_MAX));
        let (before, mut end) = (frames.len(), 0);
        let mut ends = Vec::new();
        while before + ends.len() < FRAMES_AT_ONCE
            && let Some((head, rest)) = buffer[end..].split_first_chunk::<HEAD_BYTES>()
            && let Ok(Head { kind: Kind::Last, length, .. }) = Head::decode(*head)
            && length as usize <= rest.len().min(bytes_max)
        {
            end += HEAD_BYTES + length as usize;
            ends.push((end - length as usize, end));
        }
        let block = Bytes::copy_from_slice(&buffer[..end]);
        self.stream.consume_unpin(end);
        self.counters.framing_received(ends.len() * HEAD_BYTES);
        ends.iter().for_each(|(start, end)| self.counters.received(end - start));
        frames.extend(ends.iter().map(|(start, end)| block.slice(*start..*end)));
        !ends.is_empty()
    }

    /// Whether what was read from the stream holds the rest of a message: the next does not have to wait.
    fn holds_another(&self) -> bool {
        let buffer = self.stream.buffer();
        let head = buffer.first_chunk::<HEAD_BYTES>().and_then(|head| Head::decode(*head).ok());
        head.is_some_and(|h| h.kind != Kind::More && buffer.len() - HEAD_BYTES >= h.length as usize)
    }
}
