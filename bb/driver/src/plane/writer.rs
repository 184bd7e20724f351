//! The writer of one stream.

use super::chunk::{CHUNK_BYTES_MAX, HEAD_BYTES, Head, Kind};
use super::link::{Lost, Message, Next, Queues};
use crate::clock::Clock;
use crate::traffic::Counters;
use bb_engine::{Refusal, Time};
use bytes::{Buf, Bytes};
use futures::io::{AsyncWrite, AsyncWriteExt};
use std::io;
use tokio::sync::mpsc;

/// Small messages are gathered up to the size of a Yamux frame; larger pieces are handed on as they lie.
const BUFFER_BYTES: usize = 16 << 10;
/// A chunk of no more bytes fills, with its head, whole frames of Yamux's.
const WRITTEN_BYTES_MAX: usize = CHUNK_BYTES_MAX - HEAD_BYTES;
/// How many messages are encoded at one time of the clock.
const MESSAGES_PER_TIME: u32 = 64;

/// Writes Hello, and again whenever there is a new one, and what is queued, until the queues' other end is gone; then says
/// goodbye. What has expired, and what is left where the stream fails, is reported lost. The stream is flushed when nothing
/// waits: batches under load, no delay when idle.
pub async fn write<W: AsyncWrite + Unpin, M: Message>(
    stream: W,
    mut queues: Queues<M>,
    lost: mpsc::UnboundedSender<Lost>,
    clock: Clock,
    counters: Counters,
) -> io::Result<()> {
    let (gathered, now) = (Vec::with_capacity(2 * BUFFER_BYTES), clock.now());
    let mut writer = Writer { stream, gathered, greeted: false, next: 0, lost, clock, now, counters };
    let written = writer.all(&mut queues).await;
    for id in queues.drain() {
        writer.lost(Lost { id, reason: Refusal::PeerLost });
    }
    written
}

struct Writer<W> {
    stream: W,
    /// What is to be written before anything else.
    gathered: Vec<u8>,
    /// Whether the first Hello has gone out.
    greeted: bool,
    /// The number of the last message.
    next: u32,
    lost: mpsc::UnboundedSender<Lost>,
    clock: Clock,
    now: Time,
    counters: Counters,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn all<M: Message>(&mut self, queues: &mut Queues<M>) -> io::Result<()> {
        while let Some(next) = queues.next().await {
            match next {
                Next::Hello(hello) => {
                    self.hello(hello).await?;
                    self.flush().await?;
                }
                Next::Message(message) if self.gather(&message).await? => {}
                Next::Message(message) => {
                    let mut body = self.encode(&message);
                    while !self.chunk(&mut body).await? {
                        while let Some(between) = queues.next_between() {
                            match between {
                                Next::Hello(hello) => self.hello(hello).await?,
                                Next::Message(control) => {
                                    let body = self.encode(&control);
                                    self.whole(body).await?;
                                }
                            }
                        }
                    }
                }
            }
            if queues.is_empty() {
                self.flush().await?;
            }
        }
        self.head(Head::GOODBYE);
        self.hand_on().await?;
        self.stream.close().await
    }

    /// The stream's first frame, or a further one of that kind.
    async fn hello(&mut self, hello: Bytes) -> io::Result<()> {
        let kind = if std::mem::replace(&mut self.greeted, true) { Kind::Hello } else { Kind::Last };
        let body = self.begin(vec![hello], kind);
        self.whole(body).await
    }

    /// What the time is, nearly.
    fn time(&mut self) -> Time {
        if self.next.is_multiple_of(MESSAGES_PER_TIME) || self.gathered.is_empty() {
            self.now = self.clock.now();
        }
        self.now
    }

    /// Puts a small message behind what is gathered. Whether it is one.
    async fn gather<M: Message>(&mut self, message: &M) -> io::Result<bool> {
        let (now, start) = (self.time(), self.gathered.len());
        self.gathered.extend_from_slice(&[0; HEAD_BYTES]);
        let encoded = message.encode_behind(now, &mut self.gathered);
        let bytes = self.gathered.len() - start - HEAD_BYTES;
        if !encoded || bytes > CHUNK_BYTES_MAX {
            self.gathered.truncate(start);
            return Ok(false);
        }
        if message.is_expired(now) {
            self.lost(Lost { id: message.id(), reason: Refusal::Expired });
        }
        self.next = self.next.wrapping_add(1);
        let head = Head { message: self.next, kind: Kind::Last, length: bytes as u32 };
        self.gathered[start..start + HEAD_BYTES].copy_from_slice(&head.encode());
        self.counters.sent(bytes);
        self.counters.framing_sent(HEAD_BYTES);
        if self.gathered.len() >= BUFFER_BYTES {
            self.hand_on().await?;
        }
        Ok(true)
    }

    /// Writes what is gathered.
    async fn hand_on(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.gathered).await?;
        self.gathered.clear();
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.hand_on().await?;
        self.stream.flush().await
    }

    fn encode<M: Message>(&mut self, message: &M) -> Body {
        let now = self.time();
        if message.is_expired(now) {
            self.lost(Lost { id: message.id(), reason: Refusal::Expired });
        }
        self.begin(message.encode(now), Kind::Last)
    }

    fn begin(&mut self, pieces: Vec<Bytes>, last: Kind) -> Body {
        self.next = self.next.wrapping_add(1);
        let body = Body::new(self.next, pieces, last);
        self.counters.sent(body.left);
        body
    }

    async fn whole(&mut self, mut body: Body) -> io::Result<()> {
        while !self.chunk(&mut body).await? {}
        Ok(())
    }

    /// Writes one chunk; whether it was the last.
    async fn chunk(&mut self, body: &mut Body) -> io::Result<bool> {
        let mut length = body.left.min(WRITTEN_BYTES_MAX);
        body.left -= length;
        let kind = if body.left == 0 { body.last } else { Kind::More };
        self.head(Head { message: body.message, kind, length: length as u32 });
        while length > 0 {
            let piece = body.pieces.last_mut().expect("as many bytes are left as the pieces hold");
            let mut n = piece.len().min(length);
            if self.gathered.is_empty() && n >= BUFFER_BYTES {
                self.stream.write_all(&piece[..n]).await?;
            } else {
                // A head does not go out alone: what follows it fills the frame.
                n = n.min(BUFFER_BYTES.saturating_sub(self.gathered.len()));
                self.gathered.extend_from_slice(&piece[..n]);
                if self.gathered.len() >= BUFFER_BYTES {
                    self.hand_on().await?;
                }
            }
            piece.advance(n);
            length -= n;
            if piece.is_empty() {
                body.pieces.pop();
            }
        }
        Ok(kind != Kind::More)
    }

    fn head(&mut self, head: Head) {
        self.counters.framing_sent(HEAD_BYTES);
        self.gathered.extend_from_slice(&head.encode());
    }

    fn lost(&self, lost: Lost) {
        // A node that is gone has nobody to tell.
        let _ = self.lost.send(lost);
    }
}

/// A message that is being written.
struct Body {
    message: u32,
    /// The last is next.
    pieces: Vec<Bytes>,
    left: usize,
    /// What its last chunk is.
    last: Kind,
}

impl Body {
    fn new(message: u32, mut pieces: Vec<Bytes>, last: Kind) -> Self {
        pieces.retain(|p| !p.is_empty());
        pieces.reverse();
        let left = pieces.iter().map(Bytes::len).sum();
        Body { message, pieces, left, last }
    }
}
