//! Peers come and go: what they say of themselves, and what their going means for who waits for them.

use super::super::Engine;
use super::super::frame::{DONE, FrameRef};
use super::super::lanes::{LaneRecv, lanes_of};
use super::super::timers::Timer;
use super::PeerIx;
use super::places::Left;
use crate::Standing;
use crate::bugs::{Bug, has};
use crate::event::{Cause, DisconnectReason, EngineStep, Event, LimitKind};
use crate::plan::{NodeKind, RecvIx, RecvPlan};
use bb_ir::difference::of_offers;
use bb_ir::failure::FailureCode;
use bb_ir::hello::{self, Hello};
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How many refused frames in how long end a connection.
const VIOLATIONS_MAX: usize = 3;
pub(super) const VIOLATIONS_WITHIN: Duration = Duration::from_secs(60);
/// How long an acknowledgement waits for a message to travel with.
const ACK_DELAY: Duration = Duration::from_millis(50);
/// How many messages do not wait for it.
const ACK_AFTER: u32 = 64;
/// Nobody has sent so many messages: who says so lies.
const NUMBER_MAX: u64 = u64::MAX / 4;

impl Engine {
    /// Where a peer can be reached, as the host says.
    pub(in crate::step) fn addresses_of(&mut self, peer: PeerId, addresses: Vec<Bytes>) {
        if !self.peers.set_addresses(peer, addresses, self.config.limits.heard_of_max) {
            self.limit(LimitKind::HeardOf, None);
        }
    }

    pub(in crate::step) fn connected(&mut self, id: PeerId, hello: Bytes) {
        if !self.rx_gates(&id) {
            let blocked = self.gates.governor.standing(&id) == Standing::Blocked;
            let reason = if blocked { DisconnectReason::Blocked } else { DisconnectReason::BackingOff };
            self.steps.push_back(EngineStep::Disconnect { peer: id, reason });
            return;
        }
        let hello = match hello::decode(hello, &self.config.limits.wire).map_err(|refusal| refusal.to_string()) {
            Ok(hello) if hello.next_seq <= NUMBER_MAX => hello,
            refused => {
                let reason = refused.err().unwrap_or_else(|| "more is settled than can have been sent".into());
                self.event(Event::EnvelopeRefused { peer: id.clone(), reason });
                self.send_away(&id, DisconnectReason::BadHello);
                return;
            }
        };
        if self.peers.is_connected(&id) {
            self.disconnected(&id);
        }
        // Whose place was given away since Hello was said to it was told another number.
        let Some(ix) = self.intern(&id).filter(|ix| self.peers.is_greeted(*ix)) else {
            self.limit(LimitKind::KnownPeers, None);
            self.steps.push_back(EngineStep::Disconnect { peer: id, reason: DisconnectReason::TooManyPeers });
            return;
        };
        // Its Hello is an answer.
        self.peer_answers(ix, None);
        let peer = self.peers.at(ix);
        let before = peer.epoch.replace(hello.epoch);
        let same = before == Some(hello.epoch) || has(Bug::EpochIgnored);
        if !same {
            // Another start of that peer: it counts from the beginning.
            peer.contiguous = 0;
            peer.beyond.clear();
        }
        // What it has settled will not come any more, arrived or not.
        peer.settled = hello.next_seq.saturating_sub(1);
        peer.contiguous = peer.contiguous.max(peer.settled);
        peer.close_gaps();
        if peer.addresses.is_empty() {
            // They are kept longer than the frame they came in.
            peer.addresses = hello.addresses.iter().map(|a| Bytes::copy_from_slice(a)).collect();
        }
        let classes = self.admitted(&id, hello.classes.iter().map(|c| c.name.as_str()));
        for graph in 0..self.graphs.len() {
            self.compare(graph, &id, &hello);
        }
        self.joined(&id, &classes);
        let forgotten = hello.forgot;
        self.peers.enters(ix, classes);
        let (now, peer) = (self.now, self.peers.at(ix));
        (peer.hello, peer.left) = (Some(hello), Left::default());
        peer.admit(&self.graphs);
        peer.outbox.heard();
        let left = peer.outbox.left_behind();
        // What was given up since Hello was said to it is waited for.
        let given_up = peer.told.take().map_or(0..0, |told| peer.outbox.unsettle(told, now));
        given_up.for_each(|number| self.bare(ix, number));
        // What may have had its effect, where nobody remembers that, is not sent again.
        let lost = match before {
            Some(_) if same && forgotten => Some(FailureCode::PeerLost),
            Some(_) if !same => Some(FailureCode::PeerRestarted),
            _ => None,
        };
        if same || before.is_some() {
            for number in left {
                if let Some(code) = lost {
                    self.give_up(ix, number, code);
                }
                self.send_again(ix, number);
            }
        }
        let (outbox, rtt) = self.peers.outbox(ix);
        if outbox.needs_timer(now, rtt) {
            self.look_after(ix);
        }
        if before.is_some() && !same {
            self.restarted(&id);
        }
    }

