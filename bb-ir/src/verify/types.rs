//! Types: one for every value of a module.

use super::{Body, Program, Report, Rule};
use crate::ops::ONNX_DOMAIN;
use crate::proto::onnx::{NodeProto, type_proto};
use crate::types::ValueType;
use crate::views::Attributes;

/// Every value of a module: its inputs, then what its nodes give.
fn values<'a>(body: &Body<'a>) -> impl Iterator<Item = &'a str> {
    let function = body.function;
    let outputs = function.node.iter().flat_map(|node| &node.output);
    function.input.iter().chain(outputs).map(String::as_str).filter(|name| !name.is_empty())
}

pub(super) fn present(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    // Bodies of ops are polymorphic: only modules say what their values are.
    if !body.is_module() {
        return;
    }
    for value in values(body) {
        match body.types.get(value).map(|info| info.r#type.as_ref()) {
            None | Some(None) => report.value(body, value, Rule::MissingType, "has no type"),
            Some(Some(ty)) if ValueType::from_proto(ty).is_none() => {
                report.value(body, value, Rule::UnknownType, "has a type that bb does not know");
            }
            Some(Some(_)) => {}
        }
    }
}

pub(super) fn resolved(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    for value in values(body) {
        let ty = body.types.get(value).and_then(|info| ValueType::from_proto(info.r#type.as_ref()?));
        if ty.is_some_and(|ty| !is_resolved(&ty)) {
            report.value(body, value, Rule::UnresolvedType, "has no element type");
        }
    }
}

pub(super) fn constant(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if node.domain() != ONNX_DOMAIN || node.op_type() != "Constant" {
        return;
    }
    let (Some(tensor), Some(value)) = (node.attr_tensor("value"), node.output.first()) else { return };
    let info = body.types.get(value.as_str()).and_then(|info| info.r#type.as_ref()?.value.as_ref());
    if let Some(type_proto::Value::TensorType(ty)) = info
        && ty.elem_type() != tensor.data_type()
    {
        report.input(body, node, value, Rule::ConstantType, "is of another type than its value");
    }
}

fn is_resolved(ty: &ValueType) -> bool {
    match ty {
        ValueType::Tensor { element, .. } => element.is_some(),
        ValueType::Seq(of) => is_resolved(of),
        ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => true,
    }
}
