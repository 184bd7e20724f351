//! The connections to one peer: usually one, two where both dialled at once, and which of them is written to.

use crate::plane::Link;
use bb_engine::PeerId;
use libp2p::swarm::ConnectionId;
use std::collections::BTreeMap;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// One connection.
pub struct Connection<M> {
    /// Whether this node made it.
    dialled: bool,
    pub link: Option<Link<M>>,
    pub reading: Reading,
    pub reader: Option<Task>,
    pub writer: Option<Task>,
    /// Until when the peer has to say Hello.
    hello_by: Instant,
    /// The transport has closed it; its reader has not told yet.
    pub closed: bool,
}

/// What has come on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// No stream.
    NotYet,
    /// A stream.
    Open,
    /// Hello.
    Heard,
    /// Everything that will.
    Over,
}

/// A reader or writer, which ends with its connection. Yamux 0.14.1 does not wake who waits for a stream when this node
/// closes the connection.
pub struct Task(pub AbortHandle);
impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All connections to one peer.
pub struct Connections<M> {
    all: BTreeMap<ConnectionId, Connection<M>>,
}

impl<M> Default for Connections<M> {
    fn default() -> Self {
        Connections { all: BTreeMap::new() }
    }
}

impl<M> Connections<M> {
    pub fn add(&mut self, id: ConnectionId, dialled: bool, hello_by: Instant) {
        let reading = Reading::NotYet;
        let connection =
            Connection { dialled, link: None, writer: None, reading, reader: None, hello_by, closed: false };
        self.all.insert(id, connection);
    }
    pub fn get(&self, id: ConnectionId) -> Option<&Connection<M>> {
        self.all.get(&id)
    }
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<M>> {
        self.all.get_mut(&id)
    }
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
    /// Whether the transport has any.
    pub fn is_open(&self) -> bool {
        self.all.values().any(|c| !c.closed)
    }
    /// Whether anything may still come.
    pub fn is_alive(&self) -> bool {
        self.all.values().any(|c| c.reading != Reading::Over)
    }

    /// Whether the peer has dialled that connection while it had dialled another: a node makes one at a time, so the peer
    /// has lost the other, and only this end has not heard of it.
    pub fn is_dialled_again(&self, id: ConnectionId) -> bool {
        let theirs = |(_, c): &(&ConnectionId, &Connection<M>)| !c.dialled && c.reading != Reading::Over;
        let mut all = self.all.iter().filter(theirs);
        self.all.get(&id).is_some_and(|c| !c.dialled) && all.any(|(other, _)| *other != id)
    }

    /// The link to write to: that of the connection which the peer of smaller identity dialled. Both peers choose the
    /// same one, so both let go of the other.
    pub fn best(&self, me: &PeerId, peer: &PeerId) -> Option<&Link<M>> {
        let linked = self.all.values().filter(|c| c.link.is_some());
        linked.min_by_key(|c| c.dialler(me, peer)).and_then(|c| c.link.as_ref())
    }

    /// Lets go of every link that is worse than one on which the peer has been heard: it reads and writes there too. The
    /// writers of the others write what they have, and say goodbye. A better one that is not heard yet stays.
    pub fn settle(&mut self, me: &PeerId, peer: &PeerId) {
        let ready = self.all.values().filter(|c| c.link.is_some() && c.reading == Reading::Heard);
        let Some(best) = ready.map(|c| c.dialler(me, peer)).min() else { return };
        for connection in self.all.values_mut().filter(|c| c.dialler(me, peer) > best) {
            connection.link = None;
        }
    }

    /// Nothing more goes out or comes in on any.
    pub fn end(&mut self) {
        self.all.values_mut().for_each(Connection::give_up);
        self.forget();
    }
    /// The same, on all but one; those that the transport still has.
    pub fn end_all_but(&mut self, id: ConnectionId) -> Vec<ConnectionId> {
        let others = self.all.iter_mut().filter(|(other, _)| **other != id);
        let mut open = Vec::new();
        for (other, connection) in others {
            connection.give_up();
            open.extend((!connection.closed).then_some(*other));
        }
        self.forget();
        open
    }
    /// All links.
    pub fn links(&self) -> impl Iterator<Item = &Link<M>> {
        self.all.values().filter_map(|c| c.link.as_ref())
    }
    /// Lets go of all links.
    pub fn unlink(&mut self) {
        for connection in self.all.values_mut() {
            connection.link = None;
        }
    }
    /// Drops those that the transport has closed and on which nothing will come.
    pub fn forget(&mut self) {
        self.all.retain(|_, c| !c.closed || c.is_read());
    }

    /// Those that have not said Hello in time.
    pub fn silent(&self, now: Instant) -> impl Iterator<Item = ConnectionId> {
        self.all.iter().filter(move |(_, c)| c.waits_for_hello() && c.hello_by <= now).map(|(id, _)| *id)
    }
    /// Until when the next has to say Hello.
    pub fn next(&self) -> Option<Instant> {
        self.all.values().filter(|c| c.waits_for_hello()).map(|c| c.hello_by).min()
    }
}

impl<M> Connection<M> {
    /// Nothing more comes in, and nothing new goes out.
    pub fn end(&mut self) {
        (self.link, self.reader, self.reading) = (None, None, Reading::Over);
    }
    /// The same, and what waits to go out is lost.
    fn give_up(&mut self) {
        self.end();
        self.writer = None;
    }
    /// Whether something may be lost if it is closed now.
    pub fn is_written(&self) -> bool {
        self.writer.as_ref().is_some_and(|w| !w.0.is_finished())
    }
    pub fn is_read(&self) -> bool {
        matches!(self.reading, Reading::Open | Reading::Heard)
    }
    fn dialler<'a>(&self, me: &'a PeerId, peer: &'a PeerId) -> &'a PeerId {
        if self.dialled { me } else { peer }
    }
    fn waits_for_hello(&self) -> bool {
        !self.closed && matches!(self.reading, Reading::NotYet | Reading::Open)
    }
}
