//! The peers of a node: their connections, and what waits for peers that are not connected.

use super::connection::{Connections, Reader, Reading};
use crate::plane::{Link, Lost, Message};
use bb_engine::{PeerId, Refusal};
use libp2p::swarm::ConnectionId;
use std::collections::{BTreeMap, VecDeque};
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
}

struct Peer<M> {
    connections: Connections<M>,
    /// Once it has said Hello.
    said: Option<Said>,
    waiting: VecDeque<(Instant, M)>,
    /// When it may be dialled again.
    redial: Option<Instant>,
}

impl<M> Default for Peer<M> {
    fn default() -> Self {
        Peer { connections: Connections::default(), said: None, waiting: VecDeque::new(), redial: None }
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
    /// One more connection to the same process.
    Again,
    /// The peer was started anew: these connections to its former process are over.
    Restarted(Vec<ConnectionId>),
    /// On a connection that is over.
    TooLate,
}

impl<M: Message> Peers<M> {
    /// Nobody, seen from `me`.
    pub fn new(me: PeerId) -> Self {
        Peers { me, of: BTreeMap::new() }
    }

    // Connections.

    pub fn connected(&mut self, peer: &PeerId, connection: ConnectionId, dialled: bool, now: Instant) {
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
        connection.reader = Some(Reader(reader()));
        true
    }
    /// Hello has come.
    pub fn heard(&mut self, id: &PeerId, connection: ConnectionId, said: Said) -> Heard {
        let Some(peer) = self.of.get_mut(id) else { return Heard::TooLate };
        match peer.connections.get_mut(connection).map(|c| &mut c.reading) {
            Some(reading @ Reading::Open) => *reading = Reading::Heard,
            _ => return Heard::TooLate,
        }
        let heard = match peer.said.replace(said) {
            None => Heard::First,
            Some(before) if before.epoch == said.epoch => Heard::Again,
            Some(_) => {
                peer.waiting.clear();
                Heard::Restarted(peer.connections.end_all_but(connection))
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
    pub fn linked(&mut self, id: &PeerId, connection: ConnectionId, link: Link<M>) -> Vec<M> {
        let Some(peer) = self.of.get_mut(id) else { return Vec::new() };
        if let Some(connection) = peer.connections.get_mut(connection).filter(|c| c.reading != Reading::Over) {
            connection.link = Some(link);
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
            cut = if connection.is_read() { by_itself } else { connection.link.is_some() };
            connection.closed = true;
            connection.link = None;
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
    /// Those who have said Hello.
    pub fn known(&self) -> Vec<PeerId> {
        self.of.iter().filter(|(_, p)| p.said.is_some()).map(|(id, _)| id.clone()).collect()
    }
    /// Lets go of all links: their writers write what is queued, and close.
    pub fn unlink(&mut self) {
        for peer in self.of.values_mut() {
            peer.connections.unlink();
        }
    }

    // Messages.

    /// Queues a message, or lets it wait for a connection, or says at once that neither can be.
    pub fn send(&mut self, to: &PeerId, message: M, now: Instant) -> Result<(), Lost> {
        let peer = self.of.entry(to.clone()).or_default();
        let refused = |reason| Lost { id: message.id(), reason };
        if peer.said.is_some_and(|s| (message.payload_bytes() + HEADER_BYTES_MAX) as u64 > s.frame_bytes_max) {
            return Err(refused(Refusal::TooLarge));
        }
        if let Some(link) = peer.connections.best(&self.me, to) {
            return link.send(message);
        }
        if peer.waiting.len() == WAITING_MAX {
            return Err(refused(Refusal::QueueFull));
        }
        peer.waiting.push_back((now + WAIT_MAX, message));
        peer.redial.get_or_insert(now);
        Ok(())
    }

    // Time.

    /// What has waited too long for a connection.
    pub fn expired(&mut self, now: Instant) -> Vec<Lost> {
        let mut expired = Vec::new();
        for peer in self.of.values_mut() {
            while peer.waiting.front().is_some_and(|(until, _)| *until <= now) {
                let waited = peer.waiting.pop_front();
                expired.extend(waited.map(|(_, message)| Lost { id: message.id(), reason: Refusal::Unreachable }));
            }
            if peer.waiting.is_empty() {
                peer.redial = None;
            }
        }
        self.of.retain(|_, p| !p.connections.is_empty() || !p.waiting.is_empty() || p.said.is_some());
        expired
    }
    /// Connections on which the peer has not said Hello in time.
    pub fn silent(&self, now: Instant) -> Vec<(PeerId, ConnectionId)> {
        let silent = |(id, peer): (&PeerId, &Peer<M>)| {
            let id = id.clone();
            peer.connections.silent(now).map(move |c| (id.clone(), c)).collect::<Vec<_>>()
        };
        self.of.iter().flat_map(silent).collect()
    }
    /// Unconnected peers that messages wait for and that may be dialled now; each is then left alone for a while.
    pub fn to_dial(&mut self, now: Instant) -> Vec<PeerId> {
        let mut all = Vec::new();
        for (id, peer) in &mut self.of {
            if !peer.connections.is_open() && peer.redial.is_some_and(|at| at <= now) {
                peer.redial = Some(now + REDIAL_AFTER);
                all.push(id.clone());
            }
        }
        all
    }
    /// When there is next something to do about what waits.
    pub fn next(&self) -> Option<Instant> {
        let next = |peer: &Peer<M>| {
            let waiting = peer.waiting.front().map(|(until, _)| *until);
            let redial = peer.redial.filter(|_| !peer.connections.is_open());
            [waiting, redial, peer.connections.next()].into_iter().flatten().min()
        };
        self.of.values().filter_map(next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::sample::Note;
    use bb_engine::SendId;

    const SAID: Said = Said { epoch: 1, frame_bytes_max: 1 << 20 };
    fn peer(n: u8) -> PeerId {
        PeerId::from_bytes(vec![n]).expect("short")
    }
    fn connection(n: usize) -> ConnectionId {
        ConnectionId::new_unchecked(n)
    }
    /// A connection that is up both ways, and its writer's end.
    fn up(
        peers: &mut Peers<Note>,
        id: &PeerId,
        n: usize,
        dialled: bool,
        said: Said,
    ) -> (Heard, crate::plane::Queues<Note>) {
        let (link, queues) = Link::new();
        peers.connected(id, connection(n), dialled, Instant::now());
        let reader = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        assert!(peers.read(id, connection(n), reader));
        assert!(!peers.read(id, connection(n), reader), "one stream");
        peers.linked(id, connection(n), link);
        (peers.heard(id, connection(n), said), queues)
    }

    #[tokio::test]
    async fn both_peers_settle_on_the_connection_that_the_smaller_one_dialled() {
        for (me, other, mine_wins) in [(peer(1), peer(2), true), (peer(2), peer(1), false)] {
            for mine_first in [true, false] {
                let mut peers = Peers::new(me.clone());
                let (_, mut first) = up(&mut peers, &other, 0, mine_first, SAID);
                assert_eq!(peers.send(&other, Note::data(1, 1), Instant::now()), Ok(()));
                let (heard, mut second) = up(&mut peers, &other, 1, !mine_first, SAID);
                assert_eq!(heard, Heard::Again);
                assert_eq!(peers.send(&other, Note::data(2, 1), Instant::now()), Ok(()));
                let first_wins = mine_first == mine_wins;
                // What was queued before goes out all the same; then the loser's writer is let go.
                assert_eq!(first.next().await.map(|n| n.id()), Some(SendId(1)));
                let (winner, loser) = if first_wins { (&mut first, &mut second) } else { (&mut second, &mut first) };
                assert_eq!(winner.next().await.map(|n| n.id()), Some(SendId(2)));
                assert!(loser.next().await.is_none(), "let go");
                // The other side lets go as well: its goodbye is not the peer's end.
                let loser = connection(if first_wins { 1 } else { 0 });
                assert!(!peers.ended(&other, loser, true));
                assert!(!peers.closed(&other, loser, false));
                assert!(peers.is_connected(&other));
            }
        }
    }

    #[tokio::test]
    async fn a_second_connection_without_hello_is_not_written_to_alone() {
        let mut peers = Peers::new(peer(1));
        let (_, first) = up(&mut peers, &peer(2), 0, false, SAID);
        peers.connected(&peer(2), connection(1), true, Instant::now());
        let (link, _second) = Link::new();
        peers.linked(&peer(2), connection(1), link);
        assert!(!first.is_let_go(), "the second has not been heard on");
        let now = Instant::now() + HELLO_WITHIN;
        assert_eq!(peers.silent(now), [(peer(2), connection(1))]);
    }

    #[tokio::test]
    async fn a_restarted_peer_ends_what_was_there_of_it() {
        let mut peers = Peers::new(peer(1));
        let (heard, mut old) = up(&mut peers, &peer(2), 0, true, SAID);
        assert_eq!(heard, Heard::First);
        let (heard, _new) = up(&mut peers, &peer(2), 1, false, Said { epoch: 2, ..SAID });
        assert_eq!(heard, Heard::Restarted(vec![connection(0)]));
        assert!(old.next().await.is_none());
        assert!(!peers.is_heard(&peer(2), connection(0)));
        assert!(peers.is_heard(&peer(2), connection(1)));
    }

    #[test]
    fn messages_wait_for_a_connection_and_then_no_longer() {
        let (mut peers, now) = (Peers::new(peer(1)), Instant::now());
        for id in 0..WAITING_MAX as u64 {
            assert_eq!(peers.send(&peer(2), Note::data(id, 1), now), Ok(()));
        }
        let full = Lost { id: SendId(5000), reason: Refusal::QueueFull };
        assert_eq!(peers.send(&peer(2), Note::data(5000, 1), now), Err(full));
        assert_eq!(peers.to_dial(now), [peer(2)]);
        assert_eq!(peers.to_dial(now), [], "one attempt at a time");
        assert_eq!(peers.next(), Some(now + REDIAL_AFTER));
        assert_eq!(peers.expired(now + WAIT_MAX).len(), WAITING_MAX);
        assert_eq!(peers.next(), None);
        assert!(peers.of.is_empty(), "nothing is left of a peer that nobody waits for");
    }

    #[tokio::test]
    async fn a_message_larger_than_the_peer_takes_is_refused() {
        let mut peers = Peers::new(peer(1));
        let (_, _queues) = up(&mut peers, &peer(2), 0, true, SAID);
        let large = Note::data(3, 1 << 20);
        let lost = Lost { id: SendId(3), reason: Refusal::TooLarge };
        assert_eq!(peers.send(&peer(2), large, Instant::now()), Err(lost));
    }

    #[tokio::test]
    async fn the_last_goodbye_and_any_cut_are_the_loss_of_the_peer() {
        for goodbye in [true, false] {
            let mut peers = Peers::new(peer(1));
            let (_, _first) = up(&mut peers, &peer(2), 0, true, SAID);
            let (_, _second) = up(&mut peers, &peer(2), 1, false, SAID);
            assert_eq!(peers.ended(&peer(2), connection(1), goodbye), !goodbye);
            assert!(peers.ended(&peer(2), connection(0), goodbye));
            assert!(!peers.ended(&peer(2), connection(0), goodbye), "once");
        }
    }

    #[tokio::test]
    async fn a_lost_peer_leaves_nothing_once_its_connections_are_closed() {
        let mut peers = Peers::new(peer(1));
        let (_, _queues) = up(&mut peers, &peer(2), 0, true, SAID);
        assert!(!peers.closed(&peer(2), connection(0), false), "its reader tells");
        assert!(peers.ended(&peer(2), connection(0), false));
        assert!(peers.lost(&peer(2)));
        assert!(peers.of.is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_this_node_closes_is_a_loss_at_once_and_its_reader_ends() {
        let mut peers = Peers::<Note>::new(peer(1));
        let mut readers = tokio::task::JoinSet::new();
        peers.connected(&peer(2), connection(0), true, Instant::now());
        assert!(peers.read(&peer(2), connection(0), || readers.spawn(std::future::pending::<()>())));
        assert!(peers.closed(&peer(2), connection(0), true));
        assert!(readers.join_next().await.is_some_and(|r| r.is_err_and(|e| e.is_cancelled())));
        assert!(peers.of.is_empty());
    }
}
