//! What stands behind a Recv and before a Send, and the program as it would be without.

use super::{DeadlineCheck, Gate, GateKind, Side};
use crate::keys::CONTROL_KEY;
use crate::proto::onnx::NodeProto;
use crate::views::{Metadata, control_inputs, data_inputs};
use crate::wire_shape::{is_recv, is_send};
use rustc_hash::{FxHashMap, FxHashSet};

/// The gates of a function, by the wire op that they guard.
pub struct Chains<'a> {
    nodes: &'a [NodeProto],
    /// Of gates behind a Recv, by the first value they read.
    rx: FxHashMap<&'a str, usize>,
    /// Of gates before a Send, by the first value they give.
    tx: FxHashMap<&'a str, usize>,
}

impl<'a> Chains<'a> {
    /// The gates among a function's nodes.
    pub fn of(nodes: &'a [NodeProto]) -> Self {
        let mut chains = Chains { nodes, rx: FxHashMap::default(), tx: FxHashMap::default() };
        for (at, node) in nodes.iter().enumerate() {
            match Gate::cast(node) {
                Some(gate) if gate.kind().side() == Side::Rx => _ = chains.rx.insert(&gate.inputs()[0], at),
                Some(gate) => _ = chains.tx.insert(&gate.outputs()[0], at),
                None => {}
            }
        }
        chains
    }
    /// The gates behind a Recv, from it on.
    pub fn behind(&self, recv: &'a NodeProto) -> Vec<Gate<'a>> {
        self.follow(&self.rx, &recv.output, |gate| (gate.inputs(), gate.outputs()))
    }
    /// The gates before a Send, towards it.
    pub fn before(&self, send: &'a NodeProto) -> Vec<Gate<'a>> {
        let mut gates = self.follow(&self.tx, data_inputs(send), |gate| (gate.outputs(), gate.inputs()));
        gates.reverse();
        gates
    }
    /// What a Recv brings, as it is behind its gates.
    pub fn brought(&self, recv: &'a NodeProto) -> &'a [String] {
        self.behind(recv).last().map_or(&recv.output, |gate| gate.outputs())
    }

    /// From gate to gate, as long as one takes all that the last one gave.
    fn follow(
        &self,
        by_first: &FxHashMap<&str, usize>,
        mut at: &'a [String],
        ends: fn(Gate<'a>) -> (&'a [String], &'a [String]),
    ) -> Vec<Gate<'a>> {
        let mut found = Vec::new();
        // No chain is longer than there are gates, whatever reads itself.
        while found.len() < by_first.len()
            && let Some(gate) = at.first().and_then(|name| by_first.get(name.as_str()))
            && let Some(gate) = Gate::cast(&self.nodes[*gate])
            && ends(gate).0 == at
        {
            found.push(gate);
            at = ends(gate).1;
        }
        found
    }
}

/// A wire op that lacks a gate, or has its gates in another order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unguarded {
    /// The node's name.
    pub node: String,
    /// The gate that is not where it should be.
    pub gate: &'static str,
}

/// Checks that every wire op has its gates, in their order, and takes them out: every node then reads and gives what it
/// would without them. Whoever runs the program asks them himself.
///
/// # Errors
/// The first wire op that something passes without a gate.
pub fn fold(mut nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, Unguarded> {
    check(&nodes)?;
    let mut given: FxHashMap<String, String> = FxHashMap::default();
    let mut read: FxHashMap<String, String> = FxHashMap::default();
    let mut triggers: FxHashSet<String> = FxHashSet::default();
    nodes.retain(|node| match (Gate::cast(node), DeadlineCheck::cast(node)) {
        (Some(gate), _) => {
            let pairs = gate.inputs().iter().zip(gate.outputs());
            match gate.kind().side() {
                Side::Rx => given.extend(pairs.map(|(i, o)| (i.clone(), o.clone()))),
                Side::Tx => read.extend(pairs.map(|(i, o)| (o.clone(), i.clone()))),
            }
            false
        }
        (None, Some(check)) => {
            triggers.insert(check.trigger().to_owned());
            false
        }
        (None, None) => true,
    });
    for node in &mut nodes {
        let controls = control_inputs(node);
        let data = node.input.len().saturating_sub(controls);
        let waited = node.input.split_off(data).into_iter().filter(|name| !triggers.contains(name)).collect::<Vec<_>>();
        if waited.len() < controls {
            match waited.len() {
                0 => node.remove_metadata(CONTROL_KEY),
                n => node.set_metadata(CONTROL_KEY, n.to_string()),
            }
        }
        node.input.extend(waited);
        node.input.iter_mut().for_each(|name| follow(name, &read));
        node.output.iter_mut().for_each(|name| follow(name, &given));
    }
    Ok(nodes)
}

fn check(nodes: &[NodeProto]) -> Result<(), Unguarded> {
    let chains = Chains::of(nodes);
    let triggers: FxHashSet<&str> = nodes.iter().filter_map(DeadlineCheck::cast).map(DeadlineCheck::trigger).collect();
    for node in nodes {
        let (side, chain) = match (is_recv(node), is_send(node)) {
            (true, _) => (Side::Rx, chains.behind(node)),
            (_, true) => (Side::Tx, chains.before(node)),
            _ => continue,
        };
        let unguarded = |gate| Unguarded { node: node.name().to_owned(), gate };
        // From the wire op outwards, so that the gate that is named is the one that is missing.
        let mut due: Vec<GateKind> = GateKind::ALL.into_iter().filter(|kind| kind.side() == side).collect();
        let mut found: Vec<GateKind> = chain.iter().map(|gate| gate.kind()).collect();
        if side == Side::Tx {
            due.reverse();
            found.reverse();
        }
        if let Some(kind) = due.iter().enumerate().find_map(|(i, kind)| (found.get(i) != Some(kind)).then_some(kind)) {
            return Err(unguarded(kind.op()));
        }
        let checked = || node.input[data_inputs(node).len()..].iter().any(|name| triggers.contains(name.as_str()));
        if super::read_deadline_ns(node).is_some() && !checked() {
            return Err(unguarded(crate::ops::GATE_DEADLINE_CHECK));
        }
    }
    Ok(())
}

/// No chain is longer than that.
const STEPS_MAX: usize = 8;

fn follow(name: &mut String, renamed: &FxHashMap<String, String>) {
    for _ in 0..STEPS_MAX {
        match renamed.get(name) {
            Some(next) => name.clone_from(next),
            None => return,
        }
    }
}
