//! The peers of a node: their connections, and what waits for peers that are not connected.

use super::connection::{Connections, Reading, Task};
use crate::event::Parting;
use crate::plane::{Link, Lost, Message};
use bb_engine::{PeerId, Refusal};
use libp2p::swarm::ConnectionId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long a message waits for a connection to its peer.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How many messages wait for one peer.
const WAITING_MAX: usize = 1024;
/// The pause between two attempts to reach a peer that messages wait for.
const REDIAL_AFTER: Duration = Duration::from_secs(1);
/// How long a peer may take to say Hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// What an envelope adds to its values at most.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// All peers.
pub struct Peers<M> {
    me: PeerId,
    of: BTreeMap<PeerId, Peer<M>>,
    /// Those for whom something is to be done in time, and perhaps others: each turn asks for the next, however many there are.
    timed: BTreeSet<PeerId>,
    /// Those whose writers are to be woken.
    to_ring: Vec<PeerId>,
}

struct Peer<M> {
    connections: Connections<M>,
    /// Once it has said Hello.
    said: Option<Said>,
    waiting: VecDeque<(Instant, M)>,
    /// When it may be dialled again.
    redial: Option<Instant>,
    /// Whether its writers are to be woken.
    to_ring: bool,
}

impl<M> Default for Peer<M> {
    fn default() -> Self {
        Peer { connections: Connections::default(), said: None, waiting: VecDeque::new(), redial: None, to_ring: false }
    }
}

/// What matters here of a peer's Hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub epoch: u64,
    pub frame_bytes_max: u64,
}

/// Which Hello it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The peer's first.
    First,
    /// One more of the same process, on another connection or on this one.
    Again,
    /// Everything before is over, for this reason, and so are these connections.
    Anew(Parting, Vec<ConnectionId>),
    /// On a connection that is over.
    TooLate,
}

impl<M: Message> Peers<M> {
    /// Nobody, seen from `me`.
    pub fn new(me: PeerId) -> Self {
        Peers { me, of: BTreeMap::new(), timed: BTreeSet::new(), to_ring: Vec::new() }
    }

    // Connections.

