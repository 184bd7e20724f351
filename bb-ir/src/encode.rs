//! The protobuf bytes of a model. They are those that prost writes: a program is mostly nodes, values and their metadata,
//! which are written here without its layers, each of which a build script pays for, since nobody optimises it.

use crate::canonical::{self, canonical_info, canonical_node};
use crate::keys::SOURCE_KEY;
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, StringStringEntryProto, ValueInfoProto};
use crate::varint;
use prost::Message;

/// What of a model is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// All of it.
    AsItIs,
    /// What [`canonical::canonical`] leaves of it.
    Canonical,
}

/// The bytes of a model, fields in the order of their numbers.
pub(crate) fn model(model: &ModelProto, how: How) -> Vec<u8> {
    let mut to = Vec::new();
    pieces(model, how, |piece| to.extend_from_slice(piece));
    to
}

/// The same, piece by piece, for who does not need them all at once.
pub(crate) fn pieces(model: &ModelProto, how: How, mut take: impl FnMut(&[u8])) {
    let rest =
        ModelProto { graph: model.graph.clone(), training_info: model.training_info.clone(), ..Default::default() };
    let rest = if how == How::Canonical { canonical::canonical(&rest) } else { rest };
    let mut to = Vec::new();
    integer(1, model.ir_version, &mut to);
    if how == How::AsItIs {
        text(2, &model.producer_name, &mut to);
        text(3, &model.producer_version, &mut to);
    }
    text(4, &model.domain, &mut to);
    integer(5, model.model_version, &mut to);
    if how == How::AsItIs {
        text(6, &model.doc_string, &mut to);
    }
    rest.graph.iter().for_each(|graph| message(7, graph, &mut to));
    model.opset_import.iter().for_each(|set| message(8, set, &mut to));
    metadata(14, &model.metadata_props, how, &mut to);
    rest.training_info.iter().for_each(|info| message(20, info, &mut to));
    take(&to);
    let mut body = Vec::new();
    for function in &model.functions {
        body.clear();
        write_function(function, how, &mut body);
        to.clear();
        key(25, LENGTH, &mut to);
        varint::put(body.len() as u64, &mut to);
        take(&to);
        take(&body);
    }
}

fn write_function(function: &FunctionProto, how: How, to: &mut Vec<u8>) {
    let mut one = Vec::new();
    text(1, &function.name, to);
    texts(4, &function.input, to);
    texts(5, &function.output, to);
    texts(6, &function.attribute, to);
    for node in &function.node {
        one.clear();
        write_node(node, how, &mut one);
        bytes(7, &one, to);
    }
    if how == How::AsItIs {
        text(8, &function.doc_string, to);
    }
    function.opset_import.iter().for_each(|set| message(9, set, to));
    text(10, &function.domain, to);
    for attribute in &function.attribute_proto {
        match how {
            How::AsItIs => message(11, attribute, to),
            How::Canonical => message(11, &canonical::canonical_attribute(attribute), to),
        }
    }
    for info in &function.value_info {
        one.clear();
        write_info(info, how, &mut one);
        bytes(12, &one, to);
    }
    text(13, &function.overload, to);
    metadata(14, &function.metadata_props, how, to);
}

fn write_node(node: &NodeProto, how: How, to: &mut Vec<u8>) {
    if how == How::Canonical && (!node.attribute.is_empty() || node.doc_string.is_some()) {
        return write_node(&canonical_node(node), How::AsItIs, to);
    }
    texts(1, &node.input, to);
    texts(2, &node.output, to);
    text(3, &node.name, to);
    text(4, &node.op_type, to);
    for attribute in &node.attribute {
        message(5, attribute, to);
    }
    text(6, &node.doc_string, to);
    text(7, &node.domain, to);
    text(8, &node.overload, to);
    metadata(9, &node.metadata_props, how, to);
}

fn write_info(info: &ValueInfoProto, how: How, to: &mut Vec<u8>) {
    if how == How::Canonical && (info.doc_string.is_some() || !info.metadata_props.is_empty()) {
        return write_info(&canonical_info(info), How::AsItIs, to);
    }
    text(1, &info.name, to);
    if let Some(of) = &info.r#type {
        message(2, of, to);
    }
    text(3, &info.doc_string, to);
    metadata(4, &info.metadata_props, how, to);
}

