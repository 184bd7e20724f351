//! Values and names: each made once, before it is read.

use super::program::Maker;
use super::{Body, Program, Report, Rule};
use crate::keys::CONTROL_KEY;
use crate::proto::onnx::NodeProto;
use crate::views::Metadata;
use std::collections::HashSet;

pub(super) fn values(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let function = body.function;
    let mut made: HashSet<&str> = HashSet::with_capacity(body.makers.len());
    for input in &function.input {
        if input.is_empty() || !made.insert(input) {
            report.value(body, input, Rule::DuplicateValue, "an input without a name, or one that is there twice");
        }
    }
    for node in &function.node {
        // An optional input that is left out has no name.
        for input in node.input.iter().filter(|i| !i.is_empty() && !made.contains(i.as_str())) {
            match body.makers.contains_key(input.as_str()) {
                true => report.input(body, node, input, Rule::NotTopological, "is made only later, or from itself"),
                false => report.input(body, node, input, Rule::DanglingInput, "nothing makes it"),
            }
        }
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if !made.insert(output) {
                report.input(body, node, output, Rule::DuplicateValue, "is made before");
            }
        }
    }
    for output in function.output.iter().filter(|o| !body.makers.contains_key(o.as_str())) {
        report.value(body, output, Rule::DanglingOutput, "is an output, and nothing makes it");
    }
}

pub(super) fn node_names(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let mut seen = HashSet::with_capacity(body.function.node.len());
    for node in &body.function.node {
        if node.name().is_empty() {
            report.node(body, node, Rule::MissingNodeName, format!("a node of `{}` has no name", node.op_type()));
        } else if !seen.insert(node.name()) {
            report.node(body, node, Rule::DuplicateNodeName, "another node has this name");
        }
    }
}

pub(super) fn control(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(count) = node.metadata_number::<usize>(CONTROL_KEY) else { return };
    if count > node.input.len() {
        let text = format!("waits for its last {count} inputs and has {}", node.input.len());
        report.node(body, node, Rule::ControlCount, text);
    }
}

/// The node that makes a value.
pub(super) fn maker<'a>(body: &Body<'a>, value: &str) -> Option<Maker<'a>> {
    body.makers.get(value).copied()
}
