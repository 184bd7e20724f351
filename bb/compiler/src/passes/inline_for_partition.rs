//! Puts the bodies of modules that can hold a wire in place of their calls.
//!
//! *Needs* `validate`. *Makes* a root whose wires, lanes and places are all its own, wires numbered 0, 1, 2 … in the
//! order of its nodes. *Keeps* calls of modules that live at one place and send nothing.

use crate::error::{PassError, at_node};
use crate::passes::resolve_slots::parse_slot_map;
use crate::passes::type_solver::meet;
use crate::passes::verify_no_dangling_calls::prune_orphans;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata};
use bb_ir::wire_shape::{is_gather, is_send, read_wire_id};
use bb_ir::{keys, names, ops};
use rustc_hash::FxHashMap;

const PASS: &str = "inline_for_partition";

/// Inlines from the leaves up, each body once, then numbers the wires anew and drops functions nobody calls.
pub fn inline_for_partition(mut model: ModelProto) -> Result<ModelProto, PassError> {
    let order = callees_first(&model)?;
    let mut done = Inlined::default();
    let mut faults = Vec::new();
    for position in order {
        let function = std::mem::take(&mut model.functions[position]);
        let key = FunctionKey::of_function(&function);
        let function = done.expand(function, &mut faults);
        let dissolves = is_module(&function) && must_dissolve(&function);
        done.functions.insert(key, Body { function, dissolves, position });
    }
    for body in done.functions.into_values() {
        model.functions[body.position] = body.function;
    }
    remint_wires(&mut model.functions[0]);
    prune_orphans(&mut model);
    PassError::unless(PASS, faults, model)
}

fn is_module(function: &FunctionProto) -> bool {
    function.domain() == ops::MODULE_DOMAIN
}

/// Positions of functions, each behind all it calls.
pub(super) fn callees_first(model: &ModelProto) -> Result<Vec<usize>, PassError> {
    let by_key: FxHashMap<FunctionKey, usize> =
        model.functions.iter().enumerate().map(|(i, f)| (FunctionKey::of_function(f), i)).collect();
    let calls: Vec<Vec<(usize, &NodeProto)>> = model
        .functions
        .iter()
        .map(|f| {
            let called = f.node.iter().filter(|n| n.domain() == ops::MODULE_DOMAIN);
            called.filter_map(|n| Some((*by_key.get(&FunctionKey::of_node(n))?, n))).collect()
        })
        .collect();
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; calls.len()];
    let mut order = Vec::with_capacity(calls.len());
    let mut faults = Vec::new();
    for start in 0..calls.len() {
        let mut stack = vec![(start, 0)];
        while let Some((function, next)) = stack.pop() {
            if next == 0 {
                if marks[function] != Mark::New {
                    continue;
                }
                marks[function] = Mark::Open;
            }
            match calls[function].get(next) {
                None => {
                    marks[function] = Mark::Done;
                    order.push(function);
                }
                Some((callee, node)) => {
                    stack.push((function, next + 1));
                    match marks[*callee] {
                        Mark::New => stack.push((*callee, 0)),
                        Mark::Open => {
                            let text = format!("`{}` calls itself", node.op_type());
                            let help = "a program has no recursion: use a loop, which is unrolled while recording";
                            faults.push(at_node(node, "BB0502", text).help(help));
                        }
                        Mark::Done => {}
                    }
                }
            }
        }
    }
    PassError::unless(PASS, faults, order)
}

struct Body {
    function: FunctionProto,
    dissolves: bool,
    position: usize,
}

#[derive(Default)]
struct Inlined {
    functions: FxHashMap<FunctionKey, Body>,
}

/// True if a call of this module cannot stay a call: it takes `graph`, holds a gather or a lane, or its inputs live at
/// more than one place. What it calls has been expanded, so its own nodes tell.
fn must_dissolve(function: &FunctionProto) -> bool {
    let info: FxHashMap<&str, &ValueInfoProto> = function.value_info.iter().map(|i| (i.name(), i)).collect();
    let starts = function.input.first().and_then(|first| info.get(first.as_str())).is_some_and(|i| is_start(i));
    let mut places = function.input.iter().filter_map(|name| {
        let info = info.get(name.as_str())?;
        Some((info.metadata(keys::HOME_CLASS_KEY)?, info.metadata(keys::PLACE_KEY)?))
    });
    let first = places.next();
    let many = first.is_some_and(|first| places.any(|other| other != first));
    let lanes = function.node.iter().any(|n| is_gather(n) || n.metadata(keys::LANE_KEY).is_some());
    starts || many || lanes || function.node.iter().any(is_send)
}