    pub fn connected(&mut self, peer: &PeerId, connection: ConnectionId, dialled: bool, now: Instant) {
        self.timed.insert(peer.clone());
        let peer = self.of.entry(peer.clone()).or_default();
        peer.connections.add(connection, dialled, now + HELLO_WITHIN);
    }
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.of.get(peer).is_some_and(|p| p.connections.is_open())
    }
    /// Reads a stream, by that reader; whether it may be: one per connection.
    pub fn read(&mut self, peer: &PeerId, connection: ConnectionId, reader: impl FnOnce() -> AbortHandle) -> bool {
        let connection = self.of.get_mut(peer).and_then(|p| p.connections.get_mut(connection));
        let Some(connection) = connection.filter(|c| c.reading == Reading::NotYet) else { return false };
        connection.reading = Reading::Open;
        connection.reader = Some(Task(reader()));
        true
    }
    /// Hello has come.
    pub fn heard(&mut self, id: &PeerId, connection: ConnectionId, said: Said) -> Heard {
        let Some(peer) = self.of.get_mut(id) else { return Heard::TooLate };
        match peer.connections.get_mut(connection).map(|c| &mut c.reading) {
            Some(reading @ Reading::Open) => *reading = Reading::Heard,
            // Of another process it would be a lie, which the engine tells from one.
            Some(Reading::Heard) => return Heard::Again,
            _ => return Heard::TooLate,
        }
        let heard = match peer.said.replace(said) {
            None => Heard::First,
            Some(before) => {
                let restarted = before.epoch != said.epoch;
                if restarted || peer.connections.is_dialled_again(connection) {
                    // The engine fails them with the peer.
                    peer.waiting.clear();
                    let how = if restarted { Parting::Restarted } else { Parting::Lost };
                    Heard::Anew(how, peer.connections.end_all_but(connection))
                } else {
                    Heard::Again
                }
            }
        };
        peer.connections.settle(&self.me, id);
        heard
    }
    /// Whether frames of that connection still count.
    pub fn is_heard(&self, peer: &PeerId, connection: ConnectionId) -> bool {
        let connection = self.of.get(peer).and_then(|p| p.connections.get(connection));
        connection.is_some_and(|c| c.reading == Reading::Heard)
    }
    /// The stream out is open; what waited, to be sent.
    pub fn linked(&mut self, id: &PeerId, connection: ConnectionId, link: Link<M>, writer: AbortHandle) -> Vec<M> {
        let Some(peer) = self.of.get_mut(id) else { return Vec::new() };
        if let Some(connection) = peer.connections.get_mut(connection).filter(|c| c.reading != Reading::Over) {
            (connection.link, connection.writer) = (Some(link), Some(Task(writer)));
        }
        peer.connections.settle(&self.me, id);
        peer.redial = None;
        peer.waiting.drain(..).map(|(_, message)| message).collect()
    }
    /// A connection's reader has ended, with the peer's goodbye or without. Whether the peer is lost: what was in flight
    /// on a connection that was cut may be, and so the peer is lost with it.
    pub fn ended(&mut self, peer: &PeerId, connection: ConnectionId, goodbye: bool) -> bool {
        let Some(peer) = self.of.get_mut(peer) else { return false };
        let connection = peer.connections.get_mut(connection);
        let Some(connection) = connection.filter(|c| c.is_read()) else { return false };
        connection.end();
        peer.connections.forget();
        !goodbye || !peer.connections.is_alive()
    }
    /// The transport has closed a connection, by itself or because the peer or the network did. Whether the peer is lost
    /// with it. In the latter case a reader tells that when it has handed over what has come.
    pub fn closed(&mut self, id: &PeerId, connection: ConnectionId, by_itself: bool) -> bool {
        let Some(peer) = self.of.get_mut(id) else { return false };
        let mut cut = false;
        if let Some(connection) = peer.connections.get_mut(connection) {
            cut = if connection.is_read() { by_itself } else { connection.is_written() };
            connection.closed = true;
            (connection.link, connection.writer) = (None, None);
            if cut {
                connection.end();
            }
        }
        peer.connections.forget();
        let lost = cut || peer.connections.is_empty();
        if lost && peer.said.is_none() && peer.waiting.is_empty() {
            self.of.remove(id);
        }
        lost
    }
    /// The peer is lost, with all its connections; whether it had said Hello.
    pub fn lost(&mut self, peer: &PeerId) -> bool {
        let Some(state) = self.of.get_mut(peer) else { return false };
        let said = state.said.take().is_some();
        state.connections.end();
        if said {
            // The engine fails them with the peer.
            state.waiting.clear();
        }
        if state.connections.is_empty() && state.waiting.is_empty() {
            self.of.remove(peer);
        }
        said
    }
    /// Every link, with the peer at its other end.
    pub fn each_link(&self, mut act: impl FnMut(&PeerId, &Link<M>)) {
        for (id, peer) in &self.of {
            peer.connections.links().for_each(|link| act(id, link));
        }
    }
    /// Whether a peer has said Hello.
    pub fn is_known(&self, peer: &PeerId) -> bool {
        self.of.get(peer).is_some_and(|p| p.said.is_some())
    }
    /// Lets go of all links: their writers write what is queued, and close.
    pub fn unlink(&mut self) {
        for peer in self.of.values_mut() {
            peer.connections.unlink();
        }
    }

    // Messages.

    /// Queues a message, or lets it wait for a connection, or says at once that neither can be. What is queued goes out once
    /// the writers are rung.
    pub fn send(&mut self, to: &PeerId, message: M, now: impl FnOnce() -> Instant) -> Result<(), Lost> {
        let peer = self.of.entry(to.clone()).or_default();
        let refused = |reason| Lost { id: message.id(), reason };
        if peer.said.is_some_and(|s| (message.payload_bytes() + HEADER_BYTES_MAX) as u64 > s.frame_bytes_max) {
            return Err(refused(Refusal::TooLarge));
        }
        if let Some(link) = peer.connections.best(&self.me, to) {
            link.send(message)?;
            if !std::mem::replace(&mut peer.to_ring, true) {
                self.to_ring.push(to.clone());
            }
            return Ok(());
        }
        if peer.waiting.len() == WAITING_MAX {
            return Err(refused(Refusal::QueueFull));
        }
        let now = now();
        peer.waiting.push_back((now + WAIT_MAX, message));
        peer.redial.get_or_insert(now);
        self.timed.insert(to.clone());
        Ok(())
    }

    /// Wakes the writers of those to whom something has been queued: once for many messages.
    pub fn ring(&mut self) {
        for id in self.to_ring.drain(..) {
            if let Some(peer) = self.of.get_mut(&id) {
                peer.to_ring = false;
                peer.connections.links().for_each(Link::ring);
            }
        }
    }

    // Time.

    /// What has waited too long for a connection.
    pub fn expired(&mut self, now: Instant) -> Vec<Lost> {
        let mut expired = Vec::new();
        for id in &self.timed {
            let Some(peer) = self.of.get_mut(id) else { continue };
            while peer.waiting.front().is_some_and(|(until, _)| *until <= now) {
                let waited = peer.waiting.pop_front();
                expired.extend(waited.map(|(_, message)| Lost { id: message.id(), reason: Refusal::Unreachable }));
            }
            if peer.waiting.is_empty() {
                peer.redial = None;
            }
            if peer.connections.is_empty() && peer.waiting.is_empty() && peer.said.is_none() {
                self.of.remove(id);
            }
        }
        expired
    }
    /// Connections on which the peer has not said Hello in time.
    pub fn silent(&self, now: Instant) -> Vec<(PeerId, ConnectionId)> {
        let silent = |id: &PeerId| {
            let connections = self.of.get(id).into_iter().flat_map(|peer| peer.connections.silent(now));
            connections.map(|c| (id.clone(), c)).collect::<Vec<_>>()
        };
        self.timed.iter().flat_map(silent).collect()
    }
    /// Unconnected peers that messages wait for and that may be dialled now; each is then left alone for a while.
    pub fn dial_next(&mut self, now: Instant) -> Vec<PeerId> {
        let mut all = Vec::new();
        self.timed.retain(|id| {
            let Some(peer) = self.of.get_mut(id) else { return false };
            if !peer.connections.is_open() && peer.redial.is_some_and(|at| at <= now) {
                peer.redial = Some(now + REDIAL_AFTER);
                all.push(id.clone());
            }
            peer.redial.is_some() || !peer.waiting.is_empty() || peer.connections.next().is_some()
        });
        all
    }
    /// When there is next something to do about what waits.
    pub fn next(&self) -> Option<Instant> {
        let next = |peer: &Peer<M>| {
            let waiting = peer.waiting.front().map(|(until, _)| *until);
            let redial = peer.redial.filter(|_| !peer.connections.is_open());
            [waiting, redial, peer.connections.next()].into_iter().flatten().min()
        };
        self.timed.iter().filter_map(|id| self.of.get(id)).filter_map(next).min()
    }
}

#[cfg(test)]
mod tests;
