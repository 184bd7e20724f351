//! Send, Recv and Gather against the contract's page on wire ops.

use super::{Body, Level, Program, Report, Rule};
use crate::gates::{DeadlineCheck, Gate};
use crate::keys::{FROM_PLACE_KEY, LANE_KEY, TO_PLACE_KEY, WIRE_TRANSPORT_KEY};
use crate::proto::onnx::NodeProto;
use crate::views::Metadata;
use crate::wire_shape::{Gather, Recv, Send, is_gather, is_recv, is_send, read_wire_id};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// Only the root is cut; the modules beside it hold no wire that is still theirs.
fn is_cut(program: &Program<'_>, body: &Body<'_>) -> bool {
    body.main && program.level >= Level::Cut
}

pub(super) fn shape(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let cut = is_cut(program, body);
    if is_send(node) {
        match Send::cast(node) {
            None => report.node(body, node, Rule::SendShape, "is no Send: payloads, then the peer"),
            Some(send) if send.is_cut() != cut => {
                let text = if cut { "still gives what its Recv gives" } else { "is cut too early" };
                report.node(body, node, Rule::SendShape, text);
            }
            Some(_) => {}
        }
    } else if is_recv(node) {
        if !cut {
            report.node(body, node, Rule::RecvShape, "is a Recv before wires are cut");
        } else if Recv::cast(node).is_none() {
            report.node(body, node, Rule::RecvShape, "is no Recv: nothing in, values and the sender out");
        }
    } else if is_gather(node) {
        match Gather::cast(node) {
            None => report.node(body, node, Rule::GatherShape, "is no Gather: a sequence per value, members, missing"),
            Some(gather) if gather.lane().is_none() => {
                report.node(body, node, Rule::GatherShape, format!("closes no lane: `{LANE_KEY}` is missing"));
            }
            Some(_) => {}
        }
    }
}

pub(super) fn gates(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if !is_cut(program, body) {
        report.node(body, node, Rule::GateShape, "is a gate before wires are cut");
    } else if Gate::cast(node).is_none() && DeadlineCheck::cast(node).is_none() {
        report.node(body, node, Rule::GateShape, "is no gate: payloads and a peer in, the same out");
    }
}

pub(super) fn deadlines(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(send) = Send::cast(node).filter(|_| is_cut(program, body)) else { return };
    if send.chain_depth().is_none() || send.deadline_ns().is_none() {
        report.node(body, node, Rule::Deadline, "does not say how far its path back is, or how long it may take");
    }
}

pub(super) fn ids(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let mut seen = HashSet::default();
    for node in body.wires().filter(|n| is_send(n) || is_recv(n)) {
        match read_wire_id(node) {
            None => report.node(body, node, Rule::WireId, "has no wire id"),
            Some(id) if !seen.insert((is_send(node), id)) => {
                report.node(body, node, Rule::WireId, format!("has wire id {id}, as another {} has", node.op_type()));
            }
            Some(_) => {}
        }
    }
}

/// Two halves in one model: payloads and what both say of their wire.
pub(super) fn halves(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    let sends: HashMap<u64, Send<'_>> =
        body.wires().filter_map(Send::cast).filter_map(|s| Some((s.wire_id()?, s))).collect();
    for recv in body.wires().filter_map(Recv::cast) {
        let Some(send) = recv.wire_id().and_then(|id| sends.get(&id)) else { continue };
        let (sent, received) = (send.payloads().len(), recv.values().len());
        if sent != received {
            let text = format!("receives {received} values of a wire that carries {sent}");
            report.node(body, recv.node(), Rule::WireHalves, text);
        }
        for (i, value) in recv.values().iter().enumerate() {
            if send.destination_name(i).is_some_and(|name| name != value) {
                report.input(body, send.node(), value, Rule::WireHalves, "is not what it says it fills");
            }
        }
        for key in [FROM_PLACE_KEY, TO_PLACE_KEY, WIRE_TRANSPORT_KEY] {
            if send.node().metadata(key) != recv.node().metadata(key) {
                let text = format!("its `{key}` is not that of `{}`", send.node().name());
                report.node(body, recv.node(), Rule::WireHalves, text);
            }
        }
    }
}
