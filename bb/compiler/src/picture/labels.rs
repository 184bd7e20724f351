//! What is written on peers, ops and wires.

use super::Kind;
use bb_ir::bindings::{parse_binding_key, parse_binding_value};
use bb_ir::gates::is_gate;
use bb_ir::keys;
use bb_ir::ops::{GATE_DEADLINE_CHECK, MODULE_DOMAIN, role_of_domain};
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, TypeProto};
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Need, Operand, Recv, is_recv, is_send, read_wire_transport};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// The longest text on a picture, in characters.
pub const TEXT_MAX: usize = 48;

/// A text that fits.
pub fn short(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= TEXT_MAX { line.collect() } else { line.take(TEXT_MAX - 1).chain(['…']).collect() }
}

/// What a row of the table of places says.
pub fn title(row: &str) -> String {
    let mut parts = row.splitn(3, '|');
    let (class, many, anchor) = (parts.next(), parts.next(), parts.next());
    let class = class.unwrap_or_default();
    short(&match (many, anchor) {
        (Some("each"), Some(cohort)) => format!("{class} · each of {cohort}"),
        (_, None | Some("entry" | "")) => class.to_owned(),
        (_, Some(peer)) => format!("{class} · {peer}"),
    })
}

/// `f32[..], u64 · data`.
pub fn wire(types: &str, recv: &NodeProto) -> String {
    match read_wire_transport(recv) {
        Some(transport) => format!("{types} · {}", transport.name().replace('_', " ")),
        None => types.to_owned(),
    }
}

/// What a Recv brings.
pub fn payloads(recv: &NodeProto) -> &[String] {
    Recv::cast(recv).map_or(&[], Recv::values)
}

/// Whether a gate gives a trigger instead of what it reads.
pub fn is_trigger(gate: &NodeProto) -> bool {
    gate.op_type() == GATE_DEADLINE_CHECK
}

/// What is known of a partition.
pub struct Labels<'m> {
    types: FxHashMap<&'m str, &'m TypeProto>,
    /// Names of slots, by number.
    slots: FxHashMap<u32, &'m str>,
}

impl<'m> Labels<'m> {
    pub fn of(model: &'m ModelProto, main: &'m FunctionProto) -> Self {
        let types = main.value_info.iter().filter_map(|info| Some((info.name(), info.r#type.as_ref()?))).collect();
        let slot = |(key, value): (&'m str, &'m str)| {
            let (_, slot) = parse_binding_key(key)?;
            Some((parse_binding_value(value)?.slot?, slot))
        };
        let slots = model.props().iter().map(|entry| (entry.key(), entry.value())).filter_map(slot).collect();
        Labels { types, slots }
    }

    /// The types of values, behind commas.
    pub fn types<'v>(&self, values: impl IntoIterator<Item = &'v String>) -> String {
        let of = |value: &String| {
            let ty = self.types.get(value.as_str()).and_then(|ty| ValueType::from_proto(ty));
            ty.map_or_else(|| "?".to_owned(), |ty| ty.to_string())
        };
        values.into_iter().map(of).collect::<Vec<_>>().join(", ")
    }

    pub fn of_node(&self, node: &NodeProto) -> (Kind, String, String) {
        let results = || self.types(node.output.iter().filter(|output| !output.is_empty()));
        if is_send(node) {
            return (Kind::Send, "send".to_owned(), String::new());
        }
        if is_recv(node) {
            return (Kind::Receive, "receive".to_owned(), String::new());
        }
        if is_gate(node) {
            return (Kind::Gate, node.op_type().to_owned(), String::new());
        }
        if let Some(gather) = Gather::cast(node) {
            return (Kind::Compute, "gather".to_owned(), policy(gather));
        }
        if let Some(role) = role_of_domain(node.domain()) {
            let slot = node.metadata_number(keys::SLOT_ID_KEY).and_then(|slot: u32| self.slots.get(&slot).copied());
            let who = node.metadata(keys::INSTANCE_KEY).or(slot);
            let who = who.unwrap_or_else(|| role.rsplit('.').next().unwrap_or(role));
            return (Kind::Role, format!("{who}.{}", node.op_type()), results());
        }
        let name = match node.op_type() {
            module if node.domain() == MODULE_DOMAIN => format!("{module}()"),
            op => op.to_owned(),
        };
        (Kind::Compute, name, results())
    }
}

/// What a gather waits for: `needs 0.5 of all, within 30s`.
fn policy(gather: Gather<'_>) -> String {
    let need = match gather.need() {
        Need::All => "all".to_owned(),
        Need::Count(n) => format!("needs {}", operand(n)),
        Need::Fraction(f) => format!("needs {} of all", operand(f)),
        Need::First(n) => format!("first {}", operand(n)),
    };
    match gather.within_ns() {
        None => need,
        Some(Operand::Constant(ns)) => format!("{need}, within {:?}", Duration::from_nanos(ns)),
        Some(Operand::Value(name)) => format!("{need}, within {name}"),
    }
}

fn operand<T: std::fmt::Display>(operand: Operand<'_, T>) -> String {
    match operand {
        Operand::Constant(value) => value.to_string(),
        Operand::Value(name) => name.to_owned(),
    }
}
