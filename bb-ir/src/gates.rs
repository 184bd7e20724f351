//! Gates: what a message passes behind its Recv, before its Send, and before a deadline.
//!
//! A cast answers `None` for every node that has not the shape; after it, accessors cannot fail.

mod chains;

pub use chains::{Chains, Unguarded, fold};

use crate::keys::{ATTR_DEADLINE_NS, ATTR_PEER, DEDUP_SLOT};
use crate::limits::FILLS_MAX;
use crate::ops::{
    GATE_BACKOFF_RX, GATE_BACKOFF_TX, GATE_DEADLINE_CHECK, GATE_DEDUP_RX, GATE_DOMAIN, GATE_PEER_HEALTH_RX,
    GATE_PEER_HEALTH_TX,
};
use crate::proto::onnx::NodeProto;
use crate::views::{Attributes, attribute, control_inputs};

/// Which half of a wire a gate guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Behind a Recv.
    Rx,
    /// Before a Send.
    Tx,
}

/// The gates that every wire has, in the order in which a message meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GateKind {
    /// [`GATE_DEDUP_RX`].
    DedupRx,
    /// [`GATE_PEER_HEALTH_RX`].
    PeerHealthRx,
    /// [`GATE_BACKOFF_RX`].
    BackoffRx,
    /// [`GATE_PEER_HEALTH_TX`].
    PeerHealthTx,
    /// [`GATE_BACKOFF_TX`].
    BackoffTx,
}
impl GateKind {
    /// All of them.
    pub const ALL: [GateKind; 5] =
        [GateKind::DedupRx, GateKind::PeerHealthRx, GateKind::BackoffRx, GateKind::PeerHealthTx, GateKind::BackoffTx];

    /// Its op type.
    pub const fn op(self) -> &'static str {
        match self {
            GateKind::DedupRx => GATE_DEDUP_RX,
            GateKind::PeerHealthRx => GATE_PEER_HEALTH_RX,
            GateKind::BackoffRx => GATE_BACKOFF_RX,
            GateKind::PeerHealthTx => GATE_PEER_HEALTH_TX,
            GateKind::BackoffTx => GATE_BACKOFF_TX,
        }
    }
    /// Which half it guards.
    pub const fn side(self) -> Side {
        match self {
            GateKind::DedupRx | GateKind::PeerHealthRx | GateKind::BackoffRx => Side::Rx,
            GateKind::PeerHealthTx | GateKind::BackoffTx => Side::Tx,
        }
    }
}

/// A gate of a wire: what it reads, it gives, under other names.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    node: &'a NodeProto,
    kind: GateKind,
}
impl<'a> Gate<'a> {
    /// The node as a gate: the payloads, then the sender or the peer, which a Send may know without a value.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        if !is_gate(node) {
            return None;
        }
        let kind = GateKind::ALL.into_iter().find(|kind| node.op_type() == kind.op())?;
        let least = if kind.side() == Side::Tx && node.attr(ATTR_PEER).is_some() { 1 } else { 2 };
        let passes = node.input.len() == node.output.len() && (least..=FILLS_MAX + 1).contains(&node.input.len());
        let gate = Gate { node, kind };
        let numbered = kind != GateKind::DedupRx || gate.dedup_slot().is_some();
        (passes && numbered && control_inputs(node) == 0).then_some(gate)
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// Which one it is.
    pub fn kind(self) -> GateKind {
        self.kind
    }
    /// What it reads.
    pub fn inputs(self) -> &'a [String] {
        &self.node.input
    }
    /// The same, let through.
    pub fn outputs(self) -> &'a [String] {
        &self.node.output
    }
    /// Of a [`GateKind::DedupRx`]: the wire whose messages it tells apart.
    pub fn dedup_slot(self) -> Option<u64> {
        self.node.attr_str(DEDUP_SLOT)?.parse().ok()
    }
}

/// Whether a node is a gate or a check, well-formed or not.
pub fn is_gate(node: &NodeProto) -> bool {
    node.domain() == GATE_DOMAIN
}

/// Writes which wire's messages a `DedupGateRx` tells apart.
pub fn stamp_dedup_slot(node: &mut NodeProto, wire: u64) {
    node.set_attr(attribute::string(DEDUP_SLOT, &wire.to_string()));
}

/// How long a node may take, in nanoseconds.
pub fn read_deadline_ns(node: &NodeProto) -> Option<u64> {
    node.attr_int(ATTR_DEADLINE_NS).and_then(|ns| u64::try_from(ns).ok()).filter(|ns| *ns > 0)
}
/// Writes how long a node may take; false where that is no duration.
pub fn stamp_deadline_ns(node: &mut NodeProto, ns: u64) -> bool {
    let Some(ns) = i64::try_from(ns).ok().filter(|ns| *ns > 0) else { return false };
    node.set_attr(attribute::int(ATTR_DEADLINE_NS, ns));
    true
}

