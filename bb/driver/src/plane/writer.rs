//! The writer of one stream.

use super::chunk::{CHUNK_BYTES_MAX, HEAD_BYTES, Head};
use super::link::{Lost, Queues};
use crate::clock::Clock;
use crate::traffic::Counters;
use bb_engine::{Outgoing, Refusal};
use bytes::{Buf, Bytes};
use futures::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use std::io;
use tokio::sync::mpsc;

/// Writes Hello, then what is queued, until the queues' other end is gone or the stream fails. What could not be written
/// is reported lost. The stream is flushed when nothing waits: batches under load, no delay when idle.
pub async fn write<W: AsyncWrite + Unpin>(
    stream: W,
    hello: Bytes,
    mut queues: Queues,
    lost: mpsc::UnboundedSender<Lost>,
    clock: Clock,
    counters: Counters,
) {
    let mut writer = Writer { out: BufWriter::with_capacity(CHUNK_BYTES_MAX + HEAD_BYTES, stream), next: 0, counters };
    let written = async {
        writer.message(vec![hello]).await?;
        writer.out.flush().await?;
        while let Some(message) = queues.next().await {
            if let Err(error) = writer.outgoing(&message, &mut queues, &clock).await {
                // The peer may have taken it whole or not at all: only the engine's own acknowledgements tell.
                let _ = lost.send(Lost { id: message.id, reason: Refusal::PeerLost });
                return Err(error);
            }
            if queues.is_empty() {
                writer.out.flush().await?;
            }
        }
        writer.out.flush().await?;
        writer.out.close().await
    };
    if let Err(error) = written.await {
        tracing::debug!(%error, "a stream to a peer has failed");
    }
    for id in queues.drain() {
        // The node may be gone itself.
        let _ = lost.send(Lost { id, reason: Refusal::PeerLost });
    }
}

struct Writer<W> {
    out: BufWriter<W>,
    next: u32,
    counters: Counters,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn outgoing(&mut self, message: &Outgoing, queues: &mut Queues, clock: &Clock) -> io::Result<()> {
        let mut body = Body::new(self.mint(), message.encode(clock.now()));
        self.counters.sent(body.left);
        loop {
            let last = self.chunk(&mut body).await?;
            if last {
                return Ok(());
            }
            while let Some(control) = queues.next_control() {
                self.message(control.encode(clock.now())).await?;
            }
        }
    }

    async fn message(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        let mut body = Body::new(self.mint(), pieces);
        self.counters.sent(body.left);
        while !self.chunk(&mut body).await? {}
        Ok(())
    }

    fn mint(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// Writes one chunk; whether it was the last.
    async fn chunk(&mut self, body: &mut Body) -> io::Result<bool> {
        let mut length = body.left.min(CHUNK_BYTES_MAX);
        body.left -= length;
        let head = Head { message: body.message, last: body.left == 0, length: length as u32 };
        self.out.write_all(&head.encode()).await?;
        self.counters.framing_sent(HEAD_BYTES);
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
        Ok(head.last)
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
