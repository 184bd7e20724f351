//! Peers: who is connected, what they are members of, what was exchanged with them.

mod places;

use super::Engine;
use super::checkpoint::PeerImage;
use super::frame::{DONE, FrameRef};
use super::lanes::{LaneRecv, lanes_of};
use super::outbox::{Outbox, Sent, WINDOW};
use super::rtt::Rtt;
use crate::Standing;
use crate::bugs::{Bug, has};
use crate::event::{Cause, DisconnectReason, EngineStep, Event, LimitKind};
use crate::input::GraphId;
use crate::plan::{GraphSlot, NodeKind, RecvIx, RecvPlan};
use crate::time::Time;
use bb_ir::difference::of_offers;
use bb_ir::digest::ProgramDigest;
use bb_ir::failure::FailureCode;
use bb_ir::hello::{self, Hello};
use bb_ir::peer::PeerId;
use bytes::Bytes;
use places::{Gone, Left};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A peer, as this engine numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIx(pub u32);

/// How many refused frames in how long end a connection.
const VIOLATIONS_MAX: usize = 3;
const VIOLATIONS_WITHIN: Duration = Duration::from_secs(60);
/// How long an acknowledgement waits for a message to travel with.
const ACK_DELAY: Duration = Duration::from_millis(50);
/// How many messages do not wait for it.
const ACK_AFTER: u32 = 64;
/// Nobody has sent so many messages: who says so lies.
const NUMBER_MAX: u64 = u64::MAX / 4;

#[derive(Default)]
struct Peer {
    id: Option<PeerId>,
    /// Its Hello, while it is connected.
    hello: Option<Hello>,
    epoch: Option<u64>,
    classes: BTreeSet<Arc<str>>,
    /// By graph: whose places' messages are its to send. Nothing of a program that it does not run.
    admitted: Vec<Box<[bool]>>,
    addresses: Vec<Bytes>,
    outbox: Outbox,
    rtt: Rtt,
    /// Everything up to here has arrived.
    contiguous: u64,
    beyond: BTreeSet<u64>,
    /// How many messages have come that were not acknowledged.
    owes_ack: u32,
    violations: VecDeque<Time>,
    /// What its Hello says is settled: all below.
    settled: u64,
    /// Whether anything it said on an earlier connection may have had an effect here.
    mattered: bool,
    /// The first number to it.
    began: u64,
    /// Whether it is still to be told which that is.
    to_greet: bool,
    /// What Hello last said to it, until its own is there: all below is settled.
    told: Option<u64>,
    left: Left,
}

pub struct Peers {
    all: Vec<Peer>,
    /// Where others are said to be with whom nothing was ever exchanged.
    heard_of: BTreeMap<PeerId, Vec<Bytes>>,
    by_id: FxHashMap<PeerId, PeerIx>,
    me: PeerId,
    hosted: BTreeSet<Arc<str>>,
    told_open: BTreeSet<Arc<str>>,
    gone: Gone,
    /// Where the numbers to the next new peer begin.
    begin: u64,
}