fn is_start(info: &ValueInfoProto) -> bool {
    info.name() == names::START && info.r#type.as_ref().and_then(ValueType::from_proto) == Some(ValueType::Trigger)
}

impl Inlined {
    fn expand(&self, mut function: FunctionProto, faults: &mut Vec<Diagnostic>) -> FunctionProto {
        if !is_module(&function) || !function.node.iter().any(|n| self.dissolving(n).is_some()) {
            return function;
        }
        let nodes = std::mem::take(&mut function.node);
        let mut caller = Caller {
            info: function.value_info.iter().enumerate().map(|(i, v)| (v.name().to_owned(), i)).collect(),
            next_wire: nodes.iter().filter_map(read_wire_id).max().map_or(0, |id| id + 1),
            alias: FxHashMap::default(),
            calls: FxHashMap::default(),
            function,
        };
        for mut node in nodes {
            for input in &mut node.input {
                if let Some(name) = caller.alias.get(input.as_str()) {
                    input.clone_from(name);
                }
            }
            let instance = caller.instance(&node);
            match self.dissolving(&node) {
                Some(callee) => caller.splice(&node, &instance.expect("only calls dissolve"), callee, faults),
                None => caller.function.node.push(node),
            }
        }
        for output in &mut caller.function.output {
            if let Some(name) = caller.alias.get(output.as_str()) {
                output.clone_from(name);
            }
        }
        let alias = caller.alias;
        caller.function.value_info.retain(|v| !alias.contains_key(v.name()));
        caller.function
    }

    fn dissolving(&self, node: &NodeProto) -> Option<&FunctionProto> {
        if node.domain() != ops::MODULE_DOMAIN {
            return None;
        }
        let body = self.functions.get(&FunctionKey::of_node(node))?;
        body.dissolves.then_some(&body.function)
    }
}

/// A function into which bodies are being put.
struct Caller {
    function: FunctionProto,
    /// Where the caller's own value infos stand.
    info: FxHashMap<String, usize>,
    next_wire: u64,
    /// Results of dissolved calls: what they are called now.
    alias: FxHashMap<String, String>,
    /// How often each module was called, by name: two contents of one name must not meet either.
    calls: FxHashMap<String, usize>,
}

impl Caller {
    fn instance(&mut self, node: &NodeProto) -> Option<String> {
        if node.domain() != ops::MODULE_DOMAIN {
            return None;
        }
        let count = self.calls.entry(node.op_type().to_owned()).or_default();
        let instance = names::instance(node.op_type(), *count);
        *count += 1;
        Some(instance)
    }

    fn splice(&mut self, call: &NodeProto, instance: &str, callee: &FunctionProto, faults: &mut Vec<Diagnostic>) {
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
        match meet(&a, &b) {
            Ok(both) => mine.r#type = Some(both.to_proto()),
            Err(conflict) => faults.push(conflict.about(call, &a, &b)),
        }
    }
}

/// A slot of the callee becomes the caller's.
fn map_slots(node: &mut NodeProto, slots: &FxHashMap<u32, u32>, call: &NodeProto, faults: &mut Vec<Diagnostic>) {
    let unbound = |slot| super::resolve_slots::unbound_slot(call, slot);
    if let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY) {
        match slots.get(&slot) {
            Some(to) => node.set_metadata(keys::SLOT_ID_KEY, to.to_string()),
            None => faults.push(unbound(slot)),
        }
    }
    if let Some(map) = node.metadata(keys::SLOT_MAP_KEY) {
        match super::resolve_slots::compose_slot_maps(map, slots) {
            Ok(map) => node.set_metadata(keys::SLOT_MAP_KEY, map),
            Err(slot) => faults.push(unbound(slot)),
        }
    }
}

/// Wires 0, 1, 2 … in the order of the root's nodes; lanes follow.
fn remint_wires(root: &mut FunctionProto) {
    let minted: FxHashMap<u64, usize> =
        root.node.iter().filter_map(read_wire_id).enumerate().map(|(new, old)| (old, new)).collect();
    for node in &mut root.node {
        for key in [keys::WIRE_ID_KEY, keys::LANE_KEY] {
            if let Some(new) = node.metadata_number::<u64>(key).and_then(|old| minted.get(&old)) {
                node.set_metadata(key, new.to_string());
            }
        }
    }
}
