//! Says of every role op which slot of its partition serves it.
//!
//! *Needs* `partition_by_wire_ops`. *Makes* functions whose slots are the root's: one called with two maps becomes two.
//! *Keeps* any number of slots of one role apart.

use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::runner::Left;
use bb_ir::bindings::is_bootstrap;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::views::{FunctionKey, Metadata};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

const PASS: &str = "resolve_slots";

/// Applies slot maps from the root down and refuses what no slot serves.
pub fn resolve_slots(partitions: Vec<Partition>) -> Result<Vec<Partition>, PassError> {
    Ok(resolved(partitions)?.0)
}

/// The same, and whether there was anything to do: a main's own slots are the root's already.
pub(crate) fn resolved(mut partitions: Vec<Partition>) -> Left<Vec<Partition>> {
    let mut faults = Vec::new();
    let mut changed = false;
    for partition in &mut partitions {
        if partition.model.functions.len() > 1 {
            adopt_slots(&mut partition.model, &mut faults);
            apply_slot_maps(&mut partition.model, &mut faults);
            changed = true;
        }
        check_bound(partition, &mut faults);
        check_one_kind(partition, &mut faults);
    }
    PassError::unless(PASS, faults, (partitions, changed))
}

/// `<slot of the callee>=<slot of the caller>`, comma-separated.
pub fn parse_slot_map(text: &str) -> Option<FxHashMap<u32, u32>> {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))).collect()
}

/// The map of an inner call, seen from one function further up; the slot that has no source, if one has none.
pub(crate) fn compose_slot_maps(inner: &str, outer: &FxHashMap<u32, u32>) -> Result<String, u32> {
    let inner: BTreeMap<u32, u32> = parse_slot_map(inner).unwrap_or_default().into_iter().collect();
    let pairs = inner.into_iter().map(|(callee, slot)| match outer.get(&slot) {
        Some(to) => Ok(format!("{callee}={to}")),
        None => Err(slot),
    });
    Ok(pairs.collect::<Result<Vec<_>, _>>()?.join(","))
}

/// What is said of a call that leaves a slot of its callee open.
pub(crate) fn unbound_slot(call: &NodeProto, slot: u32) -> Diagnostic {
    let text = format!("this call of `{}` gives it no component for its parameter {slot}", call.op_type());
    at_node(call, "BB0403", text).help("pass it a slot of the caller, a parameter such as `trainer: TrainerAt<_>`")
}

/// A bootstrap numbers its slots by its own parameters: they become the main's of that name.
fn adopt_slots(model: &mut ModelProto, faults: &mut Vec<Diagnostic>) {
    let Some((main, others)) = model.functions.split_first_mut() else { return };
    let main: FxHashMap<(&str, &str), u32> = slot_rows(main).map(|row| ((row.class, row.name), row.slot)).collect();
    for bootstrap in others.iter_mut().filter(|f| is_bootstrap(f)) {
        let rows = slot_rows(bootstrap);
        let map = rows.filter_map(|row| Some((row.slot, *main.get(&(row.class, row.name))?))).collect();
        bootstrap.remove_metadata_under(keys::BINDING_KEY_PREFIX);
        for node in &mut bootstrap.node {
            let like = node.clone();
            rewrite_slots_of(node, &map, &like, faults);
        }
    }
}

/// Makes a function for every (function, map) that is called, and gives role ops the root's slots.
fn apply_slot_maps(model: &mut ModelProto, faults: &mut Vec<Diagnostic>) {
    // The bootstrap stands behind the main.
    let roots = 1 + usize::from(model.functions.get(1).is_some_and(is_bootstrap));
    let originals: FxHashMap<FunctionKey, FunctionProto> =
        model.functions.drain(roots..).map(|f| (FunctionKey::of_function(&f), f)).collect();
    let mut made: FxHashMap<(FunctionKey, String), String> = FxHashMap::default();
    let mut overloads = Overloads { taken: originals.keys().cloned().collect(), kept: FxHashSet::default() };
    let mut next = 0;
    while next < model.functions.len() {
        let mut function = std::mem::take(&mut model.functions[next]);
        for node in function.node.iter_mut().filter(|n| n.domain() == ops::MODULE_DOMAIN) {
            let key = FunctionKey::of_node(node);
            let Some(body) = originals.get(&key) else { continue };
            let map = if has_slots(body) { node.metadata(keys::SLOT_MAP_KEY).unwrap_or_default() } else { "" };
            let map = map.to_owned();
            node.remove_metadata(keys::SLOT_MAP_KEY);
            let overload = made.entry((key.clone(), map.clone())).or_insert_with(|| {
                let mut copy = body.clone();
                rewrite_slots(&mut copy, &parse_slot_map(&map).unwrap_or_default(), node, faults);
                let overload = overloads.free(&key);
                copy.overload = (!overload.is_empty()).then(|| overload.clone());
                model.functions.push(copy);
                overload
            });
            node.overload = (!overload.is_empty()).then(|| overload.clone());
        }
        model.functions[next] = function;
        next += 1;
    }
}

/// The overloads that a partition's functions have so far.
struct Overloads {
    taken: FxHashSet<FunctionKey>,
    kept: FxHashSet<FunctionKey>,
}
impl Overloads {
    /// The first copy keeps the function's overload, others get a number that is free.
    fn free(&mut self, key: &FunctionKey) -> String {
        if self.kept.insert(key.clone()) {
            return key.overload.clone();
        }
        let mut candidates = (1u32..).map(|n| FunctionKey { overload: n.to_string(), ..key.clone() });
        let free = candidates.find(|candidate| self.taken.insert(candidate.clone()));
        free.expect("numbers do not end").overload
    }
}