impl Peers {
    pub fn new(me: PeerId) -> Self {
        Peers {
            all: Vec::new(),
            heard_of: BTreeMap::new(),
            by_id: FxHashMap::default(),
            me,
            hosted: BTreeSet::new(),
            told_open: BTreeSet::new(),
            gone: Gone::default(),
            begin: 1,
        }
    }
    pub fn hosts(&mut self, class: &Arc<str>) {
        self.hosted.insert(class.clone());
    }
    fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.by_id.get(peer).map(|ix| &self.all[ix.0 as usize])
    }
    fn at(&mut self, ix: PeerIx) -> &mut Peer {
        &mut self.all[ix.0 as usize]
    }
    pub fn id(&self, ix: PeerIx) -> PeerId {
        self.all[ix.0 as usize].id.clone().expect("every peer is interned by its identity")
    }
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        *peer == self.me || self.connected(peer).is_some()
    }
    /// The number of a peer that is connected.
    pub fn connected(&self, peer: &PeerId) -> Option<PeerIx> {
        self.by_id.get(peer).copied().filter(|ix| self.all[ix.0 as usize].hello.is_some())
    }
    /// What a connected peer has said of itself.
    pub fn hello_of(&self, peer: &PeerId) -> Option<&Hello> {
        self.get(peer)?.hello.as_ref()
    }
    /// The same of all that are connected.
    pub fn hellos(&self) -> Vec<(PeerId, Hello)> {
        self.all.iter().filter_map(|p| p.id.clone().zip(p.hello.clone())).collect()
    }
    /// A connected peer hosts more than before.
    pub fn hosts_more(&mut self, peer: &PeerId, hello: Hello, classes: BTreeSet<Arc<str>>, graphs: &[GraphSlot]) {
        let Some(ix) = self.find(peer) else { return };
        let peer = self.at(ix);
        peer.hello = Some(hello);
        peer.classes.extend(classes);
        peer.admit(graphs);
    }
    /// There are more graphs than before.
    pub fn admit_all(&mut self, graphs: &[GraphSlot]) {
        self.all.iter_mut().for_each(|peer| peer.admit(graphs));
    }
    /// Whether a peer runs a graph's program, and may then fill what comes from this of its places.
    pub fn admitted(&self, ix: PeerIx, graph: GraphId, from_place: u32) -> Option<bool> {
        let places = self.all[ix.0 as usize].admitted.get(graph.0 as usize).filter(|places| !places.is_empty())?;
        Some(places.get(from_place as usize).copied().unwrap_or(false))
    }
    /// This node's own messages: it runs what it hosts.
    pub fn hosts_class(&self, class: &str) -> bool {
        self.hosted.contains(class)
    }
    /// Whether a peer runs this very program.
    fn runs(&self, peer: &PeerId, digest: &ProgramDigest) -> bool {
        *peer == self.me || self.get(peer).is_some_and(|p| p.runs(digest))
    }
    pub fn members(&self, class: &str) -> Vec<PeerId> {
        let members = self.all.iter().filter(|p| p.hello.is_some() && p.classes.contains(class));
        let mut members: Vec<PeerId> = members.filter_map(|p| p.id.clone()).collect();
        members.sort();
        members
    }
    pub fn members_of_program(&self, class: &str, digest: &ProgramDigest) -> Vec<PeerId> {
        self.members(class).into_iter().filter(|p| self.runs(p, digest)).collect()
    }
    /// Whether there was room for them: peers that are only heard of are no peers yet.
    pub fn set_addresses(&mut self, peer: PeerId, addresses: Vec<Bytes>, heard_of_max: usize) -> bool {
        if let Some(ix) = self.by_id.get(&peer).copied() {
            self.at(ix).addresses = addresses;
        } else if addresses.is_empty() {
            self.heard_of.remove(&peer);
        } else if self.heard_of.len() < heard_of_max || self.heard_of.contains_key(&peer) {
            self.heard_of.insert(peer, addresses);
        } else {
            return false;
        }
        true
    }
    pub fn all_addresses(&self) -> impl Iterator<Item = (&PeerId, &[Bytes])> {
        let peers = self.all.iter().filter_map(|p| Some((p.id.as_ref()?, p.addresses.as_slice())));
        peers.chain(self.heard_of.iter().map(|(id, addresses)| (id, addresses.as_slice())))
    }
    pub fn addresses(&self, peer: &PeerId) -> Vec<Bytes> {
        self.get(peer).map(|p| &p.addresses).or(self.heard_of.get(peer)).cloned().unwrap_or_default()
    }

    /// What is in flight to a peer, and how long its round trips take.
    pub fn outbox(&mut self, ix: PeerIx) -> (&mut Outbox, &mut Rtt) {
        let peer = self.at(ix);
        (&mut peer.outbox, &mut peer.rtt)
    }
    /// How long a round trip to this peer takes; zero without an estimate.
    pub fn rtt(&self, ix: PeerIx) -> Duration {
        self.all[ix.0 as usize].rtt.smoothed()
    }
    /// The first number to a peer that is not settled.
    pub fn next_unsettled(&self, ix: PeerIx) -> u64 {
        self.all[ix.0 as usize].outbox.first_unsettled()
    }
    /// Messages that have been neither acknowledged nor given up.
    pub fn in_flight(&self) -> usize {
        self.all.iter().map(|p| p.outbox.messages()).sum()
    }
    pub fn me(&self) -> &PeerId {
        &self.me
    }
    pub fn any_connected(&self) -> bool {
        self.all.iter().any(|p| p.hello.is_some())
    }
    /// All peers, by number.
    pub fn numbers(&self) -> impl Iterator<Item = PeerIx> + use<> {
        (0..self.all.len() as u32).map(PeerIx)
    }
    /// What is to be remembered of each.
    pub fn images(&self, now: Time, numbers: &FxHashMap<FrameRef, u32>) -> Vec<PeerImage> {
        let image = |p: &Peer| {
            let (first, flight) = p.outbox.image(now, numbers);
            let (srtt_ns, rttvar_ns, samples) = p.rtt.image();
            Some(PeerImage {
                id: p.id.as_ref()?.to_bytes(),
                epoch: p.epoch,
                contiguous: p.contiguous,
                beyond: p.beyond.iter().copied().collect(),
                first,
                flight,
                srtt_ns,
                rttvar_ns,
                samples,
                addresses: p.addresses.clone(),
                stranger: !p.matters(),
                gone_ns: if p.hello.is_some() || !p.matters() { 0 } else { p.left.at.until(now).as_nanos() as u64 },
            })
        };
        // Behind the others, whose numbers are their places.
        let heard_of = self.heard_of.iter().map(|(id, addresses)| PeerImage {
            id: id.to_bytes(),
            first: 1,
            addresses: addresses.clone(),
            stranger: true,
            ..PeerImage::default()
        });
        self.all.iter().filter_map(image).chain(heard_of).collect()
    }
    /// A peer as it was, without a connection.
    pub fn restore(&mut self, ix: PeerIx, saved: &PeerImage, flight: Vec<Option<Sent>>, now: Time) {
        let peer = self.at(ix);
        peer.epoch = saved.epoch;
        peer.contiguous = if has(Bug::DedupLostAtRestore) { 0 } else { saved.contiguous };
        peer.beyond = saved.beyond.iter().copied().filter(|n| *n > saved.contiguous).collect();
        peer.outbox = Outbox::restored(saved.first.max(1), flight, now);
        peer.rtt = Rtt::restored(saved.srtt_ns, saved.rttvar_ns, saved.samples);
        peer.addresses.clone_from(&saved.addresses);
        (peer.mattered, peer.to_greet) = (!saved.stranger, false);
        peer.left.at = Time(now.0.saturating_sub(saved.gone_ns));
    }
    pub fn len(&self) -> usize {
        self.all.len()
    }
    pub fn owes_ack(&self, ix: PeerIx) -> bool {
        self.all[ix.0 as usize].owes_ack > 0
    }
    /// Whether something is still to be acknowledged; it is not from then on.
    pub fn ack_owed(&mut self, ix: PeerIx) -> bool {
        let peer = self.at(ix);
        std::mem::take(&mut peer.owes_ack) > 0 && peer.hello.is_some()
    }
    /// Everything up to here has arrived of the process that a message is going to; nothing as long as it is not known
    /// which that will be: another start of the peer has sent nothing yet.
    pub fn arrived(&self, ix: PeerIx) -> u64 {
        let peer = &self.all[ix.0 as usize];
        match &peer.hello {
            None => 0,
            Some(_) if has(Bug::AckNever) => 0,
            Some(_) => peer.contiguous + u64::from(has(Bug::AckTooMuch)),
        }
    }
    /// Whether a peer that keeps to the rules can be at these numbers.
    pub fn plausible(&self, ix: PeerIx, seq: u64, ack: u64) -> Result<(), &'static str> {
        let peer = &self.all[ix.0 as usize];
        if ack >= peer.outbox.next_number() {
            Err("it acknowledges what was never sent")
        } else if seq > peer.contiguous.saturating_add(WINDOW) {
            Err("its number is further ahead than a window")
        } else {
            Ok(())
        }
    }
    /// Whether a message is new; it is not from then on.
    pub fn is_new(&mut self, ix: PeerIx, seq: u64) -> bool {
        let peer = self.at(ix);
        // What most are.
        if seq.checked_sub(1) == Some(peer.contiguous) && peer.beyond.is_empty() {
            peer.contiguous = seq;
            return true;
        }
        if seq <= peer.contiguous || !peer.beyond.insert(seq) {
            return false;
        }
        peer.close_gaps();
        true
    }
}