/// A check: once the payload is there it fires the node it protects, which takes its trigger as a control input.
#[derive(Clone, Copy)]
pub struct DeadlineCheck<'a> {
    node: &'a NodeProto,
    deadline_ns: u64,
}
impl<'a> DeadlineCheck<'a> {
    /// The node as a check.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        if !is_gate(node) || node.op_type() != GATE_DEADLINE_CHECK {
            return None;
        }
        let shape = node.input.len() == 1 && node.output.len() == 1 && control_inputs(node) == 0;
        let deadline_ns = read_deadline_ns(node)?;
        shape.then_some(DeadlineCheck { node, deadline_ns })
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// What it waits for.
    pub fn payload(self) -> &'a str {
        &self.node.input[0]
    }
    /// What the protected node waits for.
    pub fn trigger(self) -> &'a str {
        &self.node.output[0]
    }
    /// How long the protected node may take.
    pub fn deadline_ns(self) -> u64 {
        self.deadline_ns
    }
}

/// What has to stand between some nodes and the rest of a program. The inventory is open: a component's crate submits
/// what its own ops must not run without, and the compiler refuses a program that lacks it.
#[derive(Clone, Copy, Debug)]
pub struct GateContract {
    /// The domain of the gate.
    pub domain: &'static str,
    /// The gate's op type.
    pub op: &'static str,
    /// Where it stands.
    pub stands: Stands,
    /// The nodes that may not go without.
    pub guards: fn(&NodeProto) -> bool,
}
inventory::collect!(GateContract);
/// Adds a contract to the inventory: `submit! { GateContract { … } }`, once per program, wherever it stands.
pub use inventory::submit;

impl GateContract {
    /// What the crates of this program submit, in the order of their names.
    pub fn submitted() -> Vec<&'static GateContract> {
        let mut all: Vec<_> = inventory::iter::<GateContract>().collect();
        all.sort_by_key(|contract| (contract.domain, contract.op, contract.stands));
        all
    }
    /// Whether a node is the gate.
    pub fn is(&self, node: &NodeProto) -> bool {
        (node.domain(), node.op_type()) == (self.domain, self.op)
    }
}

/// Where a gate stands, seen from the node it guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// Nobody reads an output of the node but through the gate.
    Behind,
    /// The node reads no value but through the gate.
    Before,
    /// The node waits for the gate's output as a control input.
    Beside,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::CONTROL_KEY;
    use crate::views::Metadata;

    fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
        NodeProto {
            domain: Some(GATE_DOMAIN.into()),
            op_type: Some(op.into()),
            input: inputs.iter().map(|s| (*s).to_owned()).collect(),
            output: outputs.iter().map(|s| (*s).to_owned()).collect(),
            ..NodeProto::default()
        }
    }

    #[test]
    fn a_gate_gives_as_much_as_it_takes() {
        for kind in GateKind::ALL {
            let mut gate = node(kind.op(), &["v", "w", "peer"], &["a", "b", "c"]);
            stamp_dedup_slot(&mut gate, u64::MAX);
            let view = Gate::cast(&gate).expect("a gate");
            assert_eq!((view.kind(), view.inputs().len(), view.dedup_slot()), (kind, 3, Some(u64::MAX)));
            gate.output.pop();
            assert!(Gate::cast(&gate).is_none(), "an output is missing");
            gate.input.truncate(1);
            gate.output.truncate(1);
            assert!(Gate::cast(&gate).is_none(), "there is no peer");
            gate.set_attr(attribute::bytes(ATTR_PEER, vec![1; 38]));
            assert_eq!(Gate::cast(&gate).is_some(), kind.side() == Side::Tx, "a Send may know its peer");
        }
    }

    #[test]
    fn a_dedup_gate_says_of_which_wire() {
        let mut gate = node(GATE_DEDUP_RX, &["v", "s"], &["a", "b"]);
        assert!(Gate::cast(&gate).is_none());
        stamp_dedup_slot(&mut gate, 7);
        assert!(Gate::cast(&gate).is_some());
        gate.domain = Some("elsewhere".into());
        assert!(Gate::cast(&gate).is_none());
    }

    #[test]
    fn a_check_has_one_payload_one_trigger_and_a_duration() {
        let mut check = node(GATE_DEADLINE_CHECK, &["v"], &["t"]);
        assert!(DeadlineCheck::cast(&check).is_none(), "no duration");
        assert!(!stamp_deadline_ns(&mut check, 0) && !stamp_deadline_ns(&mut check, u64::MAX));
        assert!(stamp_deadline_ns(&mut check, 5));
        let view = DeadlineCheck::cast(&check).expect("a check");
        assert_eq!((view.payload(), view.trigger(), view.deadline_ns()), ("v", "t", 5));
        assert!(Gate::cast(&check).is_none());
        check.set_metadata(CONTROL_KEY, "1");
        assert!(DeadlineCheck::cast(&check).is_none(), "it reads its payload");
    }
}
