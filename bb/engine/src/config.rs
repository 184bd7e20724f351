//! What an engine is told when it is made, and what it holds.

use crate::tables::governor::Standing;
use bb_ir::limits::WireLimits;
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Who a node is, whom it admits, and how much it may hold.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's identity.
    pub peer: PeerId,
    /// A random number drawn at the node's start.
    pub epoch: u64,
    /// Where it listens, for Hello.
    pub addresses: Vec<Bytes>,
    /// Whom it admits to which class.
    pub membership: Membership,
    /// How much it may hold.
    pub limits: Limits,
    /// Peers that are always talked to, and peers that never are.
    pub standings: BTreeMap<PeerId, Standing>,
    /// What chance begins with: pauses are drawn from it.
    pub seed: u64,
    /// Whether it tells the outside only what a checkpoint holds that the host has made safe (SEMANTICS 4).
    pub durable: bool,
}

impl Config {
    /// An open node with default limits; its seed is its epoch.
    pub fn new(peer: PeerId, epoch: u64) -> Self {
        let (membership, limits) = (Membership::open(), Limits::default());
        let standings = BTreeMap::new();
        Config { peer, epoch, addresses: Vec::new(), membership, limits, standings, seed: epoch, durable: false }
    }
}

/// Who is a member of a class: anyone who claims it, or, once there is any list, those who are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    lists: BTreeMap<String, BTreeSet<PeerId>>,
}
impl Membership {
    /// Anyone who claims a class is a member of it.
    pub fn open() -> Self {
        Membership::default()
    }
    /// These peers are members of `class`. A class without a list has no members once there is any.
    pub fn list(mut self, class: impl Into<String>, members: impl IntoIterator<Item = PeerId>) -> Self {
        self.lists.entry(class.into()).or_default().extend(members);
        self
    }
    /// Whether a claim is enough.
    pub fn is_open(&self) -> bool {
        self.lists.is_empty()
    }
    /// Whether a peer that claims `class` is a member of it.
    pub fn admits(&self, class: &str, peer: &PeerId) -> bool {
        self.is_open() || self.lists.get(class).is_some_and(|members| members.contains(peer))
    }
}

/// How much an engine may hold. Reaching a bound is an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of values in all frames.
    pub bytes_max: u64,
    /// Frames.
    pub frames_max: usize,
    /// Lanes of all gathers.
    pub lanes_max: usize,
    /// Methods that run.
    pub commands_max: usize,
    /// Frames that are remembered as ended.
    pub remembered_max: usize,
    /// Peers that are remembered, connected ones among them: what was exchanged with them, and how they are. Beyond that a
    /// new one takes the place of one that is gone, or is refused.
    pub peers_max: usize,
    /// Peers whose addresses are kept though nothing was ever exchanged with them.
    pub heard_of_max: usize,
    /// Events and steps that wait for `poll`.
    pub steps_max: usize,
    /// Bytes of values in flight to one peer that it has not acknowledged.
    pub unacknowledged_bytes_max: u64,
    /// Messages to one peer that it has not acknowledged, given up ones among them: their numbers still have to arrive.
    pub unacknowledged_max: usize,
    /// How large what peers say may be.
    pub wire: WireLimits,
}
impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes_max: 4 << 30,
            frames_max: 1 << 20,
            lanes_max: 1 << 20,
            commands_max: 1 << 16,
            remembered_max: 65_536,
            peers_max: 65_536,
            heard_of_max: 4096,
            steps_max: 1 << 22,
            unacknowledged_bytes_max: 1 << 30,
            unacknowledged_max: 1 << 18,
            wire: WireLimits::default(),
        }
    }
}

/// What an engine holds. Everything is zero when nothing runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of values in all frames.
    pub bytes: u64,
    /// Frames.
    pub frames: usize,
    /// Lanes of all gathers.
    pub lanes: usize,
    /// Methods that run.
    pub commands: usize,
    /// Calls that have not resolved.
    pub calls: usize,
    /// Messages that were neither acknowledged nor given up.
    pub in_flight: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_there_is_a_list_a_class_without_one_has_no_members() {
        let peer = |n: u8| PeerId::from_bytes(vec![n]).expect("short");
        assert!(Membership::open().admits("Client", &peer(1)));
        let listed = Membership::open().list("Client", [peer(1)]);
        let admitted = [("Client", 1), ("Client", 2), ("Server", 1)].map(|(class, n)| listed.admits(class, &peer(n)));
        assert_eq!(admitted, [true, false, false]);
    }
}