    /// The classes a peer is admitted to, of those it claims.
    pub(in crate::step) fn admitted<'a>(
        &mut self,
        id: &PeerId,
        claims: impl Iterator<Item = &'a str>,
    ) -> BTreeSet<Arc<str>> {
        let mut classes = BTreeSet::new();
        for class in claims.collect::<BTreeSet<&str>>() {
            if self.config.membership.admits(class, id) {
                classes.insert(Arc::<str>::from(class));
            } else {
                self.event(Event::MembershipRefused { peer: id.clone(), class: class.to_owned() });
            }
        }
        classes
    }
    /// A peer is a member of these classes.
    pub(in crate::step) fn joined(&mut self, id: &PeerId, classes: &BTreeSet<Arc<str>>) {
        for class in classes {
            // Classes that no program knows can be made up without end.
            let known = self.graphs.iter().any(|g| g.classes.contains(class));
            if known && self.config.membership.is_open() && self.peers.told_open.insert(class.clone()) {
                self.event(Event::OpenMembership { class: class.clone() });
            }
            self.event(Event::MemberJoined { peer: id.clone(), class: class.clone() });
        }
    }

    /// Another start of a peer: what its former process was to answer will not come.
    fn restarted(&mut self, id: &PeerId) {
        let mut lost = Vec::new();
        for (at, frame) in self.frames.all() {
            let sent = frame.plan.sends.iter().filter_map(|node| match &frame.plan.node(*node).kind {
                NodeKind::Send(send) if frame.pending[node.0 as usize] == DONE && send.reaches(frame, id) => Some(send),
                _ => None,
            });
            for send in sent {
                let answers = |r: &&(RecvIx, &RecvPlan)| {
                    r.1.lanes.is_none() && r.1.from_place == send.to_place && r.1.awaits.contains(&send.wire)
                };
                let recvs = (0u32..).map(RecvIx).zip(&frame.plan.recvs);
                lost.extend(recvs.filter(|r| answers(&r)).map(|(recv, _)| (at, recv)));
            }
        }
        let message = format!("{id} was started again");
        let cause = Arc::new(Cause { code: FailureCode::PeerRestarted, message, quorum: None });
        for (at, recv) in lost {
            self.fail_recv(at, recv, None, cause.clone());
            self.settle();
        }
    }

    /// A program of the same name and another digest: what differs, wire by wire.
    pub(in crate::step) fn compare(&mut self, graph: usize, id: &PeerId, hello: &Hello) {
        let ours = &self.graphs[graph];
        let first = self.graphs.iter().position(|g| g.digest == ours.digest) == Some(graph);
        let Some(theirs) = hello.programs.iter().find(|p| *p.name == *ours.program) else { return };
        if !first || theirs.digest == ours.digest.0 {
            return;
        }
        let differences = of_offers(&ours.wires, &theirs.wires);
        let program = ours.program.clone();
        self.event(Event::ProgramMismatch { peer: id.clone(), program, differences });
    }

    pub(in crate::step) fn disconnected(&mut self, id: &PeerId) {
        let Some(ix) = self.peers.connected(id).filter(|_| *id != self.config.peer) else { return };
        let peer = self.peers.at(ix);
        (peer.hello, peer.mattered) = (None, peer.matters());
        peer.admitted = Vec::new();
        peer.owes_ack = 0;
        let in_lanes = peer.outbox.lost(self.now);
        let classes = self.peers.exits(ix);
        for class in classes {
            self.event(Event::MemberLeft { peer: id.clone(), class });
        }
        if !in_lanes.is_empty() {
            self.peer_fails(ix, FailureCode::PeerLost);
        }
        for number in in_lanes {
            self.give_up(ix, number, FailureCode::PeerLost);
        }
        self.look_after(ix);
        self.peers.leaves(ix, self.now);
        self.lanes_lost(id);
    }

    /// After a restore: lanes of peers that have not come back in time.
    pub(in crate::step) fn miss_peers(&mut self) {
        let members = self.frames.all().flat_map(|(_, f)| f.lanes.iter().flatten()).flat_map(|l| &l.members);
        let missing: BTreeSet<PeerId> = members.filter(|p| !self.peers.is_connected(p)).cloned().collect();
        for peer in missing {
            self.lanes_lost(&peer);
        }
    }

    /// Lanes of a peer whose connection is lost.
    fn lanes_lost(&mut self, id: &PeerId) {
        let lost = self.frames.all().flat_map(|(at, frame)| {
            lanes_of(&frame.plan).filter_map(move |(ix, plan)| {
                let lanes = frame.lanes[ix.0 as usize].as_ref()?;
                let lane = lanes.members.binary_search(id).ok()? as u32;
                let waiting = lanes.lane(lane).is_some_and(|l| l.recv == LaneRecv::Waiting);
                waiting.then_some((at, plan.recv, lane))
            })
        });
        let lost: Vec<(FrameRef, RecvIx, u32)> = lost.collect();
        let message = format!("the connection to {id} was lost");
        let cause = Arc::new(Cause { code: FailureCode::PeerLost, message, quorum: None });
        for (at, recv, lane) in lost {
            self.fail_recv(at, recv, Some(lane), cause.clone());
            self.settle();
        }
        self.settle();
    }

    /// A refused frame; three in a minute end the connection.
    pub(in crate::step) fn violation(&mut self, id: &PeerId, reason: String) {
        self.event(Event::EnvelopeRefused { peer: id.clone(), reason });
        let now = self.now;
        let Some(ix) = self.peers.find(id) else { return };
        let violations = &mut self.peers.at(ix).violations;
        violations.push_back(now);
        violations.retain(|at| at.after(VIOLATIONS_WITHIN) >= now);
        if violations.len() >= VIOLATIONS_MAX {
            violations.clear();
            self.send_away(id, DisconnectReason::Violations);
        }
    }

    /// A numbered message came: it will be acknowledged, with the next message or by itself.
    pub(in crate::step) fn owe_ack(&mut self, ix: PeerIx) {
        let chance = if has(Bug::Ambient) { ambient() } else { Duration::ZERO };
        let at = self.now.after(ACK_DELAY + chance);
        let peer = self.peers.at(ix);
        peer.owes_ack += 1;
        match peer.owes_ack {
            1 => self.timers.set(at, Timer::Ack { peer: ix }),
            ACK_AFTER => self.acknowledge(ix),
            _ => {}
        }
    }
}

/// What no seed decides: see [`Bug::Ambient`].
fn ambient() -> Duration {
    use std::hash::{BuildHasher, RandomState};
    Duration::from_nanos(RandomState::new().hash_one(0) % 1_000_000)
}
