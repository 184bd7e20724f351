//! A peer's place among all: taken when it is first met, and given to another when it is gone and nothing is lost by that.
//!
//! Identities cost nothing to make up, so there are at most as many places as [`crate::Limits::peers_max`]. As long as some
//! are free nobody is forgotten. Then a place is given away of a peer that is not connected, to which nothing is in flight,
//! and which the gates do not keep waiting: at once where nothing that it said can have had an effect here, else when it
//! has been gone for as long as anything may take. By then neither a frame nor a message is left of what it sent, so
//! nothing can come twice. Who finds no place is refused.
//!
//! A process that was forgotten may remember this one, and which of its numbers it has seen. So a peer that is met begins
//! above every number that was ever given to one that was forgotten; Hello says where. That makes numbers unique in a place,
//! too: a refusal that the host still had for who was there before names none of the next one's.
//!
//! What a durable peer sent before it went down for so long may have had its effect here, and it would send that again. So
//! once somebody was forgotten of whom something had its effect, Hello says to each new peer that it may be the one, until
//! that acknowledges the numbers that begin here; and who hears it sends nothing again.
//!
//! A durable engine tells nobody that its numbers begin above what a crash would leave of that: checkpoints say of more than
//! are in use that they may be, and who would need one beyond those finds no place until the next checkpoint is safe.

use super::super::Engine;
use super::connection::VIOLATIONS_WITHIN;
use super::{Outbox, Peer, PeerIx, Peers};
use crate::event::LimitKind;
use crate::time::Time;
use bb_ir::limits::REMAINING_NS_MAX;
use bb_ir::peer::PeerId;
use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a peer is remembered after it has left: nothing of what it sent lives longer.
const REMEMBERED: Duration = Duration::from_nanos(REMAINING_NS_MAX);
/// How many places are looked at for one that can be given away. They are looked at in turn.
const LOOKS_MAX: usize = 32;
/// How many numbers more than are needed a checkpoint says may be in use.
const AHEAD: u64 = 1 << 16;

/// When a peer left, and which of all leavings that was: 0 while it is connected.
#[derive(Clone, Copy, Default)]
pub struct Left {
    pub at: Time,
    number: u64,
}

/// Peers that have left, in that order. Entries of those that came back are dropped when they are looked at.
#[derive(Default)]
pub struct Gone {
    /// Of what they said nothing had an effect.
    strangers: VecDeque<(PeerIx, u64)>,
    others: VecDeque<(PeerIx, u64)>,
    leavings: u64,
}

/// Up to where numbers of new peers may begin, by the checkpoints of a durable engine.
#[derive(Default)]
pub struct Committed {
    /// What the next checkpoint says, if that is more than `begin`.
    wanted: u64,
    safe: u64,
    /// What each checkpoint that is being written says.
    saving: VecDeque<(u64, u64)>,
}

impl Gone {
    /// Those of whom something may have had an effect, or the others.
    fn of(&mut self, mattered: bool) -> &mut VecDeque<(PeerIx, u64)> {
        if mattered { &mut self.others } else { &mut self.strangers }
    }
}

impl Peer {
    /// Whether anything it has said may have had an effect here, and it could say it again.
    pub fn matters(&self) -> bool {
        let heard = self.contiguous > self.settled || !self.beyond.is_empty();
        self.mattered || (heard && !self.classes.is_empty())
    }
    /// Above all numbers that were given to it. One is left out: messages without a number go by it.
    fn above(&self) -> u64 {
        self.outbox.next_number() + 1
    }
    /// Whether something is in flight to it, or it has broken the rules a short while ago.
    fn is_busy(&self, now: Time) -> bool {
        self.outbox.has_messages() || self.violations.back().is_some_and(|at| at.after(VIOLATIONS_WITHIN) > now)
    }
}