impl Peer {
    fn runs(&self, digest: &ProgramDigest) -> bool {
        self.hello.as_ref().is_some_and(|h| h.programs.iter().any(|p| p.digest == digest.0))
    }
    /// Settles what it may send, as long as it says nothing else.
    fn admit(&mut self, graphs: &[GraphSlot]) {
        let places = |graph: &GraphSlot| match self.runs(&graph.digest) {
            true => graph.classes.iter().map(|class| self.classes.contains(class)).collect(),
            false => Box::default(),
        };
        self.admitted = if self.hello.is_some() { graphs.iter().map(places).collect() } else { Vec::new() };
    }
    /// Takes what directly follows what has arrived out of the window.
    fn close_gaps(&mut self) {
        while let Some(first) = self.beyond.first().copied()
            && first <= self.contiguous.saturating_add(1)
        {
            self.beyond.pop_first();
            self.contiguous = self.contiguous.max(first);
        }
    }
}

impl Engine {
    /// Where a peer can be reached, as the host says.
    pub(super) fn addresses_of(&mut self, peer: PeerId, addresses: Vec<Bytes>) {
        if !self.peers.set_addresses(peer, addresses, self.config.limits.heard_of_max) {
            self.limit(LimitKind::HeardOf, None);
        }
    }

    pub(super) fn connected(&mut self, id: PeerId, hello: Bytes) {
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
        let peer = self.peers.at(ix);
        (peer.hello, peer.classes, peer.left) = (Some(hello), classes, Left::default());
        peer.admit(&self.graphs);
        peer.outbox.heard();
        let left = peer.outbox.left_behind();
        // What was given up since Hello was said to it is waited for.
        let given_up = peer.told.take().map_or(0..0, |told| told..peer.outbox.first_unsettled());
        given_up.for_each(|number| self.bare(ix, number));
        if same {
            left.into_iter().for_each(|number| self.send_again(ix, number));
        } else if before.is_some() {
            for number in left {
                self.give_up(ix, number, FailureCode::PeerRestarted);
                self.send_again(ix, number);
            }
            self.restarted(&id);
        }
    }

