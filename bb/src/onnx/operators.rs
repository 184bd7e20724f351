//! Which operators of a model bb has, and in which operator sets they mean the same.

use super::Fault;
use super::model::malformed;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops::{ONNX_DOMAIN, onnx_op};
use bb_ir::proto::onnx::{ModelProto, NodeProto, TensorProto};
use bb_ir::types::ElementKind;
use bb_ir::version::ONNX_OPSET;
use bb_ir::views::Attributes;
use std::collections::{BTreeMap, BTreeSet};

/// Up to here, operators of `ONNX_OPSET` have only learned further element types.
const NEWEST: i64 = 24;

/// The version of `ai.onnx` that a model is written in.
pub fn operator_set(model: &ModelProto, path: &str) -> Result<i64, Fault> {
    let plain = |domain: &str| domain == ONNX_DOMAIN || domain == "ai.onnx";
    let found = model.opset_import.iter().find(|set| plain(set.domain())).map(|set| set.version());
    match found {
        Some(version @ 1..=NEWEST) => Ok(version),
        Some(version) => Err(other_set(path, version, &format!("bb knows those up to {NEWEST}")).into()),
        None => Err(malformed(path, "it does not say which operator set it uses").into()),
    }
}

fn other_set(path: &str, version: i64, why: &str) -> Diagnostic {
    let text = format!("`{path}` is written in operator set {version}, and {why}");
    let help = format!("convert it: `onnx.version_converter.convert_version(model, {ONNX_OPSET})`");
    Diagnostic::new("BB0803", text).help(help)
}

/// Outputs behind the first that nobody reads are left out: masks and indices, that exporters name all the same. A
/// BatchNormalization says by how many it has that it trains.
pub fn without_unread_outputs(nodes: &mut [NodeProto], given: &[String]) {
    let read = nodes.iter().flat_map(|node| &node.input).chain(given).cloned();
    let read: BTreeSet<String> = read.collect();
    for node in nodes.iter_mut().filter(|node| !["BatchNormalization", "Split"].contains(&node.op_type())) {
        while node.output.len() > 1 && node.output.last().is_some_and(|last| !read.contains(last)) {
            node.output.pop();
        }
    }
}

/// Names all operators that bb does not have.
pub fn refuse_unknown(nodes: &[NodeProto], path: &str) -> Result<(), Fault> {
    let mut found: Vec<(String, &NodeProto)> = Vec::new();
    for node in nodes {
        let (domain, op) = (node.domain(), node.op_type());
        let plain = [ONNX_DOMAIN, "ai.onnx"].contains(&domain);
        // These two are written as something else.
        if plain && (onnx_op(op).is_some() || ["Constant", "Dropout"].contains(&op)) {
            continue;
        }
        let name = if plain { format!("`{op}`") } else { format!("`{op}` of `{domain}`") };
        if found.iter().all(|(known, _)| *known != name) {
            found.push((name, node));
        }
    }
    let Some(((_, first), others)) = found.split_first() else { return Ok(()) };
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let fault = unknown(path, &format!("uses {}", names.join(", ")), first);
    let named = others.iter().filter(|(_, node)| !node.name().is_empty());
    Err(named.fold(fault, |fault, (name, node)| fault.note(format!("that of {name} is `{}`", node.name()))).into())
}

/// Looks at a node of a model of that operator set, and writes it as bb does.
pub fn accept(
    node: &mut NodeProto,
    opset: i64,
    constants: &BTreeMap<String, TensorProto>,
    path: &str,
) -> Result<(), Fault> {
    if node.domain() == "ai.onnx" {
        node.domain = Some(ONNX_DOMAIN.to_owned());
    }
    while node.input.last().is_some_and(String::is_empty) {
        node.input.pop();
    }
    while node.output.last().is_some_and(String::is_empty) {
        node.output.pop();
    }
    if node.domain() == ONNX_DOMAIN && node.op_type() == "Dropout" {
        without_dropout(node, constants, path)?;
    }
    let op = node.op_type().to_owned();
    let row = onnx_op(&op).expect("what bb does not have has been refused");
    if opset < row.since {
        let why = format!("`{op}` means the same as in {ONNX_OPSET} only from {} on", row.since);
        return Err(other_set(path, opset, &why).into());
    }
    let (inputs, outputs) = (node.input.len(), node.output.len());
    if inputs < row.inputs.0 || inputs > row.inputs.1 || outputs < row.outputs.0 {
        return Err(malformed(path, &format!("`{op}` has {inputs} inputs and {outputs} outputs")).into());
    }
    if outputs > row.outputs.1 {
        return Err(unknown(path, &format!("uses {outputs} outputs of `{op}`"), node).into());
    }
    if op == "BatchNormalization" && node.attr_int("training_mode").unwrap_or(0) != 0 {
        return Err(unknown(path, "trains: `BatchNormalization` has `training_mode`", node).into());
    }
    if let Some(number) = node.attr_int("to").filter(|_| op == "Cast")
        && i32::try_from(number).ok().and_then(ElementKind::from_onnx).is_none()
    {
        return Err(unknown(path, &format!("casts to elements of ONNX's type {number}"), node).into());
    }
    if op == "Pad" && node.attr_str("mode") == Some("wrap") {
        return Err(unknown(path, "pads with what stands at the other end: `Pad` has `mode` \"wrap\"", node).into());
    }
    if op == "Split" && inputs < 2 && node.attr("num_outputs").is_none() {
        let count = i64::try_from(outputs).unwrap_or(i64::MAX);
        node.set_attr(bb_ir::views::attribute::int("num_outputs", count));
    }
    node.overload = None;
    Ok(())
}

/// Nothing is dropped where nothing is trained.
fn without_dropout(node: &mut NodeProto, constants: &BTreeMap<String, TensorProto>, path: &str) -> Result<(), Fault> {
    let trains = node.input.get(2).is_some_and(|name| {
        let raw = constants.get(name).and_then(|tensor| tensor.raw_data.as_ref());
        raw.is_none_or(|raw| raw.iter().any(|byte| *byte != 0))
    });
    if trains || node.output.len() > 1 {
        return Err(unknown(path, "trains: `Dropout` has a training mode, or its mask is used", node).into());
    }
    node.op_type = Some("Identity".into());
    node.input.truncate(1);
    node.attribute.clear();
    Ok(())
}

fn unknown(path: &str, what: &str, node: &NodeProto) -> Diagnostic {
    let text = format!("`{path}` {what}, for which bb has no operator");
    let fault = Diagnostic::new("BB0804", text);
    let fault = if node.name().is_empty() { fault } else { fault.note(format!("the node is `{}`", node.name())) };
    fault.help("`bb/docs/ir.md` lists the operators there are; what else a model does, a component does")
}
