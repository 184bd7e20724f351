//! Gathers whose constants no cohort can satisfy (SEMANTICS 1.7).

use crate::error::at_node;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::limits::LANES_MAX;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::wire_shape::{Gather, Need, Operand};

pub fn of(root: &FunctionProto) -> Vec<Diagnostic> {
    let gathers = root.node.iter().filter_map(|node| Some((node, Gather::cast(node)?)));
    gathers.flat_map(|(node, gather)| [need(node, gather.need()), within(node, gather)]).flatten().collect()
}

fn need(node: &NodeProto, need: Need<'_>) -> Option<Diagnostic> {
    match need {
        Need::Fraction(Operand::Constant(part)) if !(part > 0.0 && part <= 1.0) => {
            let text = format!("this gather needs {part} of its senders, and a part of them is above 0 and at most 1");
            Some(at_node(node, "BB0601", text).help("`quorum(0.5)` is half of them, `quorum(2_u64)` is two"))
        }
        Need::Count(Operand::Constant(n)) | Need::First(Operand::Constant(n)) if n > u64::from(LANES_MAX) => {
            let text = format!("this gather needs {n} senders, and no cohort has more than {LANES_MAX}");
            Some(at_node(node, "BB0601", text).help("ask for fewer, or for a part of them: `quorum(0.5)`"))
        }
        Need::Count(Operand::Constant(0)) | Need::First(Operand::Constant(0)) => {
            let text = "this gather needs 0 senders, but it waits for one at least";
            Some(at_node(node, "BB0704", text).help("say 1, which is what it means"))
        }
        _ => None,
    }
}

fn within(node: &NodeProto, gather: Gather<'_>) -> Option<Diagnostic> {
    if gather.within_ns() != Some(Operand::Constant(0)) {
        return None;
    }
    let text = "this gather leaves its senders no time";
    Some(at_node(node, "BB0601", text).help("give `.within` a duration that an answer can take: `secs(30)`"))
}