fn metadata(field: u32, props: &[StringStringEntryProto], how: How, to: &mut Vec<u8>) {
    if how == How::Canonical && !props.is_sorted_by(|a, b| (a.key(), a.value()) <= (b.key(), b.value())) {
        let mut sorted = props.to_vec();
        canonical::metadata(&mut sorted);
        return metadata(field, &sorted, How::AsItIs, to);
    }
    for entry in props {
        if how == How::AsItIs || entry.key() != SOURCE_KEY {
            key(field, LENGTH, to);
            varint::put((length(&entry.key) + length(&entry.value)) as u64, to);
            text(1, &entry.key, to);
            text(2, &entry.value, to);
        }
    }
}

/// How fields are written, by the low bits of their key.
const VARINT: u32 = 0;
const LENGTH: u32 = 2;

fn key(field: u32, wire_type: u32, to: &mut Vec<u8>) {
    varint::put(u64::from(field << 3 | wire_type), to);
}
fn bytes(field: u32, bytes: &[u8], to: &mut Vec<u8>) {
    key(field, LENGTH, to);
    varint::put(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}
fn text(field: u32, text: &Option<String>, to: &mut Vec<u8>) {
    if let Some(text) = text {
        bytes(field, text.as_bytes(), to);
    }
}
fn texts(field: u32, texts: &[String], to: &mut Vec<u8>) {
    for text in texts {
        bytes(field, text.as_bytes(), to);
    }
}
fn integer(field: u32, number: Option<i64>, to: &mut Vec<u8>) {
    if let Some(number) = number {
        key(field, VARINT, to);
        varint::put(number as u64, to);
    }
}
fn message(field: u32, message: &impl Message, to: &mut Vec<u8>) {
    key(field, LENGTH, to);
    message.encode_length_delimited(to).expect("a vector has room for what it is given");
}
/// How many bytes a text takes in a field of a number below 16.
fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, |text| 1 + varint::length(text.len() as u64) + text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::canonical;
    use crate::proto::onnx::{TensorProto, TrainingInfoProto};
    use crate::verify::Level;
    use crate::verify::sample::model as sample;
    use crate::views::{Metadata, attribute};

    fn same(of: &ModelProto) {
        assert!(model(of, How::Canonical) == canonical(of).encode_to_vec());
        assert!(model(of, How::AsItIs) == of.encode_to_vec());
    }

    #[test]
    fn the_bytes_are_those_of_prost() {
        for level in [Level::Recorded, Level::Placed, Level::Sealed] {
            same(&sample(level));
        }
        same(&ModelProto::default());
    }

    /// One change each, on a model that is canonical without it.
    #[test]
    fn they_are_so_wherever_something_stands() {
        let changes: &[fn(&mut ModelProto)] = &[
            |m| m.doc_string = Some("words".into()),
            |m| m.producer_version = Some("1".into()),
            |m| m.domain = Some(String::new()),
            |m| m.model_version = Some(-1),
            |m| m.training_info.push(TrainingInfoProto { initialization: m.graph.clone(), ..Default::default() }),
            |m| m.metadata_props.reverse(),
            |m| m.functions[0].attribute.push("axis".into()),
            |m| m.functions[0].attribute_proto.push(attribute::int("axis", 1)),
            |m| m.functions[0].overload = Some("x".repeat(300)),
            |m| m.functions[0].doc_string = Some("words".into()),
            |m| m.functions[0].metadata_props.reverse(),
            |m| m.functions[0].node[0].doc_string = Some("words".into()),
            |m| m.functions[0].node[0].metadata_props.reverse(),
            |m| m.functions[0].node.iter_mut().for_each(|node| node.set_metadata(SOURCE_KEY, "a.rs:1:2")),
            |m| m.functions[0].node[0].set_metadata("zzz", "behind the source"),
            |m| m.functions[0].value_info[0].doc_string = Some("words".into()),
            |m| m.functions[0].value_info[0].set_metadata(SOURCE_KEY, "a.rs:1:2"),
            |m| {
                let tensor = TensorProto { doc_string: Some("words".into()), ..TensorProto::default() };
                m.functions[0].node[0].attribute.push(attribute::tensor("value", tensor));
            },
        ];
        let mut all = sample(Level::Placed);
        for change in changes {
            let mut one = sample(Level::Placed);
            change(&mut one);
            same(&one);
            change(&mut all);
            same(&all);
        }
    }
}
