//! Peers: who is connected, what they are members of, what was exchanged with them.

mod connection;
mod places;

use super::checkpoint::PeerImage;
use super::frame::FrameRef;
use super::outbox::{Outbox, Sent, WINDOW};
use super::rtt::Rtt;
use crate::bugs::{Bug, has};
use crate::input::GraphId;
use crate::plan::GraphSlot;
use crate::time::Time;
use bb_ir::digest::ProgramDigest;
use bb_ir::hello::Hello;
use bb_ir::peer::PeerId;
use bytes::Bytes;
use places::{Committed, Gone, Left};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A peer, as this engine numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIx(pub u32);

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
    /// Of one that may have been forgotten: the first number to it, until it has said that it knows of that.
    unmet: Option<u64>,
    left: Left,
}

pub struct Peers {
    all: Vec<Peer>,
    /// Where others are said to be with whom nothing was ever exchanged.
    heard_of: BTreeMap<PeerId, Vec<Bytes>>,
    by_id: FxHashMap<PeerId, PeerIx>,
    /// Who was asked for last: messages of one peer come in rows.
    last: PeerIx,
    me: PeerId,
    /// Who is connected, by the classes that it was admitted to.
    members: BTreeMap<Arc<str>, BTreeSet<PeerId>>,
    hosted: BTreeSet<Arc<str>>,
    told_open: BTreeSet<Arc<str>>,
    gone: Gone,
    /// Where the numbers to the next new peer begin.
    begin: u64,
    committed: Committed,
    /// Whether anybody was forgotten of whom something had its effect.
    forgot: bool,
}

impl Peers {
    pub fn new(me: PeerId) -> Self {
        Peers {
            all: Vec::new(),
            heard_of: BTreeMap::new(),
            by_id: FxHashMap::default(),
            last: PeerIx(0),
            me,
            members: BTreeMap::new(),
            hosted: BTreeSet::new(),
            told_open: BTreeSet::new(),
            gone: Gone::default(),
            begin: 1,
            committed: Committed::default(),
            forgot: false,
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
        self.find(peer).filter(|ix| self.all[ix.0 as usize].hello.is_some())
    }
    /// The same, and most likely the one that is asked for next.
    pub fn speaks(&mut self, peer: &PeerId) -> Option<PeerIx> {
        if self.all.get(self.last.0 as usize).is_none_or(|last| last.id.as_ref() != Some(peer)) {
            self.last = self.find(peer)?;
        }
        Some(self.last).filter(|ix| self.all[ix.0 as usize].hello.is_some())
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
        self.enters(ix, classes);
        let peer = self.at(ix);
        peer.hello = Some(hello);
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
    /// Whether a peer is connected, and has said that it does not run a graph's program.
    pub fn runs_another(&self, ix: PeerIx, graph: GraphId) -> bool {
        let peer = &self.all[ix.0 as usize];
        peer.hello.is_some() && peer.admitted.get(graph.0 as usize).is_none_or(|places| places.is_empty())
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
        self.members.get(class).map(|members| members.iter().cloned().collect()).unwrap_or_default()
    }
    pub fn is_member(&self, class: &str, peer: &PeerId) -> bool {
        self.members.get(class).is_some_and(|members| members.contains(peer))
    }
    /// Classes that have members.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(|class| &**class)
    }
    /// A peer that is connected is a member of these classes, too.
    fn enters(&mut self, ix: PeerIx, classes: BTreeSet<Arc<str>>) {
        let id = self.id(ix);
        for class in &classes {
            self.members.entry(class.clone()).or_default().insert(id.clone());
        }
        self.at(ix).classes.extend(classes);
    }
    /// A peer that is not connected any more is no member of anything; of what it was.
    fn exits(&mut self, ix: PeerIx) -> BTreeSet<Arc<str>> {
        let id = self.id(ix);
        let classes = std::mem::take(&mut self.at(ix).classes);
        for class in &classes {
            // Names of classes can be made up: those that nobody is in are not kept.
            if let Some(members) = self.members.get_mut(class)
                && members.remove(&id)
                && members.is_empty()
            {
                self.members.remove(class);
            }
        }
        classes
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
                unmet: p.unmet.unwrap_or(0),
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
        peer.unmet = (saved.unmet > 0).then_some(saved.unmet);
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
        if ack >= peer.outbox.first_waiting() {
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
