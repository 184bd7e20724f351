//! The same through libp2p's request_response: a stream, and a negotiation, for each request.

use futures::StreamExt;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::request_response::{self, Codec, Event, Message, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use std::io;
use std::time::{Duration, Instant};

/// A request of any length, and eight bytes back.
#[derive(Clone, Default)]
struct Plain;

impl Codec for Plain {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = [u8; 8];

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        io.read_exact(&mut head).await?;
        let mut body = vec![0; u32::from_le_bytes(head) as usize];
        io.read_exact(&mut body).await?;
        Ok(body)
    }
    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<[u8; 8]> {
        let mut answer = [0; 8];
        io.read_exact(&mut answer).await?;
        Ok(answer)
    }
    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        body: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&(body.len() as u32).to_le_bytes()).await?;
        io.write_all(&body).await
    }
    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: [u8; 8],
    ) -> io::Result<()> {
        io.write_all(&answer).await
    }
}

type Behaviour = request_response::Behaviour<Plain>;

fn swarm() -> Swarm<Behaviour> {
    let config = request_response::Config::default().with_max_concurrent_streams(10_000);
    let protocol = (StreamProtocol::new("/bench/1"), ProtocolSupport::Full);
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| Behaviour::new([protocol], config))
        .expect("a behaviour")
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

/// So many requests, of which so many are in flight.
async fn ask(near: &mut Swarm<Behaviour>, far: PeerId, request: Vec<u8>, count: usize, window: usize) {
    let (mut sent, mut answered) = (0, 0);
    while answered < count {
        while sent < count && sent - answered < window {
            near.behaviour_mut().send_request(&far, request.clone());
            sent += 1;
        }
        match near.select_next_some().await {
            SwarmEvent::Behaviour(Event::Message { message: Message::Response { .. }, .. }) => answered += 1,
            SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => panic!("{error}"),
            _ => {}
        }
    }
}

/// So many, of which so many are in flight; the time they take.
pub async fn run(bytes: usize, window: usize, count: usize) -> Duration {
    let (mut far, address) = super::on_far_side(async {
        let mut far = swarm();
        far.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address")).expect("a free port");
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = far.select_next_some().await {
                break (far, address);
            }
        }
    })
    .await;
    let far_id = *far.local_peer_id();
    let answering = super::FAR.spawn(async move {
        loop {
            let event = far.select_next_some().await;
            if let SwarmEvent::Behaviour(Event::Message {
                message: Message::Request { request, channel, .. }, ..
            }) = event
            {
                let answer = (request.len() as u64).to_le_bytes();
                far.behaviour_mut().send_response(channel, answer).expect("the stream is open");
            }
        }
    });
    let mut near = swarm();
    near.dial(address).expect("it can be dialled");
    while !matches!(near.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}

    let start = Instant::now();
    ask(&mut near, far_id, vec![7; bytes], count, window).await;
    let took = start.elapsed();
    answering.abort();
    took
}
