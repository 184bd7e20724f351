//! Putting one body in place of one call: names, wires, lanes, slots and types of the callee become the caller's.

use crate::passes::resolve_slots::{self, parse_slot_map};
use crate::passes::type_solver::{Facts, meet_written};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::read_wire_id;
use bb_ir::{keys, names, ops};
use rustc_hash::FxHashMap;

/// A function into which bodies are being put.
pub(super) struct Caller {
    pub(super) function: FunctionProto,
    /// Where the caller's own value infos stand.
    pub(super) info: FxHashMap<String, usize>,
    pub(super) next_wire: u64,
    /// Results of dissolved calls: what they are called now.
    pub(super) alias: FxHashMap<String, String>,
    /// How often each module was called, by name: two contents of one name must not meet either.
    pub(super) calls: FxHashMap<String, usize>,
    /// What the borders of dissolved calls say of names of dimensions.
    pub(super) facts: Facts,
}

impl Caller {
    pub(super) fn instance(&mut self, node: &NodeProto) -> Option<String> {
        if node.domain() != ops::MODULE_DOMAIN {
            return None;
        }
        let count = self.calls.entry(node.op_type().to_owned()).or_default();
        let instance = names::instance(node.op_type(), *count);
        *count += 1;
        Some(instance)
    }

    pub(super) fn splice(
        &mut self,
        call: &NodeProto,
        instance: &str,
        callee: &FunctionProto,
        faults: &mut Vec<Diagnostic>,
    ) {
        let mut renamed: FxHashMap<&str, String> = FxHashMap::default();
        for (parameter, argument) in callee.input.iter().zip(&call.input) {
            renamed.insert(parameter, argument.clone());
        }
        let rename = |renamed: &FxHashMap<&str, String>, name: &str| match renamed.get(name) {
            Some(name) => name.clone(),
            None if name.is_empty() => String::new(),
            None => names::inlined(instance, name),
        };
        let infos: FxHashMap<&str, &ValueInfoProto> = callee.value_info.iter().map(|i| (i.name(), i)).collect();
        for (parameter, argument) in callee.input.iter().zip(&call.input) {
            self.narrow(argument, infos.get(parameter.as_str()).copied(), call, faults);
        }
        let slots = call.metadata(keys::SLOT_MAP_KEY).and_then(parse_slot_map).unwrap_or_default();
        let chain = format!("{}/{instance}", call.metadata(keys::MODULE_INSTANCE_KEY).unwrap_or_default());
        let first_wire = self.next_wire;
        let mut last_wire = None;
        for node in &callee.node {
            let mut node = node.clone();
            node.name = Some(names::inlined(instance, node.name()));
            for name in node.input.iter_mut().chain(&mut node.output) {
                *name = rename(&renamed, name);
            }
            if let Some(old) = node.metadata(keys::MODULE_INSTANCE_KEY) {
                let rest = old.split_once('/').map_or(String::new(), |(_, rest)| format!("/{rest}"));
                node.set_metadata(keys::MODULE_INSTANCE_KEY, format!("{chain}{rest}"));
            }
            if let Some(id) = read_wire_id(&node) {
                node.set_metadata(keys::WIRE_ID_KEY, (first_wire + id).to_string());
                last_wire = last_wire.max(Some(first_wire + id));
            }
            match node.metadata_number::<u64>(keys::LANE_KEY) {
                Some(lane) => node.set_metadata(keys::LANE_KEY, (first_wire + lane).to_string()),
                // What is called in a lane runs in that lane.
                None => {
                    if let Some(lane) = call.metadata(keys::LANE_KEY) {
                        node.set_metadata(keys::LANE_KEY, lane);
                    }
                }
            }
            map_slots(&mut node, &slots, call, faults);
            self.function.node.push(node);
        }
        self.facts.take_over(callee);
        self.next_wire = last_wire.map_or(self.next_wire, |last| last + 1);
        for info in &callee.value_info {
            if !renamed.contains_key(info.name()) {
                let mut info = info.clone();
                info.name = Some(names::inlined(instance, info.name()));
                self.info.insert(info.name().to_owned(), self.function.value_info.len());
                self.function.value_info.push(info);
            }
        }
        for (result, inner) in call.output.iter().zip(&callee.output) {
            let name = rename(&renamed, inner);
            let told = self.info.get(result.as_str()).map(|i| self.function.value_info[*i].clone());
            self.narrow(&name, told.as_ref(), call, faults);
            self.alias.insert(result.clone(), name);
        }
    }

    /// `value` is also what `other` says: both sides of a call's border are one value now.
    fn narrow(&mut self, value: &str, other: Option<&ValueInfoProto>, call: &NodeProto, faults: &mut Vec<Diagnostic>) {
        let Some(position) = self.info.get(value).copied() else { return };
        let mine = &mut self.function.value_info[position];
        let types = (mine.r#type.as_ref(), other.and_then(|o| o.r#type.as_ref()));
        let (Some(Some(a)), Some(Some(b))) = (types.0.map(ValueType::from_proto), types.1.map(ValueType::from_proto))
        else {
            return;
        };
        // The start of a call is whatever value it is to come after.
        if b == ValueType::Trigger {
            return;
        }
        match meet_written(&a, &b) {
            Ok((both, facts)) => {
                mine.r#type = Some(both.to_proto());
                self.facts.note(facts, call);
            }
            Err(conflict) => faults.push(conflict.about(call, &a, &b)),
        }
    }
}

/// A slot of the callee becomes the caller's.
fn map_slots(node: &mut NodeProto, slots: &FxHashMap<u32, u32>, call: &NodeProto, faults: &mut Vec<Diagnostic>) {
    let unbound = |slot| resolve_slots::unbound_slot(call, slot);
    if let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY) {
        match slots.get(&slot) {
            Some(to) => node.set_metadata(keys::SLOT_ID_KEY, to.to_string()),
            None => faults.push(unbound(slot)),
        }
    }
    if let Some(map) = node.metadata(keys::SLOT_MAP_KEY) {
        match resolve_slots::compose_slot_maps(map, slots) {
            Ok(map) => node.set_metadata(keys::SLOT_MAP_KEY, map),
            Err(slot) => faults.push(unbound(slot)),
        }
    }
}
