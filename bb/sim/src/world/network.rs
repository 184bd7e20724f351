//! The network between nodes.

use super::steps::Due;
use super::{NodeIx, Outgoing, World};
use crate::node::{index_of, peer_id};
use crate::trace::What;
use bb::engine::Refusal;
use bb::ir::peer::PeerId;
use bytes::BytesMut;
use std::time::Duration;

/// How long a Send to a node without connection waits before it is unreachable.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(10);

impl World {
    /// Connects two nodes; each has the other's Hello after the link's delay.
    pub fn connect(&mut self, a: NodeIx, b: NodeIx) {
        if [a, b].iter().any(|n| self.nodes[n.0].running.is_none()) {
            return;
        }
        for (from, to) in [(a, b), (b, a)] {
            if !self.connected.contains_key(&(from, to))
                && let Some(running) = &self.nodes[from.0].running
            {
                let hello = running.engine.hello_for(&peer_id(to.0));
                let connection = self.next;
                self.connected.insert((from, to), connection);
                self.later(Duration::ZERO, Due::Hello { from, to, connection, hello });
            }
        }
        for pair in [(a, b), (b, a)] {
            for message in self.waiting.remove(&pair).unwrap_or_default().into_values() {
                self.send(pair.0, message);
            }
        }
        self.run_until(self.elapsed());
    }
    /// Connects every two nodes that live.
    pub fn connect_all(&mut self) {
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                self.connect(NodeIx(a), NodeIx(b));
            }
        }
    }
    /// Cuts these nodes off from all others.
    pub fn partition(&mut self, group: &[NodeIx]) {
        self.faults.partitioned += 1;
        for a in (0..self.nodes.len()).map(NodeIx).filter(|a| !group.contains(a)) {
            for b in group {
                self.disconnect(a, *b);
            }
        }
    }
    /// Cuts the connection between two nodes: both notice at once, what is in flight is lost.
    pub fn disconnect(&mut self, a: NodeIx, b: NodeIx) {
        for (node, peer) in [(a, b), (b, a)] {
            if self.connected.remove(&(node, peer)).is_some() {
                self.touched.extend([node, peer]);
                self.later(Duration::ZERO, Due::Lost { node, peer });
            }
        }
        self.run_until(self.elapsed());
    }

    pub(super) fn node_of(&self, peer: &PeerId) -> Option<NodeIx> {
        index_of(peer).filter(|ix| ix.0 < self.nodes.len())
    }

    /// A message waits for a connection, but not for long.
    fn wait(&mut self, from: NodeIx, message: Outgoing) {
        let (start, id) = (self.nodes[from.0].starts, message.id);
        let to = self.node_of(&message.peer);
        self.later(UNREACHABLE_AFTER, Due::Unreachable { node: from, start, send: id, nowhere: to.is_none() });
        if let Some(to) = to {
            self.waiting.entry((from, to)).or_default().insert(id, message);
        }
    }

    pub(super) fn send(&mut self, from: NodeIx, message: Outgoing) {
        let start = self.nodes[from.0].starts;
        let to = self.node_of(&message.peer);
        let connection = to.and_then(|to| Some((to, *self.connected.get(&(from, to))?)));
        let Some((to, connection)) = connection else {
            self.wait(from, message);
            return;
        };
        let mut frame = BytesMut::new();
        for piece in message.encode(self.clock(from)) {
            frame.extend_from_slice(&piece);
        }
        let mut frame = frame.freeze();
        if frame.len() > self.nodes[to.0].limits.wire.frame_bytes_max {
            // What the other side's Hello says is its largest frame.
            self.later(Duration::ZERO, Due::Refused { node: from, start, send: message.id, reason: Refusal::TooLarge });
            return;
        }
        self.bytes += frame.len() as u64;
        self.note(from, What::Sent { to, bytes: frame.len(), frame: frame.clone() });
        let link = self.links.get(&(from, to)).unwrap_or(&self.link).clone();
        if let Some(liar) = &mut self.nodes[from.0].liar
            && let Some(lie) = liar.lie(&frame, &mut self.rng, &mut self.faults, &mut self.strikes)
        {
            frame = lie;
            self.touched.extend([from, to]);
        }
        let copies = link.draw(&mut self.rng, &mut self.faults, &mut self.strikes);
        if copies.is_empty() {
            self.touched.extend([from, to]);
        }
        for (delay, overtakes) in copies {
            let mut at = self.now.saturating_add(delay.as_nanos() as u64);
            if !overtakes {
                let last = self.last_arrival.entry((from, to)).or_insert(0);
                at = at.max(*last);
                *last = at;
            }
            self.at(at, Due::Deliver { from, to, connection, frame: frame.clone() });
        }
    }
}
