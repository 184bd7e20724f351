//! A check: finds values that nobody reads.
//!
//! *Needs* `validate`. *Makes* warnings. *Keeps* everything. It looks at every function by itself, as it was recorded: what
//! a module gives is read by whoever calls it, and whether it is there a warning stands at the call.
//!
//! What runs for more than its values is left out: methods of components, what tells the host, intervals.

use super::expand_ops::readers;
use crate::error::at_node;
use crate::index::{NodeIx, ValueIx};
use crate::parallel;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::FunctionKey;
use bb_ir::wire_shape::is_send;
use rustc_hash::{FxHashMap, FxHashSet};

/// Every such value of every function.
pub fn find_unread(model: &ModelProto) -> Vec<Diagnostic> {
    let acting = acting(model);
    model.functions.iter().flat_map(|function| unread_in(function, &acting)).collect()
}

fn unread_in(function: &FunctionProto, acting: &FxHashSet<FunctionKey>) -> Vec<Diagnostic> {
    let index = parallel::index(function);
    let (readers, dropped) = readers(&index);
    let read = |value: &Option<ValueIx>| value.is_some_and(|value| readers[value.at()] > 0);
    let look = |(at, node): (NodeIx, &NodeProto)| {
        let outputs = index.outputs(at);
        if dropped.contains(&at) {
            None
        } else if is_send(node) {
            // The last two are the sender and the handle.
            unread_payload(node, &outputs[..outputs.len().saturating_sub(2)].iter().map(read).collect::<Vec<_>>())
        } else if node.domain() == ops::MODULE_DOMAIN {
            let acts = acting.contains(&FunctionKey::of_node(node));
            let of = |value: &Option<ValueIx>| value.and_then(|value| index.value_type(value));
            let outputs: Vec<_> = outputs.iter().map(|value| (of(value), read(value))).collect();
            unread_output(node, acts, &outputs)
        } else {
            (!outputs.iter().any(read) && is_for_its_values(node)).then(|| unread_op(node))
        }
    };
    index.nodes().filter_map(look).collect()
}

/// Whether all that comes of a node is its values.
fn is_for_its_values(node: &NodeProto) -> bool {
    match node.domain() {
        _ if ops::is_onnx(node) => true,
        ops::SYSCALL_DOMAIN => ![ops::SYSCALL_EMIT, ops::SYSCALL_METRIC, ops::SYSCALL_INTERVAL, ops::SYSCALL_ORIGIN]
            .contains(&node.op_type()),
        other => other.starts_with(ops::OP_DOMAIN_PREFIX),
    }
}

/// Modules that do something beside what they give, by themselves or by what they call.
fn acting(model: &ModelProto) -> FxHashSet<FunctionKey> {
    let mut callers: FxHashMap<FunctionKey, Vec<FunctionKey>> = FxHashMap::default();
    let mut open = Vec::new();
    for function in &model.functions {
        let key = FunctionKey::of_function(function);
        for node in &function.node {
            if node.domain() == ops::MODULE_DOMAIN {
                callers.entry(FunctionKey::of_node(node)).or_default().push(key.clone());
            } else if !is_send(node) && node.domain() != ops::WIRE_DOMAIN && !is_for_its_values(node) {
                open.push(key.clone());
            }
        }
    }
    let mut acting = FxHashSet::default();
    while let Some(key) = open.pop() {
        if acting.insert(key.clone()) {
            open.extend(callers.get(&key).into_iter().flatten().cloned());
        }
    }
    acting
}

fn unread_op(node: &NodeProto) -> Diagnostic {
    at_node(node, "BB0701", format!("nobody reads what `{}` gives", node.op_type()))
        .help("use the value, return it, or leave the operation out")
}

/// Where a wire has readers at all; one without is refused later, when it is known who calls.
fn unread_payload(node: &NodeProto, read: &[bool]) -> Option<Diagnostic> {
    let unread: Vec<usize> = (0..read.len()).filter(|i| !read[*i]).collect();
    if unread.is_empty() || unread.len() == read.len() {
        return None;
    }
    let text = format!("nobody reads {} that this wire brings", which(&unread, read.len()));
    Some(at_node(node, "BB0701", text).help("leave it out of what is sent, or use it where it arrives"))
}

/// A module that acts may be called for that, with nothing read at all.
fn unread_output(node: &NodeProto, acts: bool, outputs: &[(Option<ValueType>, bool)]) -> Option<Diagnostic> {
    // What is gathered is several sequences: its values, its members and who is missing.
    let is_gathered = |of: &Option<ValueType>| matches!(of, Some(ValueType::Seq(_)));
    let groups: Vec<bool> = outputs
        .chunk_by(|a, b| is_gathered(&a.0) && is_gathered(&b.0))
        .map(|group| group.iter().any(|(_, read)| *read))
        .collect();
    let unread: Vec<usize> = (0..groups.len()).filter(|i| !groups[*i]).collect();
    if unread.is_empty() || acts && unread.len() == groups.len() {
        return None;
    }
    let text = format!("nobody reads {} that `{}` gives", which(&unread, groups.len()), node.op_type());
    Some(at_node(node, "BB0702", text).help("use it, or call a module that gives only what is needed"))
}

/// `the second of the 3 values`.
fn which(unread: &[usize], of: usize) -> String {
    const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];
    if of == 1 {
        return "the value".into();
    }
    if unread.len() == of {
        return format!("any of the {of} values");
    }
    let name = |i: &usize| NAMES.get(*i).map_or_else(|| format!("number {}", i + 1), |name| (*name).to_owned());
    let names: Vec<String> = unread.iter().map(name).collect();
    format!("the {} of the {of} values", names.join(" and the "))
}
