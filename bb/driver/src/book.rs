//! Where peers are said to be, and what came of looking for them there.
//!
//! Dialling proves who is at an address, so what others announce is taken as it comes, but pushes out nothing better. An
//! address is kept for as long as its source and its score are worth; what the user said is never forgotten.

use crate::address::without_peer;
use bb_engine::PeerId;
use bytes::Bytes;
use libp2p::Multiaddr;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The most addresses that are kept of one peer.
const ADDRESSES_MAX: usize = 8;
/// The most peers whose addresses are kept.
const PEERS_MAX: usize = 4096;
/// A score is from the one to the other: up by one where the peer was reached, down by one where it was not.
const SCORE_MAX: i8 = 4;
const SCORE_MIN: i8 = -4;
/// How long an address is kept that is not said again and where nobody is met.
const ANNOUNCED_FOR: Duration = Duration::from_secs(60 * 60);
const OBSERVED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The same, of one with the least score.
const FAILING_FOR: Duration = Duration::from_secs(10 * 60);
/// How often is looked for what is to be forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How an address came to be known. What is better is kept longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A peer says so.
    Announced,
    /// The peer was there.
    Observed,
    /// The user says so.
    Configured,
}

/// Why an address is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forgotten {
    /// It was never taken: all that is known is better.
    NoRoom,
    /// A better one took its place.
    Displaced,
    /// It was not said again, and nobody was met there, for too long.
    Expired,
    /// Another peer is there.
    SomeoneElse,
}

/// What is known of where peers are, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// Peers of whom an address is known now.
    pub peers: usize,
    /// Addresses that are known now.
    pub known: usize,
    /// Addresses that were new.
    pub learned: u64,
    /// Dials that met the peer.
    pub reached: u64,
    /// Dials that did not.
    pub failed: u64,
    /// Addresses that were not taken: [`Forgotten::NoRoom`].
    pub refused: u64,
    /// [`Forgotten::Displaced`].
    pub displaced: u64,
    /// [`Forgotten::Expired`].
    pub expired: u64,
    /// [`Forgotten::SomeoneElse`].
    pub someone_else: u64,
}

/// The addresses of all peers.
#[derive(Default)]
pub struct AddressBook {
    of: BTreeMap<PeerId, Known>,
    heard_of: u64,
    sweep_at: Option<Instant>,
    counters: Addresses,
    forgotten: Vec<(PeerId, Multiaddr, Forgotten)>,
}

#[derive(Default)]
struct Known {
    /// Best first.
    entries: Vec<Entry>,
    /// Who was heard of before is forgotten before.
    number: u64,
}

struct Entry {
    address: Multiaddr,
    source: Source,
    score: i8,
    /// When it was last said, or the peer met there.
    since: Instant,
}

impl Entry {
    /// What worked goes before what did not, then what the better source says, then what is newer.
    fn rank(&self) -> (i8, Source, Instant) {
        (self.score, self.source, self.since)
    }
    fn is_over(&self, now: Instant) -> bool {
        let kept_for = match self.source {
            Source::Configured => return false,
            _ if self.score == SCORE_MIN => FAILING_FOR,
            Source::Announced => ANNOUNCED_FOR,
            Source::Observed => OBSERVED_FOR,
        };
        now.saturating_duration_since(self.since) >= kept_for
    }
}

impl Known {
    fn sort(&mut self) {
        // Stable: of equals the one that was put in front of the others stays there.
        self.entries.sort_by_key(|e| Reverse(e.rank()));
    }
    fn get_mut(&mut self, address: &Multiaddr) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|e| e.address == *address)
    }
    /// What the best source says of where it is, and how good that is.
    fn worth(&self) -> (Option<Source>, Option<i8>, u64) {
        let source = self.entries.iter().map(|e| e.source).max();
        (source, self.entries.iter().map(|e| e.score).max(), self.number)
    }
}

impl AddressBook {
    /// Keeps an address; whether it is new.
    pub fn add(&mut self, peer: &PeerId, address: Multiaddr, source: Source, now: Instant) -> bool {
        let address = without_peer(address);
        if !self.of.contains_key(peer) && !self.make_room(source) {
            self.forget(peer, address, Forgotten::NoRoom);
            return false;
        }
        self.sweep_at.get_or_insert(now + SWEEP_EVERY);
        let known = self.of.entry(peer.clone()).or_insert_with(|| {
            self.heard_of += 1;
            Known { entries: Vec::new(), number: self.heard_of }
        });
        if let Some(entry) = known.get_mut(&address) {
            (entry.source, entry.since) = (entry.source.max(source), now);
            known.sort();
            return false;
        }
        known.entries.insert(0, Entry { address: address.clone(), source, score: 0, since: now });
        known.sort();
        self.counters.learned += 1;
        if known.entries.len() <= ADDRESSES_MAX {
            return true;
        }
        let worst = known.entries.iter().rposition(|e| e.source != Source::Configured);
        let gone = known.entries.remove(worst.unwrap_or(ADDRESSES_MAX)).address;
        let is_new = gone != address;
        self.counters.learned -= u64::from(!is_new);
        self.forget(peer, gone, if is_new { Forgotten::Displaced } else { Forgotten::NoRoom });
        is_new
    }

