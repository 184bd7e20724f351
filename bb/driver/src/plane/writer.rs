//! The writer of one stream.

use super::chunk::{CHUNK_BYTES_MAX, HEAD_BYTES, Head, Kind};
use super::link::{Lost, Message, Queues};
use crate::clock::Clock;
use crate::traffic::Counters;
use bb_engine::Refusal;
use bytes::{Buf, Bytes};
use futures::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use std::io;
use tokio::sync::mpsc;

/// Small messages are gathered up to the size of a Yamux frame; larger pieces are handed on as they lie.
const BUFFER_BYTES: usize = 16 << 10;

/// Writes Hello, then what is queued, until the queues' other end is gone; then says goodbye. What has expired, and what
/// is left where the stream fails, is reported lost. The stream is flushed when nothing waits: batches under load, no
/// delay when idle.
pub async fn write<W: AsyncWrite + Unpin, M: Message>(
    stream: W,
    hello: Bytes,
    mut queues: Queues<M>,
    lost: mpsc::UnboundedSender<Lost>,
    clock: Clock,
    counters: Counters,
) -> io::Result<()> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, stream);
    let mut writer = Writer { out, next: 0, lost, clock, counters };
    let written = writer.all(hello, &mut queues).await;
    for id in queues.drain() {
        writer.lost(Lost { id, reason: Refusal::PeerLost });
    }
    written
}

struct Writer<W> {
    out: BufWriter<W>,
    next: u32,
    lost: mpsc::UnboundedSender<Lost>,
    clock: Clock,
    counters: Counters,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn all<M: Message>(&mut self, hello: Bytes, queues: &mut Queues<M>) -> io::Result<()> {
        let mut hello = self.begin(vec![hello]);
        while !self.chunk(&mut hello).await? {}
        self.out.flush().await?;
        while let Some(message) = queues.next().await {
            let mut body = self.encode(&message);
            while !self.chunk(&mut body).await? {
                while let Some(control) = queues.next_control() {
                    let mut body = self.encode(&control);
                    while !self.chunk(&mut body).await? {}
                }
            }
            if queues.is_empty() {
                self.out.flush().await?;
            }
        }
        self.head(Head::GOODBYE).await?;
        self.out.close().await
    }

    fn encode<M: Message>(&mut self, message: &M) -> Body {
        let now = self.clock.now();
        if message.is_expired(now) {
            self.lost(Lost { id: message.id(), reason: Refusal::Expired });
        }
        self.begin(message.encode(now))
    }

    fn begin(&mut self, pieces: Vec<Bytes>) -> Body {
        self.next = self.next.wrapping_add(1);
        let body = Body::new(self.next, pieces);
        self.counters.sent(body.left);
        body
    }

    /// Writes one chunk; whether it was the last.
    async fn chunk(&mut self, body: &mut Body) -> io::Result<bool> {
        let mut length = body.left.min(CHUNK_BYTES_MAX);
        body.left -= length;
        let kind = if body.left == 0 { Kind::Last } else { Kind::More };
        self.head(Head { message: body.message, kind, length: length as u32 }).await?;
        while length > 0 {
            let piece = body.pieces.last_mut().expect("as many bytes are left as the pieces hold");
            let n = piece.len().min(length);
            self.out.write_all(&piece[..n]).await?;
            piece.advance(n);
            length -= n;
            if piece.is_empty() {
                body.pieces.pop();
            }
        }
        Ok(kind == Kind::Last)
    }

    async fn head(&mut self, head: Head) -> io::Result<()> {
        self.counters.framing_sent(HEAD_BYTES);
        self.out.write_all(&head.encode()).await
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
}

impl Body {
    fn new(message: u32, mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|p| !p.is_empty());
        pieces.reverse();
        let left = pieces.iter().map(Bytes::len).sum();
        Body { message, pieces, left }
    }
}
