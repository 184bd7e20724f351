//! Looks at a recorded model before anything changes it.
//!
//! *Needs* nothing. *Makes* nothing. *Keeps* everything: what it lets through, later passes may take for granted. The
//! rules are the verifier's, at level *recorded*; here they are said of the user's program.

use crate::error::{ValidationError, at_node};
use crate::parallel;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::verify::{Level, Part, Rule, Violation, verify_with};
use rustc_hash::FxHashMap;

/// Every structural fault of `model`, together.
pub fn validate(model: &ModelProto) -> Result<(), ValidationError> {
    let faults = diagnose(model, &verify_with(model, Level::Recorded, Part::All, parallel::threads()));
    if faults.is_empty() { Ok(()) } else { Err(ValidationError { faults }) }
}

/// What the verifier found, at the nodes' source places.
pub(crate) fn diagnose(model: &ModelProto, violations: &[Violation]) -> Vec<Diagnostic> {
    if violations.is_empty() {
        return Vec::new();
    }
    let nodes: FxHashMap<(&str, &str), &NodeProto> =
        model.functions.iter().flat_map(|f| f.node.iter().map(move |n| ((f.name(), n.name()), n))).collect();
    let of = |violation: &Violation| {
        let function = violation.function.as_deref()?.split(':').next()?;
        nodes.get(&(function, violation.node.as_deref()?)).copied()
    };
    violations.iter().map(|violation| say(violation, of(violation))).collect()
}

fn say(violation: &Violation, node: Option<&NodeProto>) -> Diagnostic {
    match node {
        Some(node) if violation.rule == Rule::UnknownOp && node.domain() == ops::ONNX_DOMAIN => {
            at_node(node, "BB0501", format!("no backend implements the operator `{}`", node.op_type()))
                .help("write it with the operators there are, or as a function with `#[bb::op]`")
        }
        Some(node) => at_node(node, "BB0901", violation.to_string()),
        None => Diagnostic::new("BB0901", violation.to_string()),
    }
}
