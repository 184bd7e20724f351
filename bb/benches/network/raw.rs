//! Length-prefixed frames on one libp2p stream each way: TCP, Noise, Yamux, nothing of bb's.

use futures::io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, ReadHalf, WriteHalf};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::core::{Endpoint, Transport};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, noise, tcp, yamux};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

type Upgraded = Boxed<(PeerId, StreamMuxerBox)>;

fn transport() -> Upgraded {
    let key = Keypair::generate_ed25519();
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&key).expect("an Ed25519 key"))
        .multiplex(yamux::Config::default())
        .boxed()
}

/// Drives a connection for as long as it lives.
fn drive(mut muxer: StreamMuxerBox) {
    tokio::spawn(async move { while std::future::poll_fn(|cx| muxer.poll_unpin(cx)).await.is_ok() {} });
}

type Read = BufReader<ReadHalf<SubstreamBox>>;
type Write = BufWriter<WriteHalf<SubstreamBox>>;

fn buffered(stream: SubstreamBox) -> (Read, Write) {
    let (read, write) = stream.split();
    (BufReader::with_capacity(64 << 10, read), BufWriter::with_capacity(64 << 10, write))
}

/// The listener: answers every frame with eight bytes.
async fn far(mut transport: Upgraded, address: tokio::sync::oneshot::Sender<Multiaddr>) {
    let local = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
    transport.listen_on(ListenerId::next(), local).expect("a free port");
    let mut address = Some(address);
    let mut next = async || {
        loop {
            match std::future::poll_fn(|cx| std::pin::Pin::new(&mut transport).poll(cx)).await {
                TransportEvent::NewAddress { listen_addr, .. } => {
                    if let Some(address) = address.take() {
                        address.send(listen_addr).expect("the other side waits for it");
                    }
                }
                TransportEvent::Incoming { upgrade, .. } => return upgrade.await.expect("it is upgraded").1,
                _ => {}
            }
        }
    };
    let mut muxer = next().await;
    let stream = std::future::poll_fn(|cx| {
        let inbound = muxer.poll_inbound_unpin(cx);
        let _ = muxer.poll_unpin(cx);
        inbound
    });
    let stream = stream.await.expect("a stream comes");
    drive(muxer);
    let (mut read, mut write) = buffered(stream);
    let mut head = [0; 4];
    while read.read_exact(&mut head).await.is_ok() {
        let mut body = vec![0; u32::from_le_bytes(head) as usize];
        read.read_exact(&mut body).await.expect("a whole frame");
        write.write_all(&(body.len() as u64).to_le_bytes()).await.expect("the stream is open");
        if read.buffer().is_empty() {
            write.flush().await.expect("the stream is open");
        }
    }
}

/// The dialler.
pub struct Near {
    read: Read,
    write: Write,
    payload: Vec<u8>,
}

impl Near {
    /// Connected, to send frames of so many bytes.
    pub async fn of(bytes: usize) -> Self {
        let (tell, address) = tokio::sync::oneshot::channel();
        super::FAR.spawn(far(transport(), tell));
        let address = address.await.expect("it listens");
        let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
        let (_, mut muxer) = transport().dial(address, opts).expect("an address").await.expect("it connects");
        let stream = std::future::poll_fn(|cx| {
            let outbound = muxer.poll_outbound_unpin(cx);
            let _ = muxer.poll_unpin(cx);
            outbound
        });
        let stream = stream.await.expect("a stream opens");
        drive(muxer);
        let (read, write) = buffered(stream);
        Near { read, write, payload: vec![7; bytes] }
    }

    async fn send(write: &mut Write, payload: &[u8]) {
        write.write_all(&(payload.len() as u32).to_le_bytes()).await.expect("the stream is open");
        write.write_all(payload).await.expect("the stream is open");
    }

    /// There and back.
    pub async fn once(&mut self) {
        Self::send(&mut self.write, &self.payload).await;
        self.write.flush().await.expect("the stream is open");
        self.read.read_exact(&mut [0; 8]).await.expect("an answer");
    }

    /// So many, of which so many are in flight; the time they take.
    pub async fn many(self, window: usize, count: usize) -> Duration {
        let Near { mut read, mut write, payload } = self;
        let room = Arc::new(Semaphore::new(window));
        let start = Instant::now();
        let answers = {
            let room = room.clone();
            tokio::spawn(async move {
                for _ in 0..count {
                    read.read_exact(&mut [0; 8]).await.expect("an answer");
                    room.add_permits(1);
                }
            })
        };
        for _ in 0..count {
            if room.available_permits() == 0 {
                write.flush().await.expect("the stream is open");
            }
            room.acquire().await.expect("never closed").forget();
            Self::send(&mut write, &payload).await;
        }
        write.flush().await.expect("the stream is open");
        answers.await.expect("every frame is answered");
        start.elapsed()
    }
}
