//! A model without what does not mean anything: source locations, documentation and who produced it; metadata sorted.

use crate::keys::SOURCE_KEY;
use crate::proto::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto,
    ValueInfoProto,
};

/// The model with nothing in it but what it means.
pub fn canonical(model: &ModelProto) -> ModelProto {
    let mut model = model.clone();
    model.producer_name = None;
    model.producer_version = None;
    model.doc_string = None;
    metadata(&mut model.metadata_props);
    model.graph.iter_mut().for_each(graph);
    for training in &mut model.training_info {
        training.initialization.iter_mut().for_each(graph);
        training.algorithm.iter_mut().for_each(graph);
    }
    model.functions.iter_mut().for_each(function);
    model
}

/// The node with nothing in it but what it means.
pub fn canonical_node(node: &NodeProto) -> NodeProto {
    let mut copy = node.clone();
    self::node(&mut copy);
    copy
}

/// What is declared about a value, with nothing in it but what it means.
pub(crate) fn canonical_info(info: &ValueInfoProto) -> ValueInfoProto {
    let mut copy = info.clone();
    value_info(&mut copy);
    copy
}

/// An attribute with nothing in it but what it means.
pub(crate) fn canonical_attribute(attribute: &AttributeProto) -> AttributeProto {
    let mut copy = attribute.clone();
    self::attribute(&mut copy);
    copy
}

pub(crate) fn metadata(props: &mut Vec<StringStringEntryProto>) {
    props.retain(|entry| entry.key() != SOURCE_KEY);
    props.sort_by(|a, b| (a.key(), a.value()).cmp(&(b.key(), b.value())));
}

fn function(function: &mut FunctionProto) {
    function.doc_string = None;
    metadata(&mut function.metadata_props);
    function.node.iter_mut().for_each(node);
    function.attribute_proto.iter_mut().for_each(attribute);
    function.value_info.iter_mut().for_each(value_info);
}

fn graph(graph: &mut GraphProto) {
    graph.doc_string = None;
    metadata(&mut graph.metadata_props);
    graph.node.iter_mut().for_each(node);
    for values in [&mut graph.input, &mut graph.output, &mut graph.value_info] {
        values.iter_mut().for_each(value_info);
    }
    graph.initializer.iter_mut().for_each(tensor);
    for sparse in &mut graph.sparse_initializer {
        sparse.values.iter_mut().chain(&mut sparse.indices).for_each(tensor);
    }
}

fn node(node: &mut NodeProto) {
    node.doc_string = None;
    metadata(&mut node.metadata_props);
    node.attribute.iter_mut().for_each(attribute);
}

fn attribute(attribute: &mut AttributeProto) {
    attribute.doc_string = None;
    attribute.t.iter_mut().chain(&mut attribute.tensors).for_each(tensor);
    attribute.g.iter_mut().chain(&mut attribute.graphs).for_each(graph);
    for sparse in attribute.sparse_tensor.iter_mut().chain(&mut attribute.sparse_tensors) {
        sparse.values.iter_mut().chain(&mut sparse.indices).for_each(tensor);
    }
}

fn tensor(tensor: &mut TensorProto) {
    tensor.doc_string = None;
    metadata(&mut tensor.metadata_props);
}

fn value_info(value: &mut ValueInfoProto) {
    value.doc_string = None;
    metadata(&mut value.metadata_props);
}
