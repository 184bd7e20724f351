//! Types as tests write them: `f32(N,64)`, `f32` of any shape, `any(_,3)`, `seq f32(4)`; `i64[3,-1]` is a constant.

use crate::support::*;
use bb_compiler::passes;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{AttributeProto, FunctionProto, TensorProto};
use bb_ir::shape_text::{parse_takes, write_takes};
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::views::{Attributes, attribute};

/// The type that a text is.
pub fn read(text: &str) -> ValueType {
    if let Some(of) = text.strip_prefix("seq ") {
        return ValueType::Seq(Box::new(read(of)));
    }
    let (name, dims) = text.split_once('(').map_or((text, None), |(name, dims)| (name, dims.strip_suffix(')')));
    let element = ElementKind::ALL.into_iter().find(|kind| kind.name() == name);
    assert!(element.is_some() || name == "any", "{text}");
    let shape = dims.map(|dims| parse_takes(&format!("0={dims}")).expect("a list of dimensions").remove(0).1);
    ValueType::Tensor { element, shape }
}

/// The text that a type is.
pub fn write(of: &ValueType) -> String {
    match of {
        ValueType::Tensor { element, shape } => {
            let name = element.map_or("any", ElementKind::name);
            let dims = shape.as_ref().map(|dims| write_takes(&[(0, dims.clone())])[2..].to_owned());
            dims.map_or(name.to_owned(), |dims| format!("{name}({dims})"))
        }
        ValueType::Seq(of) => format!("seq {}", write(of)),
        other => other.canonical_text(),
    }
}

/// The value that a text is: an input of that type, or a constant.
pub fn value(m: &mut Module, name: &str, text: &str) -> String {
    let constant = text.strip_prefix("i64[").map(|rest| (rest.trim_end_matches(']'), true));
    match constant.or(text.strip_prefix("i64=").map(|number| (number, false))) {
        None => m.input(name, "Server", read(text)),
        Some((values, vector)) => {
            let values: Vec<i64> =
                values.split(',').filter(|v| !v.is_empty()).map(|v| v.parse().expect("i64")).collect();
            integers(m, &values, vector)
        }
    }
}

/// A constant of integers.
pub fn integers(m: &mut Module, values: &[i64], vector: bool) -> String {
    let (at, mut out) = m.push(ops::ONNX_DOMAIN, "Constant", &[], &[read(if vector { "i64(_)" } else { "i64()" })]);
    let tensor = TensorProto {
        dims: if vector { vec![values.len() as i64] } else { Vec::new() },
        data_type: Some(ElementKind::I64 as i32),
        raw_data: Some(values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>().into()),
        ..TensorProto::default()
    };
    m.node(at).set_attr(attribute::tensor("value", tensor));
    out.remove(0)
}

/// An attribute: `axis=1` or `perm=1,0,`.
pub fn attributes(text: &str) -> Vec<AttributeProto> {
    let number = |n: &str| n.parse::<i64>().expect("an integer");
    let one = |(name, value): (&str, &str)| match value.contains(',') {
        true => attribute::ints(name, value.split(',').filter(|v| !v.is_empty()).map(number).collect::<Vec<_>>()),
        false => attribute::int(name, number(value)),
    };
    text.split_whitespace().map(|text| one(text.split_once('=').expect("name=value"))).collect()
}

/// An operator, its result of a type that nothing says.
pub fn op(m: &mut Module, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
    let out = m.op_of(op, inputs, read("any"));
    let at = m.line() - 1;
    attributes.into_iter().for_each(|attribute| m.node(at).set_attr(attribute));
    out
}

/// What the solver finds of a program whose first function is the root: by name of a root's value.
pub fn solved(functions: Vec<FunctionProto>) -> Result<impl Fn(&str) -> String, Vec<Diagnostic>> {
    let model = passes::inline_for_partition(model(functions)).and_then(passes::type_solver);
    let root = model.map_err(|e| e.faults)?.functions.swap_remove(0);
    Ok(move |name: &str| {
        let info = root.value_info.iter().find(|info| info.name() == name).expect("a value of the root");
        write(&ValueType::from_proto(info.r#type.as_ref().expect("a type")).expect("a type of bb's"))
    })
}

/// One operator on these inputs: the type of its result, or what is said of it.
pub fn result_of(name: &str, inputs: &[&str], with: &str) -> Result<String, String> {
    let mut m = Module::with_graph("f");
    let inputs: Vec<String> =
        inputs.iter().enumerate().map(|(i, text)| value(&mut m, &format!("x{i}"), text)).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let out = op(&mut m, name, &inputs, attributes(with));
    m.output(&out);
    let found = solved(vec![m.done()]).map_err(|faults| {
        assert_eq!(faults.len(), 1, "{faults:#?}");
        format!("{}: {}", faults[0].code, faults[0].message)
    })?;
    Ok(found(&out))
}