fn has_slots(function: &FunctionProto) -> bool {
    function.node.iter().any(|n| n.metadata(keys::SLOT_ID_KEY).or(n.metadata(keys::SLOT_MAP_KEY)).is_some())
}

fn rewrite_slots(
    function: &mut FunctionProto,
    map: &FxHashMap<u32, u32>,
    call: &NodeProto,
    faults: &mut Vec<Diagnostic>,
) {
    for node in &mut function.node {
        rewrite_slots_of(node, map, call, faults);
    }
}

fn rewrite_slots_of(node: &mut NodeProto, map: &FxHashMap<u32, u32>, call: &NodeProto, faults: &mut Vec<Diagnostic>) {
    if let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY) {
        match map.get(&slot) {
            Some(to) => node.set_metadata(keys::SLOT_ID_KEY, to.to_string()),
            None => faults.push(unbound_slot(call, slot)),
        }
    }
    if let Some(inner) = node.metadata(keys::SLOT_MAP_KEY) {
        match compose_slot_maps(inner, map) {
            Ok(composed) => node.set_metadata(keys::SLOT_MAP_KEY, composed),
            Err(slot) => faults.push(unbound_slot(call, slot)),
        }
    }
}

/// A slot parameter of the root: `<class>.<name>` → `<role>||<number>`.
pub(crate) struct SlotRow<'a> {
    pub class: &'a str,
    pub name: &'a str,
    pub role: &'a str,
    pub slot: u32,
}

/// The slot parameters that stand on a module's function.
pub(crate) fn slot_rows(function: &FunctionProto) -> impl Iterator<Item = SlotRow<'_>> {
    function.metadata_under(keys::BINDING_KEY_PREFIX).filter_map(|(key, value)| {
        let (class, name) = key.split_once('.')?;
        let (role, rest) = value.split_once('|')?;
        let (_, slot) = rest.split_once('|')?;
        Some(SlotRow { class, name, role, slot: slot.parse().ok()? })
    })
}

/// A component that the program names: `<class>.<name>` → `<role>|<TYPE>|-1`.
pub(crate) struct ConcreteRow<'a> {
    pub class: &'a str,
    pub name: &'a str,
    pub role: &'a str,
    pub of: &'a str,
}

/// The components that a program names, which stand on its root module's function.
pub(crate) fn concrete_rows(function: &FunctionProto) -> impl Iterator<Item = ConcreteRow<'_>> {
    function.metadata_under(keys::BINDING_KEY_PREFIX).filter_map(|(key, value)| {
        let (class, name) = key.split_once('.')?;
        let (role, rest) = value.split_once('|')?;
        let of = rest.strip_suffix("|-1")?;
        Some(ConcreteRow { class, name, role, of })
    })
}

fn check_bound(partition: &Partition, faults: &mut Vec<Diagnostic>) {
    let rows: FxHashMap<u32, (&str, &str)> =
        slot_rows(partition.main()).map(|row| (row.slot, (row.role, row.name))).collect();
    for node in partition.model.functions.iter().flat_map(|f| &f.node) {
        let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY) else { continue };
        let role = node.metadata(keys::REQUIRED_TRAIT_KEY).unwrap_or_default();
        match rows.get(&slot) {
            Some((bound, _)) if *bound == role => {}
            Some((bound, name)) => {
                let text = format!("`{}` needs a `{role}`, but the slot `{name}` is a `{bound}`", node.op_type());
                faults.push(at_node(node, "BB0403", text));
            }
            None => {
                let text = format!(
                    "`{}` needs a `{role}` on `{}`, but the program has no such slot there",
                    node.op_type(),
                    partition.class
                );
                let help = format!("give the root module a parameter of type `{role}At<{}>`", partition.class);
                faults.push(at_node(node, "BB0403", text).help(help));
            }
        }
    }
}

/// One role is served by slots or by concrete types, and an instance has one type.
fn check_one_kind(partition: &Partition, faults: &mut Vec<Diagnostic>) {
    let mut generic: FxHashSet<&str> = FxHashSet::default();
    let mut concrete: BTreeMap<&str, &NodeProto> = BTreeMap::new();
    let mut instances: FxHashMap<&str, &str> = FxHashMap::default();
    for node in partition.model.functions.iter().flat_map(|f| &f.node) {
        let Some(role) = ops::role_of_domain(node.domain()) else { continue };
        match node.metadata(keys::CONCRETE_TYPE_KEY) {
            None => {
                generic.insert(role);
            }
            Some(of) => {
                concrete.entry(role).or_insert(node);
                let instance = node.metadata(keys::INSTANCE_KEY).unwrap_or_default();
                let first = *instances.entry(instance).or_insert(of);
                if first != of {
                    let text = format!("the component `{instance}` is a `{first}` here and a `{of}` there");
                    faults.push(at_node(node, "BB0402", text).help("give one of them another name"));
                }
            }
        }
    }
    for (role, node) in concrete.into_iter().filter(|(role, _)| generic.contains(role)) {
        let text =
            format!("on `{}` the role `{role}` is served by a slot and by a concrete component", partition.class);
        faults.push(at_node(node, "BB0402", text).help("make both slots, or both concrete"));
    }
}
