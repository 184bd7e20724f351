//! A node before peers that do not keep to the rules.

use super::swarm::{self, BehaviourEvent, Swarm};
use crate::event::Parting;
use crate::plane::{self, FrameError, HeadError, Opened, StreamOpened};
use crate::{Builder, Event, Events, Handle, Identity, StreamFault};
use bb_engine::{Config, DisconnectReason, Engine, Limits, PeerId};
use futures::io::AsyncWriteExt;
use futures::{FutureExt, StreamExt};
use libp2p::Stream;
use libp2p::identity::Keypair;
use libp2p::swarm::SwarmEvent;

/// A node, its events, and a peer that dials it and does as the test wants.
struct Pair {
    node: Handle,
    events: Events,
    swarm: Swarm,
    key: Keypair,
}

fn dialling(node: &Handle, mut swarm: Swarm) -> Swarm {
    let address: libp2p::Multiaddr = node.listen_addresses()[0].parse().expect("an address");
    swarm.dial(address).expect("dials");
    swarm
}

impl Pair {
    async fn new(limits: Limits, plane: plane::Behaviour) -> Self {
        let node = Builder::new().identity(Identity::Seed([1; 32])).listen("/ip4/127.0.0.1/tcp/0").limits(limits);
        let node = node.start().await.expect("starts");
        let key = Keypair::generate_ed25519();
        let swarm = dialling(&node, swarm::with(&key, plane).expect("a swarm"));
        Pair { events: node.events(), node, swarm, key }
    }
    /// The peer again, which knows nothing of its first connection; what still has it.
    fn dial_again(&mut self) -> Swarm {
        let swarm = dialling(&self.node, swarm::new(&self.key).expect("a swarm"));
        std::mem::replace(&mut self.swarm, swarm)
    }
    async fn of_plain() -> Self {
        Pair::new(Limits::default(), plane::Behaviour::default()).await
    }
    fn peer(&self) -> PeerId {
        crate::address::ours(self.swarm.local_peer_id())
    }