impl Peers {
    /// The number of a peer that has one.
    pub fn find(&self, peer: &PeerId) -> Option<PeerIx> {
        self.by_id.get(peer).copied()
    }
    /// A peer's number, and a place of its own where it has none, however many there are.
    pub fn intern(&mut self, peer: &PeerId) -> PeerIx {
        self.find(peer).unwrap_or_else(|| {
            let ix = PeerIx(self.all.len() as u32);
            self.all.push(Peer::default());
            self.settle_in(ix, peer);
            ix
        })
    }
    /// A peer that is new takes a place that is empty.
    fn settle_in(&mut self, ix: PeerIx, peer: &PeerId) {
        let addresses = self.heard_of.remove(peer).unwrap_or_default();
        let (began, to_greet) = (self.begin, self.begin > 1);
        let outbox = Outbox::beginning(began);
        let unmet = self.forgot.then_some(began);
        *self.at(ix) = Peer { id: Some(peer.clone()), addresses, began, to_greet, unmet, outbox, ..Peer::default() };
        self.by_id.insert(peer.clone(), ix);
        self.leaves(ix, Time(0));
    }
    /// A peer that is new takes the place of one that is forgotten.
    pub fn replace(&mut self, ix: PeerIx, peer: &PeerId) {
        let old = std::mem::take(self.at(ix));
        self.forgot |= old.mattered || old.matters();
        self.begin = self.begin.max(old.above());
        if let Some(id) = &old.id {
            self.by_id.remove(id);
        }
        self.settle_in(ix, peer);
    }
    /// Where the numbers to the next new peer begin behind a restore of what is saved now.
    pub fn begin_saved(&self) -> u64 {
        self.begin.max(self.committed.wanted)
    }
    /// The same, when that is restored.
    pub fn set_begin(&mut self, begin: u64, forgot: bool) {
        self.begin = self.begin.max(begin);
        self.committed.safe = self.begin;
        self.forgot |= forgot;
    }
    /// A checkpoint of this number says it.
    pub fn saved_by(&mut self, checkpoint: u64) {
        self.committed.saving.push_back((checkpoint, self.begin_saved()));
    }
    /// It, and all before it, are written.
    pub fn safe_by(&mut self, checkpoint: u64) {
        while let Some((number, begin)) = self.committed.saving.front().copied()
            && number <= checkpoint
        {
            self.committed.saving.pop_front();
            self.committed.safe = begin;
        }
    }
    /// Whether somebody waits for a checkpoint to say it that is not under way.
    pub fn wants_checkpoint(&self) -> bool {
        let Committed { wanted, safe, saving } = &self.committed;
        *wanted > saving.back().map_or(*safe, |(_, begin)| *begin)
    }
    /// Whether a peer may be one that was forgotten, and has not said yet that it knows of that.
    pub fn may_have_forgotten(&self, ix: Option<PeerIx>) -> bool {
        ix.map_or(self.forgot, |ix| self.all[ix.0 as usize].unmet.is_some())
    }
    /// A peer says that all up to there has arrived: what it was told in a Hello among it.
    pub fn meets(&mut self, ix: PeerIx, ack: u64) {
        let peer = self.at(ix);
        if peer.unmet.is_some_and(|first| ack.saturating_add(1) >= first) {
            peer.unmet = None;
        }
    }
    /// Whether anybody was forgotten of whom something had its effect.
    pub fn has_forgotten(&self) -> bool {
        self.forgot
    }
    /// What a Hello says to a peer that has heard one on this connection: the same, with what there is more.
    pub fn told(&self, ix: PeerIx) -> u64 {
        let peer = &self.all[ix.0 as usize];
        peer.told.unwrap_or_else(|| peer.outbox.first_unsafe())
    }
    /// What messages to a peer go by that have no number.
    pub fn unnumbered(&self, ix: PeerIx) -> u64 {
        self.all[ix.0 as usize].began.saturating_sub(1)
    }
    /// Whether a number was given to the peer that has this place, not to one before it.
    pub fn is_of(&self, ix: PeerIx, number: u64) -> bool {
        self.all.get(ix.0 as usize).is_some_and(|peer| number >= peer.began.saturating_sub(1))
    }
    /// What Hello says to a peer is settled.
    pub fn greet(&mut self, ix: PeerIx) -> u64 {
        let peer = self.at(ix);
        peer.to_greet = false;
        let settled = peer.outbox.first_unsafe();
        peer.told = Some(settled);
        settled
    }
    /// Whether a peer was told where its numbers begin.
    pub fn is_greeted(&self, ix: PeerIx) -> bool {
        !self.all[ix.0 as usize].to_greet
    }

