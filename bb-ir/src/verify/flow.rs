//! Values and names: each made once, before it is read.

use super::program::Maker;
use super::{Body, Program, Report, Rule};
use crate::keys::{CONTROL_KEY, TRIGGER_DENOTATION};
use crate::ops::{ONNX_DOMAIN, OP_DOMAIN_PREFIX, role_of_domain};
use crate::proto::onnx::NodeProto;
use crate::views::{Metadata, data_inputs};
use rustc_hash::FxHashSet as HashSet;

pub(super) fn values(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let function = body.function;
    for (i, input) in function.input.iter().enumerate() {
        if body.makers.get(input.as_str()) != Some(&Maker::Input(i)) {
            report.value(body, input, Rule::DuplicateValue, "an input without a name, or one that is there twice");
        }
    }
    for (at, node) in function.node.iter().enumerate() {
        // An optional input that is left out has no name.
        for input in node.input.iter().filter(|i| !i.is_empty()) {
            match body.makers.get(input.as_str()) {
                None => report.input(body, node, input, Rule::DanglingInput, "nothing makes it"),
                Some(Maker::Node(maker, _)) if *maker >= at => {
                    report.input(body, node, input, Rule::NotTopological, "is made only later, or from itself");
                }
                Some(_) => {}
            }
        }
        for (i, output) in node.output.iter().enumerate().filter(|(_, o)| !o.is_empty()) {
            if body.makers.get(output.as_str()) != Some(&Maker::Node(at, i)) {
                report.input(body, node, output, Rule::DuplicateValue, "is made before");
            }
        }
    }
    for output in function.output.iter().filter(|o| !body.makers.contains_key(o.as_str())) {
        report.value(body, output, Rule::DanglingOutput, "is an output, and nothing makes it");
    }
}

pub(super) fn node_names(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let mut seen = HashSet::with_capacity_and_hasher(body.function.node.len(), Default::default());
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

/// Ops that compute take no trigger as a value: there is none.
pub(super) fn triggers(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let role = role_of_domain(node.domain()).is_some();
    if !body.is_module() || !(role || node.domain() == ONNX_DOMAIN || node.domain().starts_with(OP_DOMAIN_PREFIX)) {
        return;
    }
    for input in data_inputs(node).iter().filter(|input| !input.is_empty()) {
        let ty = body.types.get(input.as_str()).and_then(|info| info.r#type.as_ref());
        if ty.is_some_and(|ty| ty.denotation() == TRIGGER_DENOTATION) {
            report.input(body, node, input, Rule::ControlCount, "is a trigger, and read as a value");
        }
    }
}
