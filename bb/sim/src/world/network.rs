//! The network between nodes.

use super::steps::Due;
use super::{NodeIx, Outgoing, World};
use crate::link::Copied;
use crate::node::index_of;
use crate::trace::What;
use bb::engine::Refusal;
use bb::ir::peer::PeerId;
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
            let (now, peer) = (self.clock(from), self.nodes[to.0].peer.clone());
            let way = self.ways.of(from, to);
            if self.ways[way].connection.is_none()
                && let Some(running) = &mut self.nodes[from.0].running
            {
                let hello = running.engine.hello_for(now, &peer);
                let connection = self.queue.next_number();
                self.ways[way].connection = Some(connection);
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
    /// Whom a node is connected with, in order.
    pub fn peers_of(&self, node: NodeIx) -> Vec<NodeIx> {
        (0..self.nodes.len()).map(NodeIx).filter(|peer| self.connection(node, *peer).is_some()).collect()
    }
    /// Whether two nodes are connected, both ways.
    pub fn connected(&self, a: NodeIx, b: NodeIx) -> bool {
        self.connection(a, b).is_some() && self.connection(b, a).is_some()
    }
    pub(super) fn connection(&self, from: NodeIx, to: NodeIx) -> Option<u64> {
        self.ways.connection(from, to)
    }
    /// Ends both directions of a connection; both ends notice at once. Whether there was one.
    pub(super) fn lose(&mut self, a: NodeIx, b: NodeIx) -> bool {
        let mut any = false;
        for (node, peer) in [(a, b), (b, a)] {
            if let Some(way) = self.ways.find(node, peer).filter(|way| self.ways[*way].connection.is_some()) {
                let way = &mut self.ways[way];
                // A link that serves one connection has forgotten it when it serves the next.
                (way.connection, way.free_at) = (None, 0);
                self.later(Duration::ZERO, Due::Lost { node, peer });
                any = true;
            }
        }
        any
    }
    /// Cuts these nodes off from all others.
    pub fn partition(&mut self, group: &[NodeIx]) {
        self.fate.faults.partitioned += 1;
        for a in (0..self.nodes.len()).map(NodeIx).filter(|a| !group.contains(a)) {
            for b in group {
                self.disconnect(a, *b);
            }
        }
    }
    /// Cuts the connection between two nodes: both notice at once, what is in flight is lost.
    pub fn disconnect(&mut self, a: NodeIx, b: NodeIx) {
        if self.lose(a, b) {
            self.touched.extend([(a, b), (b, a)]);
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
        let to = self.node_of(&message.peer);
        let found = to.and_then(|to| Some((to, self.ways.find(from, to)?)));
        let Some((to, ix, connection)) = found.and_then(|(to, ix)| Some((to, ix, self.ways[ix].connection?))) else {
            self.wait(from, message);
            return;
        };
        let now = self.clock(from);
        let mut frame = self.frames.write(&message, now);
        let way = &mut self.ways[ix];
        way.sent += 1;
        let number = way.sent;
        if frame.len() > self.nodes[to.0].limits.wire.frame_bytes_max {
            // What the other side's Hello says is its largest frame.
            let start = self.nodes[from.0].starts;
            self.later(Duration::ZERO, Due::Refused { node: from, start, send: message.id, reason: Refusal::TooLarge });
            return;
        }
        self.bytes += frame.len() as u64;
        self.note(from, || What::Sent { to, bytes: frame.len(), frame: frame.clone() });
        if let Some(liar) = &mut self.nodes[from.0].liar
            && let Some(lie) = liar.lie(&frame, &mut self.fate, (from.0, to.0, number))
        {
            frame = lie;
            self.touched.insert((from, to));
        }
        let way = &mut self.ways[ix];
        let link = way.link.as_deref().unwrap_or(&self.link);
        let copies = link.draw(&mut self.fate, from.0, to.0, number);
        if copies == [None, None] {
            self.touched.insert((from, to));
        }
        let leaving = link.leaving_ns(frame.len());
        if leaving > 0 && way.free_at > self.now {
            self.fate.faults.queued += 1;
        }
        // What is lost on its way has left as well.
        way.free_at = way.free_at.max(self.now).saturating_add(leaving);
        let left = way.free_at;
        for Copied { delay, overtakes } in copies.into_iter().flatten() {
            let mut at = left.saturating_add(delay.as_nanos() as u64);
            if !overtakes {
                let way = &mut self.ways[ix];
                at = at.max(way.last_arrival);
                way.last_arrival = at;
            }
            self.at(at, Due::Deliver { way: ix, from, to, connection, frame: frame.clone() });
        }
    }
}