    /// A peer is not connected from then on.
    pub fn leaves(&mut self, ix: PeerIx, at: Time) {
        self.gone.leavings += 1;
        let number = self.gone.leavings;
        let me = self.all[ix.0 as usize].id.as_ref() == Some(&self.me);
        let all = self.all.len();
        let peer = self.at(ix);
        peer.left = Left { at, number };
        peer.outbox.shrink();
        if me {
            return;
        }
        let mattered = peer.mattered;
        let queue = self.gone.of(mattered);
        queue.push_back((ix, number));
        if queue.len() > 2 * all + LOOKS_MAX {
            let mut queue = std::mem::take(queue);
            queue.retain(|entry| self.is_gone(*entry));
            *self.gone.of(mattered) = queue;
        }
    }
    /// Who was restored has left in that order.
    pub fn all_left(&mut self) {
        self.gone = Gone::default();
        let mut order: Vec<PeerIx> = self.numbers().collect();
        order.sort_by_key(|ix| self.all[ix.0 as usize].left.at);
        order.into_iter().for_each(|ix| self.leaves(ix, self.all[ix.0 as usize].left.at));
    }
    fn is_gone(&self, (ix, number): (PeerIx, u64)) -> bool {
        self.all.get(ix.0 as usize).is_some_and(|peer| peer.left.number == number)
    }
    /// A place that can be given away; all that happens before `until` has happened.
    pub fn vacancy(&mut self, now: Time, until: Time, durable: bool, waits: impl Fn(PeerIx) -> bool) -> Option<PeerIx> {
        let most = if durable { self.committed.safe } else { u64::MAX };
        let wanted = Cell::new(0);
        let all = &self.all;
        let waits = |ix: PeerIx| {
            let begin = all[ix.0 as usize].above();
            let uncommitted = begin > most && !waits(ix);
            if uncommitted {
                wanted.set(wanted.get().max(begin + AHEAD));
            }
            uncommitted || waits(ix)
        };
        let mut gone = std::mem::take(&mut self.gone);
        let over = |peer: &Peer| peer.left.at.after(REMEMBERED) < until;
        let found = self.look(&mut gone.strangers, now, |_| true, &waits);
        let found = found.or_else(|| self.look(&mut gone.others, now, over, &waits));
        self.gone = gone;
        self.committed.wanted = self.committed.wanted.max(if found.is_none() { wanted.get() } else { 0 });
        found
    }
    fn look(
        &self,
        queue: &mut VecDeque<(PeerIx, u64)>,
        now: Time,
        over: impl Fn(&Peer) -> bool,
        waits: &impl Fn(PeerIx) -> bool,
    ) -> Option<PeerIx> {
        let mut looks = LOOKS_MAX.min(queue.len());
        while looks > 0
            && let Some(entry) = queue.front().copied()
        {
            let peer = self.all.get(entry.0.0 as usize).filter(|_| self.is_gone(entry));
            if peer.is_some_and(|peer| !over(peer)) {
                return None;
            }
            queue.pop_front();
            let Some(peer) = peer else { continue };
            if !peer.is_busy(now) && !waits(entry.0) {
                return Some(entry.0);
            }
            queue.push_back(entry);
            looks -= 1;
        }
        None
    }
    /// Forgets who was numbered from there on.
    pub fn truncate(&mut self, len: usize) {
        for peer in self.all.drain(len..) {
            let Some(id) = peer.id else { continue };
            self.by_id.remove(&id);
            if !peer.addresses.is_empty() {
                self.heard_of.insert(id, peer.addresses);
            }
        }
    }
}

impl Engine {
    /// A peer's number; `None` where it has none and there is no place for it.
    pub(in crate::step) fn intern(&mut self, id: &PeerId) -> Option<PeerIx> {
        if let Some(ix) = self.peers.find(id) {
            return Some(ix);
        }
        if self.peers.len() < self.config.limits.peers_max || *id == self.config.peer {
            return Some(self.peers.intern(id));
        }
        let (now, gates) = (self.now, &self.gates);
        // Where time has jumped, frames may be there whose time is over.
        let until = self.timers.next().map_or(now, |next| next.min(now));
        let durable = self.config.durable;
        let ix = self.peers.vacancy(now, until, durable, |ix| gates.keeps_waiting(ix, now))?;
        self.gates.forget(ix);
        self.peers.replace(ix, id);
        Some(ix)
    }
    /// The same, and where there is none the host learns.
    pub(in crate::step) fn intern_or_tell(&mut self, id: &PeerId) -> Option<PeerIx> {
        let ix = self.intern(id);
        if ix.is_none() {
            self.limit(LimitKind::KnownPeers, None);
        }
        ix
    }
}

#[cfg(test)]
mod tests;
