//! Values and names: each made once, before it is read.

use super::said::Kind;
use super::{Body, Program, Report, Rule};
use crate::index::{NodeIx, ValueIx};
use crate::ops::{ONNX_DOMAIN, OP_DOMAIN_PREFIX, OnnxOp, onnx_op, role_of_domain};
use crate::types::ValueType;

/// What goes in is named, each once, and what comes out is made.
pub(super) fn border(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let mut numbered = 0;
    for input in &body.function.input {
        if body.index.value(input) == Some(ValueIx::new(numbered)) && !input.is_empty() {
            numbered += 1;
        } else {
            report.value(body, input, Rule::DuplicateValue, "an input without a name, or one that is there twice");
        }
    }
    for output in body.function.output.iter().filter(|output| body.index.value(output).is_none()) {
        report.value(body, output, Rule::DanglingOutput, "is an output, and nothing makes it");
    }
}

pub(super) fn values(_: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let (index, node) = (&body.index, body.index.node(at));
    for (i, (input, value)) in node.input.iter().zip(index.inputs(at)).enumerate() {
        match value {
            // An optional input that is left out has no name.
            None if input.is_empty() && may_lack(body, at, i) => {}
            None if input.is_empty() => {
                report.node(body, node, Rule::DanglingInput, format!("its input {i} is left out, and has to be there"));
            }
            None => report.input(body, node, input, Rule::DanglingInput, "nothing makes it"),
            Some(value) => {
                if index.producer(*value).is_some_and(|maker| maker >= at) {
                    report.input(body, node, input, Rule::NotTopological, "is made only later, or from itself");
                }
            }
        }
    }
    // Values are numbered in the order in which they are made: one that does not rise has been there.
    let mut last = None;
    for (output, value) in node.output.iter().zip(index.outputs(at)) {
        let Some(made) = value else { continue };
        if index.producer(*made) != Some(at) || last >= *value {
            report.input(body, node, output, Rule::DuplicateValue, "is made before");
        }
        last = last.max(*value);
    }
}

/// Whether an op does without its input at that position: operators of ONNX alone have such.
fn may_lack(body: &Body<'_>, at: NodeIx, position: usize) -> bool {
    let node = body.index.node(at);
    let optional = |op: &OnnxOp| op.inputs.1 < usize::MAX && position >= op.inputs.0 && position < body.reads(at);
    body.kind(at) == Kind::Onnx && onnx_op(node.op_type()).is_none_or(optional)
}

pub(super) fn node_names(_: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let node = body.index.node(at);
    if node.name().is_empty() {
        report.node(body, node, Rule::MissingNodeName, format!("a node of `{}` has no name", node.op_type()));
    } else if body.twins.binary_search(&at).is_ok() {
        report.node(body, node, Rule::DuplicateNodeName, "another node has this name");
    }
}

pub(super) fn control(_: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let (count, has) = (body.controls(at), body.index.inputs(at).len());
    if count > has {
        let text = format!("waits for its last {count} inputs and has {has}");
        report.node(body, body.index.node(at), Rule::ControlCount, text);
    }
}

/// Ops that compute take no trigger as a value: there is none.
pub(super) fn triggers(_: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    // Of what is no module nothing is said about types.
    if body.types.is_empty() {
        return;
    }
    let read = body.index.inputs(at)[..body.reads(at)].iter().flatten();
    for value in read.filter(|value| matches!(body.types[value.at()], Some(ValueType::Trigger))) {
        let node = body.index.node(at);
        if computes(node.domain()) {
            let input = body.index.name(*value);
            report.input(body, node, input, Rule::ControlCount, "is a trigger, and read as a value");
        }
    }
}

fn computes(domain: &str) -> bool {
    domain == ONNX_DOMAIN || role_of_domain(domain).is_some() || domain.starts_with(OP_DOMAIN_PREFIX)
}