    /// The classes a peer is admitted to, of those it claims.
    pub(super) fn admitted<'a>(&mut self, id: &PeerId, claims: impl Iterator<Item = &'a str>) -> BTreeSet<Arc<str>> {
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
    pub(super) fn joined(&mut self, id: &PeerId, classes: &BTreeSet<Arc<str>>) {
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
    pub(super) fn compare(&mut self, graph: usize, id: &PeerId, hello: &Hello) {
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

    pub(super) fn disconnected(&mut self, id: &PeerId) {
        let Some(ix) = self.peers.connected(id).filter(|_| *id != self.config.peer) else { return };
        let peer = self.peers.at(ix);
        (peer.hello, peer.mattered) = (None, peer.matters());
        peer.admitted = Vec::new();
        peer.owes_ack = 0;
        let classes = std::mem::take(&mut peer.classes);
        let in_lanes = peer.outbox.lost(self.now);
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
    pub(super) fn miss_peers(&mut self) {
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
    pub(super) fn violation(&mut self, id: &PeerId, reason: String) {
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
    pub(super) fn owe_ack(&mut self, ix: PeerIx) {
        let chance = if has(Bug::Ambient) { ambient() } else { Duration::ZERO };
        let at = self.now.after(ACK_DELAY + chance);
        let peer = self.peers.at(ix);
        if peer.id.as_ref() == Some(&self.config.peer) {
            return;
        }
        peer.owes_ack += 1;
        match peer.owes_ack {
            1 => self.timers.set(at, super::Timer::Ack { peer: ix }),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn peers() -> (Peers, PeerIx) {
        let id = |n: u8| PeerId::from_bytes(vec![n]).expect("short");
        let mut peers = Peers::new(id(0));
        let ix = peers.intern(&id(1));
        (peers, ix)
    }

    #[test]
    fn a_message_is_new_once_in_any_order() {
        let (mut peers, ix) = peers();
        let new = [1, 3, 3, 2, 1, 5, 4].map(|seq| peers.is_new(ix, seq));
        assert_eq!(new, [true, true, false, true, false, true, true]);
        assert_eq!(peers.all[ix.0 as usize].contiguous, 5);
        assert_eq!(peers.arrived(ix), 0, "nothing is acknowledged to a peer that is not connected");
    }

    #[test]
    fn peers_that_are_only_heard_of_are_none_and_are_no_more_than_a_bound() {
        let id = |n: u32| PeerId::from_bytes(n.to_le_bytes()).expect("short");
        let mut peers = Peers::new(id(u32::MAX));
        let at = |n: u32| vec![Bytes::copy_from_slice(&n.to_le_bytes())];
        let most = 100;
        let set = |peers: &mut Peers, n: u32, addresses| peers.set_addresses(id(n), addresses, most as usize);
        assert!((0..most).all(|n| set(&mut peers, n, at(n))));
        assert!(!set(&mut peers, most, at(most)), "one too many");
        assert!(set(&mut peers, 0, at(7)), "this one is known");
        assert!(set(&mut peers, 1, Vec::new()) && set(&mut peers, most, at(most)), "one for another");
        assert_eq!((peers.len(), peers.all_addresses().count()), (0, most as usize));
        let ix = peers.intern(&id(0));
        assert_eq!((peers.id(ix), peers.addresses(&id(0)), peers.addresses(&id(1))), (id(0), at(7), Vec::new()));
        assert!(set(&mut peers, most + 1, at(0)), "there is room for another again");
        assert_eq!(peers.images(Time(0), &FxHashMap::default()).len(), most as usize + 1);
    }

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let (mut peers, ix) = peers();
        assert!(peers.is_new(ix, 1));
        assert_eq!(peers.plausible(ix, WINDOW + 1, 0), Ok(()));
        assert!(peers.plausible(ix, WINDOW + 2, 0).is_err() && peers.plausible(ix, u64::MAX, 0).is_err());
        assert!(peers.plausible(ix, 2, 1).is_err(), "nothing was sent");
    }
}
