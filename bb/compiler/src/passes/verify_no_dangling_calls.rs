//! Every call has something it calls, and everything that is called, and no more, is there.
//!
//! *Needs* nothing. *Makes* nothing: [`prune_orphans`] is the part that changes. *Keeps* everything.

use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::runner::Left;
use bb_ir::bindings::is_bootstrap;
use bb_ir::ops;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::FunctionKey;
use rustc_hash::{FxHashMap, FxHashSet};

const PASS: &str = "verify_no_dangling_calls";

/// Drops functions no partition calls any more and refuses calls to nothing.
pub fn verify_no_dangling_calls(partitions: Vec<Partition>) -> Result<Vec<Partition>, PassError> {
    Ok(pruned(partitions)?.0)
}

/// The same, and whether there was anything to drop.
pub(crate) fn pruned(mut partitions: Vec<Partition>) -> Left<Vec<Partition>> {
    let mut faults = Vec::new();
    let mut changed = false;
    for partition in &mut partitions {
        changed |= prune_orphans(&mut partition.model);
        let known: FxHashSet<FunctionKey> = partition.model.functions.iter().map(FunctionKey::of_function).collect();
        let calls = partition.model.functions.iter().flat_map(|f| &f.node).filter(|n| is_call(n));
        for call in calls.filter(|n| !known.contains(&FunctionKey::of_node(n))) {
            let text = format!("`{}` is called on `{}`, but not part of it", call.op_type(), partition.class);
            faults.push(at_node(call, "BB0901", text));
        }
    }
    PassError::unless(PASS, faults, (partitions, changed))
}

fn is_call(node: &NodeProto) -> bool {
    node.domain() == ops::MODULE_DOMAIN
}

/// Drops every function that neither the first one nor the bootstrap reaches, and tells whether there were any. Bodies of
/// ops count: a node reaches its own.
pub fn prune_orphans(model: &mut ModelProto) -> bool {
    let by_key: FxHashMap<FunctionKey, usize> =
        model.functions.iter().enumerate().map(|(i, f)| (FunctionKey::of_function(f), i)).collect();
    let mut reached = vec![false; model.functions.len()];
    let bootstraps = (0..).zip(&model.functions).filter(|(_, f)| is_bootstrap(f)).map(|(i, _)| i);
    let mut open: Vec<usize> = bootstraps.chain([0]).collect();
    while let Some(function) = open.pop() {
        if reached.get(function).copied().unwrap_or(true) {
            continue;
        }
        reached[function] = true;
        // Where there is no other function, there is nothing to reach.
        let nodes = if by_key.len() > 1 { &model.functions[function].node[..] } else { &[] };
        let bodies = nodes.iter().filter(|n| !ops::is_onnx(n));
        open.extend(bodies.filter_map(|n| by_key.get(&FunctionKey::of_node(n))));
    }
    let mut reached = reached.into_iter();
    let before = model.functions.len();
    model.functions.retain(|_| reached.next().unwrap_or(true));
    model.functions.len() < before
}
