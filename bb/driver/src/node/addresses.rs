//! What the book learns: from the user, from peers, and from what comes of dialling.

use super::Node;
use crate::address;
use crate::book::Source;
use crate::event::Event;
use bb_engine::{Input, PeerId};
use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::swarm::DialError;
use tokio::time::Instant;

impl Node {
    /// An address that a peer told, of itself or of another; whether it is new. One that cannot be dialled is none.
    pub(super) fn announced(&mut self, peer: &PeerId, bytes: &Bytes) -> bool {
        let address = Multiaddr::try_from(bytes.to_vec()).ok().filter(|a| address::check(a).is_ok());
        let new = address.is_some_and(|a| self.book.add(peer, a, Source::Announced, Instant::now()));
        self.tell_forgotten();
        new
    }

    /// Those that a checkpoint remembers, at the start.
    pub(super) fn recall_addresses(&mut self) {
        let all = self.engine.addresses().map(|(peer, addresses)| (peer.clone(), addresses.to_vec()));
        for (peer, addresses) in all.collect::<Vec<_>>() {
            // The best is said last.
            addresses.iter().rev().for_each(|bytes| _ = self.announced(&peer, bytes));
        }
    }

    /// A dial met the peer there, and nobody at those that were tried beside it.
    pub(super) fn met(&mut self, peer: &PeerId, at: Multiaddr, failed: Vec<Multiaddr>) {
        failed.into_iter().for_each(|address| self.book.failed(peer, address));
        self.book.reached(peer, at, Instant::now());
        self.judged(peer);
    }

    /// A dial did not meet the peer.
    pub(super) fn missed(&mut self, peer: &PeerId, error: &DialError) {
        match error {
            DialError::Transport(failed) => failed.iter().for_each(|(a, _)| self.book.failed(peer, a.clone())),
            DialError::WrongPeerId { address, .. } => self.book.someone_else(peer, address.clone()),
            // Nothing was tried, or this node gave it up.
            _ => return,
        }
        self.judged(peer);
    }

    pub(super) fn sweep_addresses(&mut self, now: Instant) {
        let peers = &self.peers;
        self.book.sweep(now, |peer| peers.is_connected(peer));
        self.tell_forgotten();
    }

    /// What the engine hands on of a peer, best first.
    pub(super) fn tell_addresses(&mut self, peer: &PeerId) {
        let addresses = self.book.bytes_of(peer, Instant::now());
        self.tell(Input::Addresses { peer: peer.clone(), addresses });
    }

    /// Another address may be the best from here on.
    fn judged(&mut self, peer: &PeerId) {
        self.tell_addresses(peer);
        self.tell_forgotten();
    }

    pub(super) fn tell_forgotten(&mut self) {
        let forgotten = self.book.forgotten();
        for (peer, address, why) in forgotten {
            if why != crate::book::Forgotten::NoRoom {
                self.tell_addresses(&peer);
            }
            self.publish(Event::AddressForgotten { peer, address: address.to_string(), why });
        }
    }
}