    /// The stream to the node.
    async fn stream(&mut self) -> Stream {
        loop {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::Behaviour(BehaviourEvent::Plane(StreamOpened { what: Opened::Out(stream), .. })) = event
            {
                return stream;
            }
        }
    }
    /// Writes these bytes, and keeps the stream open.
    async fn write(&mut self, stream: &mut Stream, bytes: &[u8]) {
        let written = async {
            // An error means that the node has had enough.
            let _ = stream.write_all(bytes).await;
            let _ = stream.flush().await;
        };
        let mut written = std::pin::pin!(written.fuse());
        loop {
            futures::select! {
                () = written => return,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
    /// The first event of the node that is one of those.
    async fn told<T>(&mut self, which: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            tokio::select! {
                event = self.events.next() => {
                    let event = event.expect("the node runs");
                    assert!(!matches!(event, Event::Missed { .. }));
                    if let Some(found) = which(&event) {
                        return found;
                    }
                }
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
    async fn refused(&mut self) -> StreamFault {
        let who = self.peer();
        self.told(|e| match e {
            Event::StreamRefused { peer, fault } if *peer == who => Some(*fault),
            _ => None,
        })
        .await
    }
    async fn disconnected(&mut self) -> Parting {
        self.told(|e| match e {
            Event::Disconnected { how, .. } => Some(*how),
            _ => None,
        })
        .await
    }
    /// Until the connection is closed.
    async fn closed(&mut self) {
        while self.swarm.network_info().num_peers() > 0 {
            self.swarm.select_next_some().await;
        }
        assert_eq!(self.node.connections(), []);
    }
}

fn chunk(flags: u8, body: &[u8]) -> Vec<u8> {
    [&[7, 0, 0, 0, flags], &(body.len() as u32).to_le_bytes()[..], body].concat()
}
/// A Hello that says little.
fn hello(peer: PeerId) -> Vec<u8> {
    chunk(1, &Engine::new(Config::new(peer, 1)).hello())
}

#[tokio::test]
async fn a_frame_beyond_the_limit_ends_the_connection_and_is_told() {
    let mut limits = Limits::default();
    limits.wire.frame_bytes_max = 100_000;
    let mut pair = Pair::new(limits, plane::Behaviour::default()).await;
    let mut stream = pair.stream().await;
    let part = chunk(0, &[0; 60_000]);
    let bytes = [hello(pair.peer()), part.clone(), part].concat();
    pair.write(&mut stream, &bytes).await;
    assert_eq!(pair.refused().await, StreamFault::Frame(FrameError::TooLong { max: 100_000 }));
    assert_eq!(pair.disconnected().await, Parting::Lost);
    pair.closed().await;
}

#[tokio::test]
async fn bytes_that_are_no_chunk_end_the_connection() {
    let mut pair = Pair::of_plain().await;
    let mut stream = pair.stream().await;
    let bytes = [hello(pair.peer()), chunk(9, &[])].concat();
    pair.write(&mut stream, &bytes).await;
    assert_eq!(pair.refused().await, StreamFault::Frame(FrameError::Head(HeadError::Flags(9))));
    pair.closed().await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_ends_the_connection() {
    let mut pair = Pair::of_plain().await;
    let mut stream = pair.stream().await;
    pair.write(&mut stream, &chunk(1, b"good day")).await;
    assert_eq!(pair.disconnected().await, Parting::Dismissed(DisconnectReason::BadHello));
    pair.closed().await;
}

#[tokio::test]
async fn three_frames_that_are_no_envelopes_end_the_connection() {
    let mut pair = Pair::of_plain().await;
    let mut stream = pair.stream().await;
    let bytes = [hello(pair.peer()), chunk(1, b"what").repeat(3)].concat();
    pair.write(&mut stream, &bytes).await;
    for _ in 0..3 {
        pair.told(|e| matches!(e, Event::Engine(bb_engine::Event::EnvelopeRefused { .. })).then_some(())).await;
    }
    assert_eq!(pair.disconnected().await, Parting::Dismissed(DisconnectReason::Violations));
    pair.closed().await;
}

#[tokio::test]
async fn a_second_stream_ends_the_connection() {
    let mut pair = Pair::new(Limits::default(), plane::Behaviour::opening(2)).await;
    assert_eq!(pair.refused().await, StreamFault::SecondStream);
    pair.closed().await;
}

#[tokio::test]
async fn a_peer_that_dials_again_is_not_written_to_where_nobody_listens() {
    let mut pair = Pair::of_plain().await;
    let mut stream = pair.stream().await;
    let hello = hello(pair.peer());
    pair.write(&mut stream, &hello).await;
    pair.told(|e| matches!(e, Event::Connected { .. }).then_some(())).await;
    // The same process, after its network took the first connection away: what is left of that says nothing.
    let mut deaf = pair.dial_again();
    let mut stream = pair.stream().await;
    pair.write(&mut stream, &hello).await;
    assert_eq!(pair.disconnected().await, Parting::Lost);
    pair.told(|e| matches!(e, Event::Connected { .. }).then_some(())).await;
    while deaf.network_info().num_peers() > 0 {
        deaf.select_next_some().await;
    }
    assert_eq!(pair.node.connections(), [pair.peer()]);
}

#[tokio::test]
async fn a_peer_of_another_kind_is_told() {
    let node = Builder::new().listen("/ip4/127.0.0.1/tcp/0").start().await.expect("starts");
    let mut events = node.events();
    let mut swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(libp2p::tcp::Config::default(), libp2p::noise::Config::new, libp2p::yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| libp2p::ping::Behaviour::default())
        .expect("a behaviour")
        .build();
    let address: libp2p::Multiaddr = node.listen_addresses()[0].parse().expect("an address");
    swarm.dial(address).expect("dials");
    loop {
        tokio::select! {
            event = events.next() => if let Some(Event::StreamRefused { fault, .. }) = event {
                assert_eq!(fault, StreamFault::OtherProtocol);
                return;
            },
            _ = swarm.select_next_some() => {}
        }
    }
}
