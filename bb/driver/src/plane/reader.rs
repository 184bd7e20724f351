//! The reader of one stream.

use super::chunk::{CHUNK_BYTES_MAX, HEAD_BYTES, Head, HeadError};
use crate::traffic::Counters;
use bb_ir::limits::WireLimits;
use bytes::{Bytes, BytesMut};
use futures::io::{AsyncRead, AsyncReadExt, BufReader};
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a peer may take to say Hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A control message may stand between the chunks of a data message.
const OPEN_MESSAGES_MAX: usize = 2;

/// What a reader tells the node.
pub struct Incoming {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub what: What,
}

/// What came.
pub enum What {
    /// The first frame.
    Hello(Bytes),
    /// Any other.
    Frame(Bytes),
    /// The stream ended; with the reason where the peer broke the rules.
    Ended(Option<ReadError>),
}

/// Why a stream is read no further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error("a message is longer than {max} bytes")]
    TooLong { max: usize },
    #[error("more than two messages are open at once")]
    Interleaved,
    #[error("the peer said no Hello within ten seconds")]
    Silent,
}

impl ReadError {
    /// Whether the connection failed, and not the peer.
    pub fn is_io(&self) -> bool {
        matches!(self, ReadError::Io(_))
    }
}

/// Reads messages until the stream ends. `out` is bounded: where the node is slow, the peer is slowed down.
pub async fn read<R: AsyncRead + Unpin>(
    stream: R,
    peer: PeerId,
    connection: ConnectionId,
    limits: WireLimits,
    out: mpsc::Sender<Incoming>,
    counters: Counters,
) {
    let mut reader = Reader { stream: BufReader::with_capacity(CHUNK_BYTES_MAX, stream), open: Vec::new(), counters };
    let tell = async |what| out.send(Incoming { peer, connection, what }).await.is_ok();
    let hello = tokio::time::timeout(HELLO_WITHIN, reader.message(limits.hello_bytes_max)).await;
    let ended = match hello.unwrap_or(Err(ReadError::Silent)) {
        Ok(None) => None,
        Err(error) => Some(error),
        Ok(Some(hello)) => {
            let mut listening = tell(What::Hello(hello)).await;
            loop {
                if !listening {
                    return;
                }
                match reader.message(limits.frame_bytes_max).await {
                    Ok(Some(frame)) => listening = tell(What::Frame(frame)).await,
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            }
        }
    };
    // Where the node is gone there is nobody to tell.
    let _ = tell(What::Ended(ended)).await;
}

struct Reader<R> {
    stream: BufReader<R>,
    open: Vec<(u32, BytesMut)>,
    counters: Counters,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// The next whole message; `None` at the orderly end of the stream.
    async fn message(&mut self, bytes_max: usize) -> Result<Option<Bytes>, ReadError> {
        loop {
            let mut head = [0; HEAD_BYTES];
            if self.stream.read(&mut head[..1]).await? == 0 {
                return Ok(None);
            }
            self.stream.read_exact(&mut head[1..]).await?;
            let head = Head::decode(head)?;
            let length = head.length as usize;
            let at = match self.open.iter().position(|(id, _)| *id == head.message) {
                Some(at) => at,
                None if self.open.len() == OPEN_MESSAGES_MAX => return Err(ReadError::Interleaved),
                None => {
                    self.open.push((head.message, BytesMut::new()));
                    self.open.len() - 1
                }
            };
            let body = &mut self.open[at].1;
            let before = body.len();
            if before + length > bytes_max {
                return Err(ReadError::TooLong { max: bytes_max });
            }
            body.resize(before + length, 0);
            self.stream.read_exact(&mut body[before..]).await?;
            self.counters.framing_received(HEAD_BYTES);
            if head.last {
                let body = self.open.swap_remove(at).1.freeze();
                self.counters.received(body.len());
                return Ok(Some(body));
            }
        }
    }
}
