//! What only a sealed partition has.

use super::program::{key_of_function, key_of_node};
use super::{Body, Program, Report, Rule};
use crate::bindings::{Serving, parse_binding_key, parse_binding_value, read_dependency_metadata};
use crate::digest::site_address;
use crate::keys;
use crate::ops::role_of_domain;
use crate::proto::onnx::{NodeProto, TensorProto};
use crate::version::FRAMEWORK_IR_VERSION;
use crate::views::Metadata;
use crate::wire_shape::{Send, is_recv, is_send, read_wire_transport};
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
    let mut seen = HashSet::default();
    for (name, row) in program.model.metadata_under(keys::BINDING_KEY_PREFIX) {
        let slot = parse_binding_value(row).and_then(|binding| binding.slot);
        if slot.is_some_and(|slot| !seen.insert(slot)) {
            report.model(Rule::BindingTable, format!("`{name}` is a second row for its slot"));
        }
    }
}

pub(super) fn bound(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let role = role_of_domain(node.domain());
    let key = if role.is_some() { keys::SLOT_ID_KEY } else { keys::RECV_SLOT_ID_KEY };
    // In a sub-module slots are the caller's business.
    let Some(slot) = node.metadata_number::<u32>(key).filter(|_| body.main || body.bootstrap) else {
        return;
    };
    match (program.slots.get(&slot), role) {
        (None, _) => {
            report.node(body, node, Rule::BindingTable, format!("slot {slot} has no row in the binding table"));
        }
        (Some(serves), Some(role)) if serves != role => {
            report.node(body, node, Rule::BindingTable, format!("slot {slot} serves `{serves}`, not `{role}`"));
        }
        (Some(_), _) => {}
    }
}

/// A concrete component and what serves dependencies are rows of the table, of the type and the role that an op names.
pub(super) fn named(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(role) = role_of_domain(node.domain()) else { return };
    if let Some(of) = node.metadata(keys::CONCRETE_TYPE_KEY) {
        let instance = node.metadata(keys::INSTANCE_KEY).unwrap_or_default();
        let row = program.instances.get(instance).map(|(role, of)| (role.as_str(), of.as_str()));
        if row != Some((role, of)) {
            let text = format!("the binding table does not say that `{instance}` is a `{of}` and serves `{role}`");
            report.node(body, node, Rule::BindingTable, text);
        }
    }
    for (needs, serving) in read_dependency_metadata(node) {
        let serves = match &serving {
            Serving::Slot(slot) => program.slots.get(slot),
            Serving::Instance(instance) => program.instances.get(instance.as_str()).map(|(role, _)| role),
        };
        if serves.is_none_or(|serves| *serves != needs) {
            let text = format!("its component needs a `{needs}`, and `{serving}` of the binding table is none");
            report.node(body, node, Rule::BindingTable, text);
        }
    }
}

pub(super) fn destinations(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(send) = Send::cast(node).filter(|_| body.main) else { return };
    for payload in 0..send.payloads().len() {
        let address = program.digest.zip(send.wire_id()).map(|(digest, id)| site_address(&digest, id, payload as u32));
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

/// The graph takes and gives what its main does.
pub(super) fn border(program: &Program<'_>, report: &mut Report) {
    let (Some(main), Some(graph)) = (program.model.functions.first(), &program.model.graph) else { return };
    // Of weights the names alone: they may be large.
    let name = |weight: &TensorProto| TensorProto { name: weight.name.clone(), ..TensorProto::default() };
    let due = crate::views::border::graph(main, &graph.initializer.iter().map(name).collect::<Vec<_>>());
    if (&due.input, &due.output) != (&graph.input, &graph.output) {
        report.model(Rule::Graph, format!("the graph takes or gives something else than `{}`", main.name()));
    }
}

pub(super) fn called(program: &Program<'_>, report: &mut Report) {
    let others: Vec<_> = program.bodies.iter().filter(|body| !body.main && !body.bootstrap).collect();
    if others.is_empty() {
        return;
    }
    let nodes = program.bodies.iter().flat_map(|body| &body.function.node);
    let called: HashSet<_> = nodes.map(key_of_node).collect();
    let others = others.into_iter();
    for body in others.filter(|body| !called.contains(&key_of_function(body.function))) {
        report.body(body, Rule::Uncalled, "nobody calls it");
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
