//! The smallest pieces of print: names, types, numbers.

use crate::keys::{NAMESPACE, SOURCE_KEY};
use crate::proto::onnx::attribute_proto::AttributeType;
use crate::proto::onnx::tensor_shape_proto::{Dimension, dimension};
use crate::proto::onnx::{
    AttributeProto, StringStringEntryProto, TensorProto, TensorShapeProto, TypeProto, type_proto,
};
use std::fmt::Display;

/// The most elements of a tensor that are printed.
const ELEMENTS_MAX: usize = 8;

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// A name as it is, or in quotes where it holds something else than names are made of.
pub(super) fn name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.~/-".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// Names behind commas; one that is left out has none.
pub(super) fn names(texts: &[String]) -> String {
    let texts = texts.iter().map(|text| if text.is_empty() { String::new() } else { name(text) });
    texts.collect::<Vec<_>>().join(", ")
}

/// `key=value`, sorted by key, ours without their namespace.
pub(super) fn metadata(props: &[StringStringEntryProto]) -> impl Iterator<Item = String> + use<> {
    let mut entries: Vec<(String, &str)> = props
        .iter()
        .filter(|entry| entry.key() != SOURCE_KEY)
        .map(|entry| (entry.key().strip_prefix(NAMESPACE).unwrap_or(entry.key()).to_owned(), entry.value()))
        .collect();
    entries.sort();
    let print = |value: &str| match value.chars().any(|c| c.is_whitespace() || c.is_control()) || value.is_empty() {
        true => quoted(value),
        false => value.to_owned(),
    };
    let printed: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}={}", print(value))).collect();
    printed.into_iter()
}

/// ONNX's name of an element type.
fn element(number: i32) -> &'static str {
    const NAMES: [&str; 23] = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
        "float8e4m3fn",
        "float8e4m3fnuz",
        "float8e5m2",
        "float8e5m2fnuz",
        "uint4",
        "int4",
    ];
    usize::try_from(number).ok().and_then(|i| NAMES.get(i).copied()).unwrap_or("unknown")
}

/// `float[N,64]`; a number is `float`, any rank `float[]`. What has a denotation is called by it.
pub(super) fn type_text(ty: &TypeProto) -> String {
    if !ty.denotation().is_empty() {
        return name_of_denotation(ty.denotation());
    }
    match &ty.value {
        Some(type_proto::Value::TensorType(t)) => shaped(element(t.elem_type()), t.shape.as_ref()),
        Some(type_proto::Value::SequenceType(s)) => of("seq", s.elem_type.as_deref()),
        Some(type_proto::Value::OptionalType(o)) => of("optional", o.elem_type.as_deref()),
        Some(type_proto::Value::MapType(m)) => of("map", m.value_type.as_deref()),
        Some(type_proto::Value::SparseTensorType(t)) => {
            format!("sparse_tensor({})", shaped(element(t.elem_type()), t.shape.as_ref()))
        }
        Some(type_proto::Value::OpaqueType(o)) => format!("opaque({})", name(o.name())),
        None => "?".to_owned(),
    }
}

fn of(kind: &str, inner: Option<&TypeProto>) -> String {
    format!("{kind}({})", inner.map_or_else(|| "?".to_owned(), type_text))
}

/// A user's denotation holds its fields: `app.Report{1:tensor(f32)}`.
fn name_of_denotation(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn shaped(element: &str, shape: Option<&TensorShapeProto>) -> String {
    let Some(shape) = shape else { return format!("{element}[]") };
    if shape.dim.is_empty() {
        return element.to_owned();
    }
    let dim = |d: &Dimension| match &d.value {
        Some(dimension::Value::DimValue(n)) => n.to_string(),
        Some(dimension::Value::DimParam(p)) => name(p),
        None => "?".to_owned(),
    };
    format!("{element}[{}]", shape.dim.iter().map(dim).collect::<Vec<_>>().join(","))
}

/// A tensor's element type and dimensions.
pub(super) fn tensor_type(tensor: &TensorProto) -> String {
    let element = element(tensor.data_type());
    let dims: Vec<String> = tensor.dims.iter().map(i64::to_string).collect();
    if dims.is_empty() { element.to_owned() } else { format!("{element}[{}]", dims.join(",")) }
}

fn tensor(tensor: &TensorProto) -> String {
    let elements = numbers(tensor).map_or_else(|| "…".to_owned(), |numbers| numbers.join(", "));
    format!("{} {{{elements}}}", tensor_type(tensor))
}

fn list<T: Display>(values: &[T]) -> Option<Vec<String>> {
    (!values.is_empty() && values.len() <= ELEMENTS_MAX).then(|| values.iter().map(T::to_string).collect())
}

/// The elements of a small tensor.
fn numbers(tensor: &TensorProto) -> Option<Vec<String>> {
    macro_rules! raw {
        ($bytes:expr, $t:ty) => {{
            let size = size_of::<$t>();
            if $bytes.len() % size != 0 || $bytes.len() / size > ELEMENTS_MAX {
                return None;
            }
            let number = |c: &[u8]| c.try_into().map(<$t>::from_le_bytes).map(|n| n.to_string()).ok();
            $bytes.chunks_exact(size).map(number).collect()
        }};
    }
    let Some(bytes) = &tensor.raw_data else {
        return list(&tensor.float_data)
            .or_else(|| list(&tensor.double_data))
            .or_else(|| list(&tensor.int32_data))
            .or_else(|| list(&tensor.int64_data))
            .or_else(|| list(&tensor.uint64_data));
    };
    match element(tensor.data_type()) {
        "float" => raw!(bytes, f32),
        "double" => raw!(bytes, f64),
        "int8" => raw!(bytes, i8),
        "uint8" | "bool" => raw!(bytes, u8),
        "int16" => raw!(bytes, i16),
        "uint16" => raw!(bytes, u16),
        "int32" => raw!(bytes, i32),
        "uint32" => raw!(bytes, u32),
        "int64" => raw!(bytes, i64),
        "uint64" => raw!(bytes, u64),
        _ => None,
    }
}

/// Text in quotes, and bytes that are none in hexadecimal.
fn bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => quoted(text),
        _ => bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
    }
}

fn several<T>(values: &[T], print: impl Fn(&T) -> String) -> String {
    format!("[{}]", values.iter().map(print).collect::<Vec<_>>().join(", "))
}

/// What an attribute holds; graphs are printed by themselves.
pub(super) fn attribute_value(attribute: &AttributeProto) -> String {
    if !attribute.ref_attr_name().is_empty() {
        return format!("@{}", name(attribute.ref_attr_name()));
    }
    match attribute.r#type() {
        AttributeType::Float => format!("{:?}", attribute.f()),
        AttributeType::Int => attribute.i().to_string(),
        AttributeType::String => bytes(attribute.s()),
        AttributeType::Tensor => attribute.t.as_ref().map_or_else(|| "?".to_owned(), tensor),
        AttributeType::Floats => several(&attribute.floats, |f| format!("{f:?}")),
        AttributeType::Ints => several(&attribute.ints, i64::to_string),
        AttributeType::Strings => several(&attribute.strings, |s| bytes(s)),
        AttributeType::Tensors => several(&attribute.tensors, tensor),
        AttributeType::TypeProto => attribute.tp.as_ref().map_or_else(|| "?".to_owned(), type_text),
        AttributeType::TypeProtos => several(&attribute.type_protos, type_text),
        AttributeType::SparseTensor | AttributeType::SparseTensors => "{…}".to_owned(),
        AttributeType::Graph | AttributeType::Graphs | AttributeType::Undefined => "?".to_owned(),
    }
}
