//! The gates: one table, one walk ([`crate::rx_chain`]), five names; and the check before a deadline.
//!
//! *Needs* `analyze_wire_edges`, whose Sends name the sites they fill. *Makes* a node per gate and wire op, at its place,
//! in its lane. *Keeps* what everybody reads, and the names of outputs. A wire op that has the gate gets no second one.

use crate::driver::Partition;
use crate::error::PassError;
use crate::imports::import;
use crate::parallel;
use crate::runner::Left;
use crate::rx_chain::insert;
use bb_ir::gates::{GateKind, is_gate, read_deadline_ns, stamp_deadline_ns};
use bb_ir::ops::{GATE_DEADLINE_CHECK, GATE_DOMAIN};
use bb_ir::proto::onnx::{ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::{Metadata, control_inputs};
use bb_ir::{keys, names};

macro_rules! gates {
    ($($(#[$about:meta])* $pass:ident => $kind:ident;)*) => {
        $($(#[$about])*
        pub fn $pass(partitions: Vec<Partition>) -> Result<Vec<Partition>, PassError> {
            Ok(insert(partitions, GateKind::$kind))
        })*
    };
}

gates! {
    /// Behind every Recv: a message is let through once.
    insert_dedup_gate_rx => DedupRx;
    /// Behind it: nothing is let through of a peer that is blocked.
    insert_peer_health_gate_rx => PeerHealthRx;
    /// Behind that: nothing of a peer that was sent away and has to wait.
    insert_backoff_gate_rx => BackoffRx;
    /// Before every Send: nothing goes to a peer that is blocked, or does not answer.
    insert_peer_health_gate_tx => PeerHealthTx;
    /// Behind that: nothing goes to a peer that is to be left alone for a while.
    insert_backoff_gate_tx => BackoffTx;
}

/// Before every node with a deadline: it fires only while that is not over.
pub fn insert_async_deadlines(partitions: Vec<Partition>) -> Result<Vec<Partition>, PassError> {
    Ok(deadlines_inserted(partitions)?.0)
}

/// The same, and whether any node has a deadline.
pub(crate) fn deadlines_inserted(partitions: Vec<Partition>) -> Left<Vec<Partition>> {
    let checked = parallel::map(partitions, |mut partition| {
        let function = &mut partition.model.functions[0];
        if !function.node.iter().any(lacks_check) {
            return (partition, false);
        }
        let mut nodes = Vec::with_capacity(function.node.len());
        for mut node in std::mem::take(&mut function.node) {
            if let Some(check) = check_of(&node) {
                let trigger = check.output[0].clone();
                let controls = control_inputs(&node) + 1;
                node.set_metadata(keys::CONTROL_KEY, controls.to_string());
                node.input.push(trigger.clone());
                let ty = Some(ValueType::Trigger.to_proto());
                function.value_info.push(ValueInfoProto {
                    name: Some(trigger),
                    r#type: ty,
                    ..ValueInfoProto::default()
                });
                nodes.push(check);
            }
            nodes.push(node);
        }
        function.node = nodes;
        import_gates(&mut partition.model);
        (partition, true)
    });
    let changed = checked.iter().any(|(_, changed)| *changed);
    Ok((checked.into_iter().map(|(partition, _)| partition).collect(), changed))
}

/// Whether nothing looks after a node's deadline.
fn lacks_check(node: &NodeProto) -> bool {
    let has_deadline = !node.attribute.is_empty() && read_deadline_ns(node).is_some() && !is_gate(node);
    has_deadline && !node.input.is_empty() && !node.input.contains(&names::trigger_deadline(node.name()))
}

/// The check that a node lacks.
fn check_of(node: &NodeProto) -> Option<NodeProto> {
    let ns = read_deadline_ns(node).filter(|_| lacks_check(node))?;
    let trigger = names::trigger_deadline(node.name());
    let first = node.input.first()?;
    let mut check = guard_of(node, GATE_DEADLINE_CHECK);
    (check.input, check.output) = (vec![first.clone()], vec![trigger]);
    stamp_deadline_ns(&mut check, ns).then_some(check)
}

/// Says that a partition's main uses gates, if it does.
pub(crate) fn import_gates(model: &mut ModelProto) {
    let main = &mut model.functions[0];
    if main.node.iter().any(is_gate) {
        for imports in [&mut main.opset_import, &mut model.opset_import] {
            if !imports.iter().any(|set| set.domain() == GATE_DOMAIN) {
                imports.push(import(GATE_DOMAIN));
            }
        }
    }
}

/// A node that guards another: where that one is, and in its lane.
pub(crate) fn guard_of(node: &NodeProto, op: &str) -> NodeProto {
    let mut guard = NodeProto {
        name: Some(names::guard(node.name(), op)),
        domain: Some(GATE_DOMAIN.into()),
        op_type: Some(op.into()),
        ..NodeProto::default()
    };
    for key in [keys::HOME_CLASS_KEY, keys::PLACE_KEY, keys::LANE_KEY, keys::MODULE_INSTANCE_KEY, keys::SOURCE_KEY] {
        if let Some(value) = node.metadata(key) {
            guard.set_metadata(key, value);
        }
    }
    guard
}
