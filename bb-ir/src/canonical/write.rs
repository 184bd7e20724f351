//! The bytes of a canonical model, without making one: a program is mostly nodes and values, which are written as they
//! are but for their source locations.

use super::{canonical, canonical_info, canonical_node, function};
use crate::keys::SOURCE_KEY;
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, StringStringEntryProto, ValueInfoProto};
use prost::{Message, encode_length_delimiter, length_delimiter_len};

/// Keys of fields that hold messages: their number and how they are written.
const MODEL_FUNCTIONS: u16 = 25 << 3 | 2;
const FUNCTION_NODE: u16 = 7 << 3 | 2;
const FUNCTION_VALUE_INFO: u16 = 12 << 3 | 2;
const NODE_METADATA_PROPS: u16 = 9 << 3 | 2;

/// What [`canonical`] leaves of `model`, as protobuf bytes, fields in the order of their numbers.
pub(crate) fn write(model: &ModelProto) -> Vec<u8> {
    let frame = ModelProto {
        ir_version: model.ir_version,
        producer_name: None,
        producer_version: None,
        domain: model.domain.clone(),
        model_version: model.model_version,
        doc_string: None,
        graph: model.graph.clone(),
        opset_import: model.opset_import.clone(),
        metadata_props: model.metadata_props.clone(),
        training_info: model.training_info.clone(),
        functions: Vec::new(),
    };
    // Functions are a model's last field.
    let mut bytes = canonical(&frame).encode_to_vec();
    let mut body = Vec::new();
    for function in &model.functions {
        body.clear();
        write_function(function, &mut body);
        key(MODEL_FUNCTIONS, &mut bytes);
        message(&body, &mut bytes);
    }
    bytes
}

/// In pieces: what stands before the nodes, between nodes and values, and behind those.
fn write_function(whole: &FunctionProto, to: &mut Vec<u8>) {
    let before = FunctionProto {
        name: whole.name.clone(),
        input: whole.input.clone(),
        output: whole.output.clone(),
        attribute: whole.attribute.clone(),
        ..FunctionProto::default()
    };
    let between = FunctionProto {
        opset_import: whole.opset_import.clone(),
        domain: whole.domain.clone(),
        attribute_proto: whole.attribute_proto.clone(),
        ..FunctionProto::default()
    };
    let behind = FunctionProto {
        overload: whole.overload.clone(),
        metadata_props: whole.metadata_props.clone(),
        ..FunctionProto::default()
    };
    let piece = |mut piece: FunctionProto, to: &mut Vec<u8>| {
        function(&mut piece);
        to.extend(piece.encode_to_vec());
    };
    let mut one = Vec::new();
    piece(before, to);
    for node in &whole.node {
        one.clear();
        write_node(node, &mut one);
        key(FUNCTION_NODE, to);
        message(&one, to);
    }
    piece(between, to);
    for info in &whole.value_info {
        one.clear();
        write_info(info, &mut one);
        key(FUNCTION_VALUE_INFO, to);
        message(&one, to);
    }
    piece(behind, to);
}

fn write_node(node: &NodeProto, to: &mut Vec<u8>) {
    if !node.attribute.is_empty() || node.doc_string.is_some() || !is_sorted(&node.metadata_props) {
        return append(&canonical_node(node), to);
    }
    append(node, to);
    // Metadata is a node's last field.
    let written = |entry: &StringStringEntryProto| {
        let bytes = entry.encoded_len();
        1 + length_delimiter_len(bytes) + bytes
    };
    let source = node.metadata_props.iter().position(|entry| entry.key() == SOURCE_KEY);
    let Some(source) = source else { return };
    let from_here: usize = node.metadata_props[source..].iter().map(written).sum();
    to.truncate(to.len() - from_here);
    for entry in node.metadata_props[source..].iter().filter(|entry| entry.key() != SOURCE_KEY) {
        key(NODE_METADATA_PROPS, to);
        append_delimited(entry, to);
    }
}

fn write_info(info: &ValueInfoProto, to: &mut Vec<u8>) {
    if info.doc_string.is_none() && info.metadata_props.is_empty() {
        append(info, to);
    } else {
        append(&canonical_info(info), to);
    }
}

fn is_sorted(props: &[StringStringEntryProto]) -> bool {
    props.is_sorted_by(|a, b| (a.key(), a.value()) <= (b.key(), b.value()))
}

const ROOM: &str = "a vector has room for what it is given";

fn append(message: &impl Message, to: &mut Vec<u8>) {
    message.encode(to).expect(ROOM);
}
fn append_delimited(message: &impl Message, to: &mut Vec<u8>) {
    message.encode_length_delimited(to).expect(ROOM);
}
fn message(bytes: &[u8], to: &mut Vec<u8>) {
    encode_length_delimiter(bytes.len(), to).expect(ROOM);
    to.extend_from_slice(bytes);
}
/// A field's key, which is written as lengths are.
fn key(key: u16, to: &mut Vec<u8>) {
    encode_length_delimiter(usize::from(key), to).expect(ROOM);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::onnx::TensorProto;
    use crate::verify::Level;
    use crate::verify::sample::model;
    use crate::views::{Metadata, attribute};

    fn same(model: &ModelProto) {
        assert!(write(model) == canonical(model).encode_to_vec());
    }

    #[test]
    fn the_bytes_are_those_of_a_canonical_model() {
        for level in [Level::Recorded, Level::Placed, Level::Sealed] {
            same(&model(level));
        }
        same(&ModelProto::default());
    }

    /// One change each, on a model that is canonical without it.
    #[test]
    fn what_means_nothing_is_left_out_wherever_it_stands() {
        let changes: &[fn(&mut ModelProto)] = &[
            |m| m.doc_string = Some("words".into()),
            |m| m.producer_version = Some("1".into()),
            |m| m.metadata_props.reverse(),
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
        let mut all = model(Level::Placed);
        for change in changes {
            let mut one = model(Level::Placed);
            change(&mut one);
            same(&one);
            change(&mut all);
            same(&all);
        }
    }
}
