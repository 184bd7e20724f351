//! Ops: known, imported, with as many inputs and outputs as they take and give.

use super::program::key_of_node;
use super::said::Kind;
use super::{Body, Program, Report, Rule};
use crate::index::NodeIx;
use crate::keys;
use crate::ops::{
    BACKEND_DOMAIN, GATE_DOMAIN, MODULE_DOMAIN, OP_DOMAIN_PREFIX, SYSCALL_DOMAIN, WIRE_DOMAIN, onnx_op, own_op,
    role_of_domain,
};
use crate::proto::onnx::NodeProto;
use crate::views::Metadata;

pub(super) fn known(program: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let node = body.index.node(at);
    if body.kind(at) == Kind::Onnx {
        return onnx(body, node, body.reads(at), report);
    }
    let (domain, op) = (node.domain(), node.op_type());
    let known = match domain {
        BACKEND_DOMAIN => return super::carriers::carrier(program, body, node, report),
        MODULE_DOMAIN => return call(program, body, node, report),
        WIRE_DOMAIN | SYSCALL_DOMAIN | GATE_DOMAIN => own_op(domain, op).is_some(),
        other => {
            let tail = role_of_domain(other).or_else(|| other.strip_prefix(OP_DOMAIN_PREFIX));
            tail.is_some_and(|tail| !tail.is_empty()) && !op.is_empty()
        }
    };
    if !known {
        report.node(body, node, Rule::UnknownOp, format!("there is no op `{op}` in `{domain}`"));
    }
}

fn onnx(body: &Body<'_>, node: &NodeProto, inputs: usize, report: &mut Report) {
    let name = node.op_type();
    let Some(op) = onnx_op(name) else {
        report.node(body, node, Rule::UnknownOp, format!("`{name}` is no operator that every backend has"));
        return;
    };
    let outputs = node.output.len();
    let (least, most) = op.inputs;
    let (fewest, outputs_max) = op.outputs;
    if !(least..=most).contains(&inputs) || !(fewest..=outputs_max).contains(&outputs) {
        report.node(body, node, Rule::Arity, format!("`{name}` has {inputs} inputs and {outputs} outputs"));
    }
}

fn call(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(callee) = program.functions.get(&key_of_node(node)) else {
        let text = format!("there is no module `{}` of overload `{}`", node.op_type(), node.overload());
        report.node(body, node, Rule::MissingCallee, text);
        return;
    };
    let (has, takes) = (node.input.len(), callee.input.len());
    if has != takes || node.output.len() > callee.output.len() {
        let (reads, gives) = (node.output.len(), callee.output.len());
        let text =
            format!("`{}` takes {takes} values and gives {gives}, the call has {has} and {reads}", callee.name());
        report.node(body, node, Rule::Arity, text);
    }
}

pub(super) fn imported(program: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let node = body.index.node(at);
    let domain = node.domain();
    let is_imported = match body.kind(at) {
        Kind::Onnx => body.imports_onnx,
        _ => body.imports.contains(&domain),
    };
    if is_imported {
        return;
    }
    for (whose, sets) in [("model", &program.model.opset_import), ("function", &body.function.opset_import)] {
        if !sets.iter().any(|set| set.domain() == domain) {
            let text = format!("the {whose} does not import the operator set `{domain}`");
            report.node(body, node, Rule::OpsetNotImported, text);
        }
    }
}

pub(super) fn served(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(role) = role_of_domain(node.domain()) else { return };
    let slot = node.metadata(keys::SLOT_ID_KEY).is_some();
    let concrete = node.metadata(keys::CONCRETE_TYPE_KEY).is_some() && node.metadata(keys::INSTANCE_KEY).is_some();
    if !slot && !concrete {
        report.node(body, node, Rule::UnservedRole, "neither a slot nor a component serves the op");
    }
    if slot && node.metadata(keys::REQUIRED_TRAIT_KEY) != Some(role) {
        report.node(body, node, Rule::UnservedRole, format!("the slot has to serve `{role}`"));
    }
}
