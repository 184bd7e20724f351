//! Says of every wire how far its way back is, and how long its message may take.
//!
//! *Needs* `infer_peer_classes`. *Makes* `chain_depth`, `chain_targets` and `deadline_ns` on the root's Sends: as many
//! times the budget of one hop as there are wires on the longest path back to the place it leaves. *Keeps* everything
//! else.
//!
//! A path ends where it is back for the first time. Sends whose way back a gather waits for with a constant `within`,
//! and those on that way, get at least as long as it waits: a limit that no answer can use up would be none.

mod ahead;

use crate::error::{PassError, at_node};
use crate::runner::Left;
use ahead::Way;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::gates::stamp_deadline_ns;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::wire_shape::{is_send, read_wire_id, stamp_chain};

const PASS: &str = "derive_wire_deadlines";

/// What one hop may take where nobody says otherwise: 30 s.
pub const PER_HOP_BUDGET_NS: u64 = 30_000_000_000;

/// Stamps every Send of the root.
pub fn derive_wire_deadlines(model: ModelProto, per_hop_budget_ns: u64) -> Result<ModelProto, PassError> {
    Ok(derived(model, per_hop_budget_ns)?.0)
}

/// The same, and whether there are wires at all.
pub(crate) fn derived(mut model: ModelProto, per_hop_budget_ns: u64) -> Left<ModelProto> {
    if per_hop_budget_ns == 0 {
        return Err(PassError::new(PASS, vec![no_time(&model)]));
    }
    if !model.functions[0].node.iter().any(is_send) {
        return Ok((model, false));
    }
    let ways = ahead::of(&model);
    let mut faults = Vec::new();
    for node in model.functions[0].node.iter_mut().filter(|n| is_send(n)) {
        let Some(way) = read_wire_id(node).and_then(|id| ways.get(&id)) else { continue };
        let targets: Vec<&str> = way.targets.iter().map(|class| &**class).collect();
        stamp_chain(node, way.depth, &targets);
        let hops = u64::from(way.depth).checked_mul(per_hop_budget_ns);
        let deadline = hops.map(|ns| ns.max(way.within_ns));
        if !deadline.is_some_and(|ns| stamp_deadline_ns(node, ns)) {
            faults.push(too_long(node, way, per_hop_budget_ns));
        }
    }
    Ok((PassError::unless_but(PASS, faults, model)?, true))
}

/// Of the first wire: what is wrong is where the program is built, and it is wrong for each of them.
fn no_time(model: &ModelProto) -> Diagnostic {
    let text = "a hop of 0 ns leaves no message any time";
    let first = model.functions[0].node.iter().find(|node| is_send(node));
    let fault = first.map_or_else(|| Diagnostic::new("BB0404", text), |send| at_node(send, "BB0404", text));
    fault.help("give `bb::Options::per_hop_budget` a duration: `secs(30)`")
}

fn too_long(node: &NodeProto, way: &Way, per_hop_budget_ns: u64) -> Diagnostic {
    let text = format!("{} hops of {per_hop_budget_ns} ns are more nanoseconds than a deadline holds", way.depth);
    at_node(node, "BB0404", text).help("compile with a smaller `bb::Options::per_hop_budget`")
}
