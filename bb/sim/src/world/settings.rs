//! How a world is to be: links, liars, faulty components, costs, and what is to happen at a time.

use super::steps::Due;
use super::{CLOCK_ORIGIN, Faulty, Input, Liar, Link, NodeIx, World, peer_id};
use crate::fate::{Kind, Strike};
use crate::lies::Lies;
use crate::wrong::ComponentFaults;
use bb::engine::{Event, Limits, Standing};
use rand::RngExt;
use std::time::Duration;

/// How many runs out of all have a fault that may be.
const MAY: f64 = 0.5;

impl World {
    /// How messages travel where nothing else is said.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }
    /// How messages travel from `from` to `to`.
    pub fn set_link_between(&mut self, from: NodeIx, to: NodeIx, link: Link) {
        let way = self.ways.of(from, to);
        self.ways[way].link = Some(Box::new(link));
    }
    /// The same as everywhere again.
    pub fn clear_link_between(&mut self, from: NodeIx, to: NodeIx) {
        let way = self.ways.of(from, to);
        self.ways[way].link = None;
    }
    /// What `peer` is to `node` from now on.
    pub fn set_standing(&mut self, node: NodeIx, peer: NodeIx, standing: Standing) {
        self.handle(node, Input::Standing { peer: peer_id(peer.0), standing });
    }
    /// What a node does to the bytes it sends; nothing where nothing is said.
    pub fn set_lies(&mut self, node: NodeIx, lies: Lies) {
        self.nodes[node.0].liar = Some(Liar::new(lies));
    }
    /// What the component in this slot of a node does wrong when an op runs on it; nothing where nothing is said, and nothing when
    /// another component calls it, except that one that has panicked is gone for that one too.
    ///
    /// # Panics
    /// If the node runs and has no such slot.
    pub fn set_component_faults(&mut self, node: NodeIx, slot: &str, faults: ComponentFaults) {
        let it = &mut self.nodes[node.0];
        let slots: Vec<&str> = it.running.iter().flat_map(|running| running.slots()).collect();
        let runs = it.running.is_some();
        assert!(!runs || slots.contains(&slot), "node {} has no slot `{slot}`, but {slots:?}", node.0);
        match it.faulty.iter_mut().find(|f| f.slot == slot) {
            Some(faulty) => faulty.faults = faults,
            None => it.faulty.push(Faulty { slot: slot.to_owned(), faults, calls: 0 }),
        }
    }
    /// The names of a node's slots; none while it is dead.
    pub fn slots(&self, node: NodeIx) -> Vec<String> {
        self.nodes[node.0].running.iter().flat_map(|running| running.slots()).map(str::to_owned).collect()
    }
    /// How long a method takes, by node and method name; nothing by default.
    pub fn set_cost(&mut self, cost: impl Fn(NodeIx, &str) -> Duration + 'static) {
        self.cost = Box::new(cost);
    }
    /// Lets the clock of a node show this much more than the world's: as if it had run for so long.
    pub fn set_clock_origin(&mut self, node: NodeIx, origin: Duration) {
        self.nodes[node.0].clock_origin = CLOCK_ORIGIN + origin.as_nanos() as u64;
    }
    /// What nodes that are added from now on may hold, where nothing else is said.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
    /// Lets `watch` see every event, and whose it is, as it happens.
    pub fn on_event(&mut self, watch: impl FnMut(NodeIx, &Event) + 'static) {
        self.watch = Some(Box::new(watch));
    }
    /// Whether to keep what happens; it is kept where nothing is said.
    pub fn set_traced(&mut self, traced: bool) {
        self.traced = traced;
    }

    /// Does something when so much time has passed since the world began.
    pub fn schedule(&mut self, at: Duration, act: impl FnOnce(&mut World) + 'static) {
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX).max(self.now);
        self.at(at, Due::Act(Box::new(act)));
    }
    /// In half of all seeds: kills a node at a time within `within` from now, and starts it again `away` later, connected as it
    /// was.
    pub fn may_crash(&mut self, node: NodeIx, within: Duration, away: Duration) {
        let strike = self.numbered(Kind::Crash, node, node);
        if self.fate.strikes(strike, MAY) {
            let after = self.fate.details(strike).random_range(Duration::ZERO..=within);
            self.schedule(self.elapsed() + after, move |world| {
                let peers = world.peers_of(node);
                world.kill(node);
                world.schedule(world.elapsed() + away, move |world| {
                    if world.usage(node).is_none() {
                        world.start(node).expect("it installed before");
                        peers.iter().for_each(|peer| world.connect(node, *peer));
                    }
                });
            });
        }
    }
    /// In half of all seeds: cuts the connection of two nodes at a time within `within` from now, and connects them again
    /// `away` later.
    pub fn may_part(&mut self, a: NodeIx, b: NodeIx, within: Duration, away: Duration) {
        let strike = self.numbered(Kind::Part, a, b);
        if self.fate.strikes(strike, MAY) {
            let after = self.fate.details(strike).random_range(Duration::ZERO..=within);
            self.schedule(self.elapsed() + after, move |world| {
                world.disconnect(a, b);
                world.schedule(world.elapsed() + away, move |world| world.connect(a, b));
            });
        }
    }
    /// The next fault of that kind that may strike there.
    fn numbered(&mut self, kind: Kind, node: NodeIx, of: NodeIx) -> Strike {
        self.may += 1;
        Strike { kind, node: node.0, of: of.0, number: self.may }
    }
}
