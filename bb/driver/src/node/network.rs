//! What happens on the network.

use super::Node;
use super::peers::{Heard, Said};
use super::swarm::BehaviourEvent;
use crate::address;
use crate::event::{Event, Parting, StreamFault};
use crate::plane::{End, Incoming, Link, Opened, StreamOpened, What, read, write};
use bb_engine::{Input, PeerId};
use bytes::Bytes;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, ping};
use std::io;
use tokio::task::JoinError;
use tokio::time::Instant;

impl Node {
    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Plane(opened)) => self.on_stream(opened),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) => match ping.result {
                // A peer that does not play is not a dead one.
                Ok(_) | Err(ping::Failure::Unsupported) => {}
                Err(_) => {
                    self.swarm.close_connection(ping.connection);
                }
            },
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, concurrent_dial_errors, .. } => {
                let peer = address::ours(&peer_id);
                if endpoint.is_dialer() {
                    let failed = concurrent_dial_errors.into_iter().flatten().map(|(address, _)| address).collect();
                    self.met(&peer, endpoint.get_remote_address().clone(), failed);
                }
                self.dialler.connected(connection_id, peer_id);
                self.peers.connected(&peer, connection_id, endpoint.is_dialer(), Instant::now());
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                let peer = address::ours(&peer_id);
                if self.peers.closed(&peer, connection_id, cause.is_none()) {
                    self.peer_lost(&peer, Parting::Lost);
                }
                if !self.peers.is_connected(&peer) {
                    self.dialler.lost(&peer_id, Instant::now(), crate::random::random());
                }
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id: Some(peer),
                error: DialError::Denied { .. },
            } if self.swarm.is_connected(&peer) => {
                // The address leads to a peer that was reached by another one.
                self.dialler.connected(connection_id, peer);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                if let Some(peer) = peer_id {
                    self.missed(&address::ours(&peer), &error);
                }
                self.dial_failed(connection_id, &error);
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => self.see_listening(),
            _ => {}
        }
    }

    /// An interface has come or gone: handles and, with the next Hello, peers learn.
    fn see_listening(&mut self) {
        let me = *self.swarm.local_peer_id();
        let addresses: Vec<Multiaddr> = self.swarm.listeners().cloned().collect();
        self.engine.set_addresses(addresses.iter().map(|a| a.to_vec().into()).collect());
        let full = |a: Multiaddr| a.with(Protocol::P2p(me)).to_string();
        self.see(|s| s.listening = addresses.into_iter().map(full).collect());
    }

    fn on_stream(&mut self, StreamOpened { peer, connection, what }: StreamOpened) {
        let peer = address::ours(&peer);
        match what {
            Opened::Out(stream) => {
                let (link, queues) = Link::new(self.engine.hello_for(self.now, &peer));
                let lost = self.lost.clone();
                let written = write(stream, queues, lost, self.clock, self.shared.counters.clone());
                let writer = self.writers.spawn(written);
                for message in self.peers.linked(&peer, connection, link, writer) {
                    self.send(message);
                }
            }
            Opened::In(stream) => {
                let (inflow, counters) = (self.inflow.clone(), self.shared.counters.clone());
                let (wire, readers, from) = (self.wire, &mut self.readers, peer.clone());
                let reader = || readers.spawn(read(stream, from, connection, wire, inflow, counters));
                if !self.peers.read(&peer, connection, reader) {
                    self.refuse_stream(&peer, connection, StreamFault::SecondStream);
                }
            }
            Opened::Refused => self.refuse_stream(&peer, connection, StreamFault::OtherProtocol),
        }
    }

    pub(super) fn refuse_stream(&mut self, peer: &PeerId, connection: ConnectionId, fault: StreamFault) {
        self.swarm.close_connection(connection);
        self.publish(Event::StreamRefused { peer: peer.clone(), fault });
    }

    /// A writer has ended: with the goodbye it was let go to say, or because the stream failed. Then the reader of the
    /// connection tells its end, when it has handed over what has come.
    pub(super) fn on_written(&self, written: Result<io::Result<()>, JoinError>) {
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a stream to a peer has failed"),
            Err(error) => assert!(error.is_cancelled(), "a writer does not panic: {error}"),
        }
    }

    /// A reader has ended, by itself or with its connection.
    pub(super) fn on_read(&self, read: Result<(), JoinError>) {
        if let Err(error) = read {
            assert!(error.is_cancelled(), "a reader does not panic: {error}");
        }
    }

    /// Takes what a reader has read; how many frames it was, at least one.
    pub(super) fn on_incoming(&mut self, Incoming { peer, connection, what, .. }: Incoming) -> usize {
        match what {
            What::Frames(frames) if self.peers.is_heard(&peer, connection) => {
                let count = frames.len();
                for frame in frames {
                    self.tell(Input::Received { peer: peer.clone(), frame });
                }
                return count;
            }
            // Of a peer that has been given up in the meantime.
            What::Frames(_) => {}
            What::Hello(hello) => self.on_hello(peer, connection, hello),
            What::Ended(end) => {
                if let End::Refused(fault) = end {
                    self.refuse_stream(&peer, connection, StreamFault::Frame(fault));
                }
                let goodbye = matches!(end, End::Goodbye);
                if self.peers.ended(&peer, connection, goodbye) {
                    self.peer_lost(&peer, if goodbye { Parting::Goodbye } else { Parting::Lost });
                }
            }
        }
        1
    }

    fn on_hello(&mut self, peer: PeerId, connection: ConnectionId, hello: Bytes) {
        // One the engine cannot read is told to it all the same: it says why, and ends the connection.
        let read = bb_ir::hello::decode(hello.clone(), &self.wire).ok();
        let said = read.as_ref().map_or(Said { epoch: 0, frame_bytes_max: 0 }, |h| Said {
            epoch: h.epoch,
            frame_bytes_max: h.frame_bytes_max,
        });
        match self.peers.heard(&peer, connection, said) {
            Heard::First => {}
            Heard::Again => return self.tell(Input::Hosts { peer, hello }),
            Heard::TooLate => return,
            Heard::Anew(how, old) => {
                for connection in old {
                    self.swarm.close_connection(connection);
                }
                self.tell(Input::Disconnected { peer: peer.clone() });
                self.publish(Event::Disconnected { peer: peer.clone(), how });
            }
        }
        if let Some(id) = address::theirs(&peer) {
            self.dialler.heard(&id);
        }
        self.tell(Input::Connected { peer: peer.clone(), hello });
        let Some(hello) = read else { return };
        for bytes in hello.addresses {
            self.announced(&peer, &bytes);
        }
        self.tell_addresses(&peer);
        self.see_connected(&peer);
        self.publish(Event::Connected { peer });
    }

    /// Tells connected peers what this node is by now, before anything else goes out to them.
    pub(super) fn say_hello(&mut self) {
        self.peers.each_link(|peer, link| link.hello(self.engine.hello_again(peer)));
    }

    /// What was in flight on any connection to the peer may be gone, so all of them end together.
    pub(super) fn peer_lost(&mut self, peer: &PeerId, how: Parting) {
        if let Some(id) = address::theirs(peer) {
            // An error means that none is left.
            let _ = self.swarm.disconnect_peer_id(id);
        }
        if self.peers.lost(peer) {
            self.tell(Input::Disconnected { peer: peer.clone() });
            self.publish(Event::Disconnected { peer: peer.clone(), how });
            self.see_connected(peer);
        }
    }

    fn see_connected(&self, peer: &PeerId) {
        let known = self.peers.is_known(peer);
        self.see(|s| match known {
            true => _ = s.connected.insert(peer.clone()),
            false => _ = s.connected.remove(peer),
        });
    }
}
