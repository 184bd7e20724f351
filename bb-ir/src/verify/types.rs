//! Types: one for every value of a module.

use super::{Body, Program, Report, Rule};
use crate::index::ValueIx;
use crate::proto::onnx::{NodeProto, type_proto};
use crate::types::ValueType;
use crate::views::Attributes;

pub(super) fn present(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    // Bodies of ops are polymorphic: only modules say what their values are.
    for (value, _) in body.types.iter().enumerate().filter(|(_, ty)| ty.is_none()) {
        let value = ValueIx::new(value);
        let declared = body.index.info(value).is_some_and(|info| info.r#type.is_some());
        let (rule, text) = match declared {
            false => (Rule::MissingType, "has no type"),
            true => (Rule::UnknownType, "has a type that bb does not know"),
        };
        report.value(body, body.index.name(value), rule, text);
    }
}

pub(super) fn resolved(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    for (value, ty) in body.types.iter().enumerate() {
        if ty.as_ref().is_some_and(|ty| !is_resolved(ty)) {
            report.value(body, body.index.name(ValueIx::new(value)), Rule::UnresolvedType, "has no element type");
        }
    }
}

pub(super) fn constant(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if node.op_type() != "Constant" {
        return;
    }
    let (Some(tensor), Some(value)) = (node.attr_tensor("value"), node.output.first()) else { return };
    let info = body.info(value).and_then(|info| info.r#type.as_ref()?.value.as_ref());
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