    /// The peer was met there.
    pub fn reached(&mut self, peer: &PeerId, address: Multiaddr, now: Instant) {
        let address = without_peer(address);
        self.add(peer, address.clone(), Source::Observed, now);
        self.counters.reached += 1;
        self.judge(peer, &address, |entry| entry.score = (entry.score.max(0) + 1).min(SCORE_MAX));
    }
    /// Nobody was met there.
    pub fn failed(&mut self, peer: &PeerId, address: Multiaddr) {
        self.counters.failed += 1;
        self.judge(peer, &without_peer(address), |entry| entry.score = (entry.score - 1).max(SCORE_MIN));
    }
    /// Another peer was met there.
    pub fn someone_else(&mut self, peer: &PeerId, address: Multiaddr) {
        let address = without_peer(address);
        self.failed(peer, address.clone());
        let is_it = |e: &Entry| e.address == address && e.source != Source::Configured;
        if self.remove(peer, is_it) {
            self.forget(peer, address, Forgotten::SomeoneElse);
        }
    }

    /// What is known of a peer, best first.
    pub fn of(&self, peer: &PeerId, now: Instant) -> Vec<Multiaddr> {
        let entries = self.of.get(peer).into_iter().flat_map(|known| &known.entries);
        entries.filter(|e| !e.is_over(now)).map(|e| e.address.clone()).collect()
    }
    /// The same, as it travels.
    pub fn bytes_of(&self, peer: &PeerId, now: Instant) -> Vec<Bytes> {
        self.of(peer, now).iter().map(|a| Bytes::from(a.to_vec())).collect()
    }

    /// Forgets what is over. Where a peer is connected, what is known of it is as good as new.
    pub fn sweep(&mut self, now: Instant, is_connected: impl Fn(&PeerId) -> bool) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        let mut over = Vec::new();
        for (peer, known) in &mut self.of {
            if is_connected(peer) {
                known.entries.iter_mut().for_each(|e| e.since = now);
            }
            over.extend(known.entries.extract_if(.., |e| e.is_over(now)).map(|e| (peer.clone(), e.address)));
        }
        self.of.retain(|_, known| !known.entries.is_empty());
        for (peer, address) in over {
            self.forget(&peer, address, Forgotten::Expired);
        }
        self.sweep_at = (!self.of.is_empty()).then(|| now + SWEEP_EVERY);
    }
    /// When to sweep.
    pub fn next(&self) -> Option<Instant> {
        self.sweep_at
    }

    /// What was not kept since this was asked last.
    pub fn forgotten(&mut self) -> Vec<(PeerId, Multiaddr, Forgotten)> {
        std::mem::take(&mut self.forgotten)
    }
    /// How often what happened, and what is known.
    pub fn counters(&self) -> Addresses {
        let known = self.of.values().map(|known| known.entries.len()).sum();
        Addresses { peers: self.of.len(), known, ..self.counters }
    }

    fn judge(&mut self, peer: &PeerId, address: &Multiaddr, judge: impl FnOnce(&mut Entry)) {
        if let Some(known) = self.of.get_mut(peer)
            && let Some(entry) = known.get_mut(address)
        {
            judge(entry);
            known.sort();
        }
    }

    /// Room for one more peer: the least of those makes way that nothing better is known of; of equals the first.
    fn make_room(&mut self, source: Source) -> bool {
        if self.of.len() < PEERS_MAX {
            return true;
        }
        let least = self.of.iter().min_by_key(|(_, known)| known.worth());
        let Some((peer, _)) = least.filter(|(_, known)| known.worth().0 <= Some(source)) else { return false };
        let peer = peer.clone();
        for entry in self.of.remove(&peer).into_iter().flat_map(|known| known.entries) {
            self.forget(&peer, entry.address, Forgotten::Displaced);
        }
        true
    }

    /// Takes out what is so; whether anything was.
    fn remove(&mut self, peer: &PeerId, is_so: impl Fn(&Entry) -> bool) -> bool {
        let Some(known) = self.of.get_mut(peer) else { return false };
        let before = known.entries.len();
        known.entries.retain(|e| !is_so(e));
        let removed = known.entries.len() < before;
        if known.entries.is_empty() {
            self.of.remove(peer);
        }
        removed
    }

    fn forget(&mut self, peer: &PeerId, address: Multiaddr, why: Forgotten) {
        *match why {
            Forgotten::NoRoom => &mut self.counters.refused,
            Forgotten::Displaced => &mut self.counters.displaced,
            Forgotten::Expired => &mut self.counters.expired,
            Forgotten::SomeoneElse => &mut self.counters.someone_else,
        } += 1;
        self.forgotten.push((peer.clone(), address, why));
    }
}

#[cfg(test)]
mod tests;
