//! What only a sealed partition has.

use super::{Body, Program, Report, Rule};
use crate::bindings::parse_binding_key;
use crate::digest::{ProgramDigest, site_address};
use crate::keys;
use crate::ops::role_of_domain;
use crate::proto::onnx::NodeProto;
use crate::version::FRAMEWORK_IR_VERSION;
use crate::views::Metadata;
use crate::wire_shape::{Send, is_recv, is_send, read_wire_id, read_wire_transport};
use rustc_hash::FxHashSet as HashSet;

pub(super) fn passport(program: &Program<'_>, report: &mut Report) {
    let model = program.model;
    let expected =
        [(keys::COMPILED_KEY, keys::COMPILED_CURRENT_VERSION), (keys::FRAMEWORK_IR_VERSION_KEY, FRAMEWORK_IR_VERSION)];
    for (key, expected) in expected {
        match model.metadata(key) {
            Some(found) if found == expected => {}
            Some(found) => report.model(Rule::Passport, format!("`{key}` is `{found}` instead of `{expected}`")),
            None => report.model(Rule::Passport, format!("`{key}` is missing")),
        }
    }
    for key in [keys::PROGRAM_NAME_KEY, keys::PROGRAM_DIGEST_KEY] {
        if model.metadata(key).is_none() {
            report.model(Rule::Passport, format!("`{key}` is missing"));
        }
    }
}

pub(super) fn bindings(program: &Program<'_>, report: &mut Report) {
    let target = program.model.functions.first().map(|main| main.name());
    let rows = program.model.props().iter().filter_map(|entry| parse_binding_key(entry.key()));
    for (found, slot) in rows.filter(|(found, _)| Some(*found) != target) {
        report.model(Rule::BindingTable, format!("slot `{slot}` is bound for `{found}`, which is not this partition"));
    }
}

pub(super) fn bound(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if role_of_domain(node.domain()).is_none() || !body.main {
        return;
    }
    let slot = node.metadata_number::<u32>(keys::SLOT_ID_KEY);
    if let Some(slot) = slot.filter(|slot| !program.slots.contains(slot)) {
        report.node(body, node, Rule::BindingTable, format!("slot {slot} has no row in the binding table"));
    }
}

pub(super) fn destinations(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(send) = Send::cast(node).filter(|_| body.main) else { return };
    let digest = program.model.metadata(keys::PROGRAM_DIGEST_KEY).and_then(ProgramDigest::parse);
    for payload in 0..send.payloads().len() {
        let address = digest.zip(send.wire_id()).map(|(digest, id)| site_address(&digest, id, payload as u32));
        if send.destination(payload).is_none() || address.is_some_and(|a| send.destination(payload) != Some(a)) {
            report.node(
                body,
                node,
                Rule::Destination,
                format!("payload {payload} has no site, or one of another program"),
            );
        }
        if send.destination_name(payload).is_none() {
            report.node(body, node, Rule::Destination, format!("the site of payload {payload} has no name"));
        }
    }
}

pub(super) fn transport(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if body.main && (is_send(node) || is_recv(node)) && read_wire_transport(node).is_none() {
        report.node(body, node, Rule::Transport, "does not say what its wire carries");
    }
}

pub(super) fn program_wire(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if !body.main || !(is_send(node) || is_recv(node)) {
        return;
    }
    let Some(id) = read_wire_id(node) else { return };
    if !program.wires.contains(id.to_string().as_str()) {
        report.node(body, node, Rule::ProgramWire, format!("wire {id} is not among the program's"));
    }
}

pub(super) fn outputs_unread(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    let outputs: HashSet<&str> = body.function.output.iter().map(String::as_str).collect();
    for node in &body.function.node {
        for input in node.input.iter().filter(|input| outputs.contains(input.as_str())) {
            report.input(body, node, input, Rule::OutputRead, "is an output and read as well");
        }
    }
}
