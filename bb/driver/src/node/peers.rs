//! The peers of a node: their connections and links, and what waits for peers that are not connected.

use crate::plane::{Full, Link};
use bb_engine::{Outgoing, PeerId, Refusal, SendId};
use libp2p::swarm::ConnectionId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How long a message waits for a connection to its peer.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How many messages wait for one peer.
const WAITING_MAX: usize = 1024;
/// The pause between two attempts to reach a peer that messages wait for.
const REDIAL_AFTER: Duration = Duration::from_secs(1);
/// What an envelope adds to its values at most.
const HEADER_BYTES_MAX: usize = 64 << 10;

#[derive(Default)]
pub struct Peers {
    of: BTreeMap<PeerId, Peer>,
}

#[derive(Default)]
pub struct Peer {
    connections: BTreeMap<ConnectionId, Connection>,
    /// Once it has said Hello.
    pub said: Option<Said>,
    waiting: VecDeque<(Instant, Outgoing)>,
    /// When it may be dialled again.
    redial: Option<Instant>,
}

/// What matters here of a peer's Hello.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub epoch: u64,
    pub frame_bytes_max: u64,
}

#[derive(Default)]
struct Connection {
    link: Option<Link>,
    reading: bool,
}

/// What becomes of a message.
pub enum Sent {
    Queued,
    /// There is no connection: it waits, and the peer is to be dialled.
    Waiting,
    Refused(SendId, Refusal),
}

impl Peers {
    pub fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.of.get(peer)
    }
    pub fn connected(&mut self, peer: &PeerId, connection: ConnectionId) {
        self.of.entry(peer.clone()).or_default().connections.insert(connection, Connection::default());
    }
    /// Whether a stream may be read on it: one per connection.
    pub fn start_reading(&mut self, peer: &PeerId, connection: ConnectionId) -> bool {
        let connection = self.of.get_mut(peer).and_then(|p| p.connections.get_mut(&connection));
        connection.is_some_and(|c| !std::mem::replace(&mut c.reading, true))
    }
    /// The stream out is open; what waited, to be sent.
    pub fn linked(&mut self, peer: &PeerId, connection: ConnectionId, link: Link) -> Vec<Outgoing> {
        let Some(peer) = self.of.get_mut(peer) else { return Vec::new() };
        if let Some(connection) = peer.connections.get_mut(&connection) {
            connection.link = Some(link);
        }
        peer.redial = None;
        peer.waiting.drain(..).map(|(_, message)| message).collect()
    }
    pub fn said(&mut self, peer: &PeerId, said: Said) {
        self.of.entry(peer.clone()).or_default().said = Some(said);
    }
    /// The connection is gone; whether it was read, and so its reader will tell its end.
    pub fn closed(&mut self, peer: &PeerId, connection: ConnectionId) -> bool {
        let Some(state) = self.of.get_mut(peer) else { return false };
        state.connections.remove(&connection).is_some_and(|c| c.reading)
    }
    /// The peer is lost; whether it had said Hello.
    pub fn lost(&mut self, peer: &PeerId) -> bool {
        let Some(state) = self.of.get_mut(peer) else { return false };
        let said = state.said.take().is_some();
        for connection in state.connections.values_mut() {
            connection.link = None;
        }
        if state.connections.is_empty() && state.waiting.is_empty() {
            self.of.remove(peer);
        }
        said
    }
    /// Those who have said Hello.
    pub fn known(&self) -> Vec<PeerId> {
        self.of.iter().filter(|(_, p)| p.said.is_some()).map(|(id, _)| id.clone()).collect()
    }
    /// Lets go of all links: their writers write what is queued, and close.
    pub fn unlink(&mut self) {
        for connection in self.of.values_mut().flat_map(|p| p.connections.values_mut()) {
            connection.link = None;
        }
    }

    pub fn send(&mut self, message: Outgoing, now: Instant) -> Sent {
        let peer = self.of.entry(message.peer.clone()).or_default();
        if peer.said.is_some_and(|s| (message.bytes() + HEADER_BYTES_MAX) as u64 > s.frame_bytes_max) {
            return Sent::Refused(message.id, Refusal::TooLarge);
        }
        match peer.connections.values().find_map(|c| c.link.as_ref()) {
            Some(link) => match link.send(message) {
                Ok(()) => Sent::Queued,
                Err(Full(id)) => Sent::Refused(id, Refusal::QueueFull),
            },
            None if peer.waiting.len() == WAITING_MAX => Sent::Refused(message.id, Refusal::QueueFull),
            None => {
                peer.waiting.push_back((now + WAIT_MAX, message));
                peer.redial.get_or_insert(now);
                Sent::Waiting
            }
        }
    }

    /// What has waited too long.
    pub fn expired(&mut self, now: Instant) -> Vec<SendId> {
        let mut expired = Vec::new();
        for peer in self.of.values_mut() {
            while peer.waiting.front().is_some_and(|(until, _)| *until <= now) {
                expired.extend(peer.waiting.pop_front().map(|(_, message)| message.id));
            }
            if peer.waiting.is_empty() {
                peer.redial = None;
            }
        }
        self.of.retain(|_, p| !p.connections.is_empty() || !p.waiting.is_empty() || p.said.is_some());
        expired
    }
    /// Unconnected peers that messages wait for and that may be dialled now; each is then left alone for a while.
    pub fn to_dial(&mut self, now: Instant) -> Vec<PeerId> {
        let mut all = Vec::new();
        for (id, peer) in &mut self.of {
            if peer.connections.is_empty() && peer.redial.is_some_and(|at| at <= now) {
                peer.redial = Some(now + REDIAL_AFTER);
                all.push(id.clone());
            }
        }
        all
    }
    /// When there is next something to do about what waits.
    pub fn next(&self) -> Option<Instant> {
        let waiting = self.of.values().filter_map(|p| p.waiting.front().map(|(until, _)| *until));
        let redial = self.of.values().filter(|p| p.connections.is_empty()).filter_map(|p| p.redial);
        waiting.chain(redial).min()
    }
}

impl Peer {
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.connections.keys().copied()
    }
    pub fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }
}
