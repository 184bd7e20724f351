//! Puts the bodies of modules that can hold a wire in place of their calls.
//!
//! *Needs* `validate`. *Makes* a root whose wires, lanes and places are all its own, wires numbered 0, 1, 2 … in the
//! order of its nodes. *Keeps* calls of modules that live at one place and send nothing.

use crate::error::{PassError, at_node};
use crate::imports::import_what_is_used;
use crate::passes::type_solver::Facts;
use crate::passes::verify_no_dangling_calls::prune_orphans;
use crate::runner::Left;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata};
use bb_ir::wire_shape::{is_gather, is_send, read_wire_id};
use bb_ir::{keys, names, ops};
use rustc_hash::{FxHashMap, FxHashSet};
use splice::Caller;

mod splice;

const PASS: &str = "inline_for_partition";

/// Inlines from the leaves up, each body once, then numbers the wires anew and drops functions nobody calls.
pub fn inline_for_partition(model: ModelProto) -> Result<ModelProto, PassError> {
    Ok(inlined(model)?.0)
}

/// The same, and whether there was anything to do.
pub(crate) fn inlined(mut model: ModelProto) -> Left<ModelProto> {
    let order = callees_first(&model)?;
    let mut done = Inlined::default();
    let mut faults = Vec::new();
    let mut changed = false;
    for position in order {
        let function = std::mem::take(&mut model.functions[position]);
        let key = FunctionKey::of_function(&function);
        let calls = done.calls_what_dissolves(&function);
        changed |= calls;
        let function = if calls { done.expand(function, &mut faults) } else { function };
        let dissolves = is_module(&function) && must_dissolve(&function);
        done.functions.insert(key, Body { function, dissolves, position });
    }
    for body in done.functions.into_values() {
        model.functions[body.position] = body.function;
    }
    changed |= remint_wires(&mut model.functions[0]);
    changed |= prune_orphans(&mut model);
    changed |= import_what_is_used(&mut model);
    Ok((PassError::unless_but(PASS, faults, model)?, changed))
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
    let inputs: FxHashSet<&str> = function.input.iter().map(String::as_str).collect();
    let of_inputs = function.value_info.iter().filter(|info| inputs.contains(info.name()));
    let info: FxHashMap<&str, &ValueInfoProto> = of_inputs.map(|info| (info.name(), info)).collect();
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
    fn calls_what_dissolves(&self, function: &FunctionProto) -> bool {
        is_module(function) && function.node.iter().any(|n| self.dissolving(n).is_some())
    }

    fn expand(&self, mut function: FunctionProto, faults: &mut Vec<Diagnostic>) -> FunctionProto {
        let nodes = std::mem::take(&mut function.node);
        let mut caller = Caller {
            info: function.value_info.iter().enumerate().map(|(i, v)| (v.name().to_owned(), i)).collect(),
            next_wire: nodes.iter().filter_map(read_wire_id).max().map_or(0, |id| id + 1),
            alias: FxHashMap::default(),
            calls: FxHashMap::default(),
            facts: Facts::default(),
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
        caller.facts.write(&mut caller.function);
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

/// Wires 0, 1, 2 … in the order of the root's nodes; lanes follow. Tells whether they were not.
fn remint_wires(root: &mut FunctionProto) -> bool {
    let minted: FxHashMap<u64, usize> =
        root.node.iter().filter_map(read_wire_id).enumerate().map(|(new, old)| (old, new)).collect();
    if minted.iter().all(|(old, new)| *old == *new as u64) {
        return false;
    }
    for node in &mut root.node {
        for key in [keys::WIRE_ID_KEY, keys::LANE_KEY] {
            if let Some(new) = node.metadata_number::<u64>(key).and_then(|old| minted.get(&old)) {
                node.set_metadata(key, new.to_string());
            }
        }
    }
    true
}
