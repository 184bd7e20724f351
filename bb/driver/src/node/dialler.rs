//! Addresses that a node wants to be connected to: tried again, with growing pauses, until it is.

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use std::time::Duration;
use tokio::time::Instant;

/// The first pause.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// All such addresses.
#[derive(Default)]
pub struct Dialler {
    wanted: Vec<Wanted>,
}

struct Wanted {
    address: Multiaddr,
    pause: Duration,
    state: State,
}

enum State {
    Idle { until: Instant },
    Dialling(ConnectionId),
    Connected(PeerId),
}

impl Dialler {
    /// One more address, to be dialled at once.
    pub fn want(&mut self, address: Multiaddr, now: Instant) {
        if self.wanted.iter().all(|w| w.address != address) {
            self.wanted.push(Wanted { address, pause: PAUSE_MIN, state: State::Idle { until: now } });
        }
    }
    /// The next address whose pause is over; the caller dials it and says [`Dialler::dialling`] or [`Dialler::failed`].
    pub fn due(&self, now: Instant) -> Option<Multiaddr> {
        let due = |w: &&Wanted| matches!(w.state, State::Idle { until } if until <= now);
        self.wanted.iter().find(due).map(|w| w.address.clone())
    }
    /// When the next pause is over.
    pub fn next(&self) -> Option<Instant> {
        let idle = |w: &Wanted| match w.state {
            State::Idle { until } => Some(until),
            _ => None,
        };
        self.wanted.iter().filter_map(idle).min()
    }
    pub fn dialling(&mut self, address: &Multiaddr, connection: ConnectionId) {
        if let Some(wanted) = self.wanted.iter_mut().find(|w| w.address == *address) {
            wanted.state = State::Dialling(connection);
        }
    }
    /// The address leads to a peer that is connected.
    pub fn connected(&mut self, connection: ConnectionId, peer: PeerId) {
        let this = |w: &&mut Wanted| matches!(w.state, State::Dialling(c) if c == connection);
        if let Some(wanted) = self.wanted.iter_mut().find(this) {
            wanted.state = State::Connected(peer);
        }
    }
    /// The peer is connected already, and need not be dialled.
    pub fn reached(&mut self, address: &Multiaddr, peer: PeerId) {
        if let Some(wanted) = self.wanted.iter_mut().find(|w| w.address == *address) {
            wanted.state = State::Connected(peer);
        }
    }
    /// The peer speaks the protocol: the next pauses are short again.
    pub fn heard(&mut self, peer: &PeerId) {
        for wanted in self.wanted.iter_mut().filter(|w| matches!(&w.state, State::Connected(p) if p == peer)) {
            wanted.pause = PAUSE_MIN;
        }
    }
    /// An attempt failed: which address, and how long the pause is. `random` keeps nodes that failed together from
    /// trying again together.
    pub fn failed(&mut self, connection: ConnectionId, now: Instant, random: u64) -> Option<(Multiaddr, Duration)> {
        let this = |w: &&mut Wanted| matches!(w.state, State::Dialling(c) if c == connection);
        let wanted = self.wanted.iter_mut().find(this)?;
        let pause = wanted.rest(now, random);
        Some((wanted.address.clone(), pause))
    }
    /// The last connection to a peer is gone.
    pub fn lost(&mut self, peer: &PeerId, now: Instant, random: u64) {
        for wanted in self.wanted.iter_mut().filter(|w| matches!(&w.state, State::Connected(p) if p == peer)) {
            wanted.rest(now, random);
        }
    }
}

impl Wanted {
    /// Between half of the pause and all of it; the next one is twice as long.
    fn rest(&mut self, now: Instant, random: u64) -> Duration {
        let half = self.pause / 2;
        let pause = half + half.mul_f64(random as f64 / u64::MAX as f64);
        self.state = State::Idle { until: now + pause };
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_the_address_is_reached() {
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
        let start = Instant::now();
        let mut dialler = Dialler::default();
        dialler.want(address.clone(), start);
        dialler.want(address.clone(), start);
        let mut now = start;
        let mut pauses = Vec::new();
        for n in 0..8 {
            assert_eq!(dialler.due(now), Some(address.clone()));
            let connection = ConnectionId::new_unchecked(n);
            dialler.dialling(&address, connection);
            assert_eq!(dialler.due(now + PAUSE_MAX), None, "one attempt at a time");
            let (_, pause) = dialler.failed(connection, now, u64::MAX).expect("it was dialling");
            assert_eq!(dialler.due(now), None);
            now += pause;
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        let (connection, peer) = (ConnectionId::new_unchecked(9), PeerId::random());
        dialler.dialling(&address, connection);
        dialler.connected(connection, peer);
        assert_eq!(dialler.next(), None);
        dialler.lost(&peer, now, 0);
        assert_eq!(dialler.next(), Some(now + PAUSE_MAX / 2), "it never spoke; and half is the least");
        dialler.reached(&address, peer);
        dialler.heard(&peer);
        dialler.lost(&peer, now, u64::MAX);
        assert_eq!(dialler.next(), Some(now + PAUSE_MIN));
    }
}
