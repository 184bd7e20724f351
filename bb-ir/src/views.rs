//! Reading and writing metadata, attributes and types without touching protobuf fields.

pub mod border;

use crate::proto::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto,
    ValueInfoProto, attribute_proto::AttributeType,
};
use bytes::Bytes;

/// A message with `metadata_props`. They are kept sorted by key; setting one twice leaves one.
pub trait Metadata {
    /// The entries.
    fn props(&self) -> &Vec<StringStringEntryProto>;
    /// The entries, to be changed.
    fn props_mut(&mut self) -> &mut Vec<StringStringEntryProto>;

    /// The value under `key`.
    fn metadata(&self, key: &str) -> Option<&str> {
        self.props().iter().find(|e| e.key() == key).map(|e| e.value())
    }
    /// The value under `key`, parsed; `None` also where it does not parse.
    fn metadata_number<N: std::str::FromStr>(&self, key: &str) -> Option<N> {
        self.metadata(key)?.parse().ok()
    }
    /// Sets `key` to `value`.
    fn set_metadata(&mut self, key: &str, value: impl Into<String>) {
        let value = Some(value.into());
        let props = self.props_mut();
        match props.binary_search_by(|e| e.key().cmp(key)) {
            Ok(i) => props[i].value = value,
            Err(i) => match props.iter_mut().find(|e| e.key() == key) {
                Some(entry) => entry.value = value,
                None => props.insert(i, StringStringEntryProto { key: Some(key.to_owned()), value }),
            },
        }
    }
    /// Sets many keys at once, in a time that grows with their number and no faster; of doubles the last counts.
    fn set_all_metadata(&mut self, rows: impl IntoIterator<Item = (String, String)>) {
        let new = rows.into_iter().map(|(key, value)| StringStringEntryProto { key: Some(key), value: Some(value) });
        let props = self.props_mut();
        props.extend(new);
        // A stable sort of the reverse puts the last of equals first, where it is kept.
        props.reverse();
        props.sort_by(|a, b| a.key().cmp(b.key()));
        props.dedup_by(|later, first| later.key() == first.key());
    }
    /// Removes `key`.
    fn remove_metadata(&mut self, key: &str) {
        self.props_mut().retain(|e| e.key() != key);
    }
    /// Removes what starts with `prefix`.
    fn remove_metadata_under(&mut self, prefix: &str) {
        self.props_mut().retain(|e| !e.key().starts_with(prefix));
    }
    /// The entries whose key starts with `prefix`: the rest of the key, and the value.
    fn metadata_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.props().iter().filter_map(move |e| Some((e.key().strip_prefix(prefix)?, e.value())))
    }
}
macro_rules! metadata { ($($t:ty)*) => { $(impl Metadata for $t {
    fn props(&self) -> &Vec<StringStringEntryProto> { &self.metadata_props }
    fn props_mut(&mut self) -> &mut Vec<StringStringEntryProto> { &mut self.metadata_props }
})* } }
metadata!(ModelProto FunctionProto NodeProto ValueInfoProto GraphProto);

/// The attributes of a node.
pub trait Attributes {
    /// The attribute of that name.
    fn attr(&self, name: &str) -> Option<&AttributeProto>;
    /// An integer.
    fn attr_int(&self, name: &str) -> Option<i64>;
    /// A float.
    fn attr_float(&self, name: &str) -> Option<f32>;
    /// Bytes, or a string's bytes.
    fn attr_bytes(&self, name: &str) -> Option<&Bytes>;
    /// A string, where it is UTF-8.
    fn attr_str(&self, name: &str) -> Option<&str>;
    /// Integers.
    fn attr_ints(&self, name: &str) -> Option<&[i64]>;
    /// A tensor.
    fn attr_tensor(&self, name: &str) -> Option<&TensorProto>;
    /// Sets an attribute; one of the same name is replaced.
    fn set_attr(&mut self, attribute: AttributeProto);
    /// Removes an attribute.
    fn remove_attr(&mut self, name: &str);
}

impl Attributes for NodeProto {
    fn attr(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|a| a.name() == name)
    }
    fn attr_int(&self, name: &str) -> Option<i64> {
        self.attr(name).filter(|a| a.r#type() == AttributeType::Int).map(|a| a.i())
    }
    fn attr_float(&self, name: &str) -> Option<f32> {
        self.attr(name).filter(|a| a.r#type() == AttributeType::Float).map(|a| a.f())
    }
    fn attr_bytes(&self, name: &str) -> Option<&Bytes> {
        self.attr(name).filter(|a| a.r#type() == AttributeType::String)?.s.as_ref()
    }
    fn attr_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.attr_bytes(name)?).ok()
    }
    fn attr_ints(&self, name: &str) -> Option<&[i64]> {
        self.attr(name).filter(|a| a.r#type() == AttributeType::Ints).map(|a| a.ints.as_slice())
    }
    fn attr_tensor(&self, name: &str) -> Option<&TensorProto> {
        self.attr(name).filter(|a| a.r#type() == AttributeType::Tensor)?.t.as_ref()
    }
    fn set_attr(&mut self, attribute: AttributeProto) {
        match self.attribute.iter_mut().find(|a| a.name == attribute.name) {
            Some(old) => *old = attribute,
            None => self.attribute.push(attribute),
        }
    }
    fn remove_attr(&mut self, name: &str) {
        self.attribute.retain(|a| a.name() != name);
    }
}

/// Makes attributes.
pub mod attribute {
    use super::{AttributeProto, AttributeType, Bytes, TensorProto};
    use crate::proto::onnx::GraphProto;

    fn new(name: &str, kind: AttributeType) -> AttributeProto {
        AttributeProto { name: Some(name.to_owned()), r#type: Some(kind as i32), ..AttributeProto::default() }
    }
    /// An integer.
    pub fn int(name: &str, value: i64) -> AttributeProto {
        AttributeProto { i: Some(value), ..new(name, AttributeType::Int) }
    }
    /// A float.
    pub fn float(name: &str, value: f32) -> AttributeProto {
        AttributeProto { f: Some(value), ..new(name, AttributeType::Float) }
    }
    /// Bytes: ONNX keeps them in `s`, type STRING.
    pub fn bytes(name: &str, value: impl Into<Bytes>) -> AttributeProto {
        AttributeProto { s: Some(value.into()), ..new(name, AttributeType::String) }
    }
    /// A string.
    pub fn string(name: &str, value: &str) -> AttributeProto {
        bytes(name, Bytes::copy_from_slice(value.as_bytes()))
    }
    /// Integers.
    pub fn ints(name: &str, values: impl Into<Vec<i64>>) -> AttributeProto {
        AttributeProto { ints: values.into(), ..new(name, AttributeType::Ints) }
    }
    /// A graph.
    pub fn graph(name: &str, value: GraphProto) -> AttributeProto {
        AttributeProto { g: Some(value), ..new(name, AttributeType::Graph) }
    }
    /// A tensor.
    pub fn tensor(name: &str, value: TensorProto) -> AttributeProto {
        AttributeProto { t: Some(value), ..new(name, AttributeType::Tensor) }
    }
}

/// (domain, name, overload): what a node calls and a function is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionKey {
    /// The operator set's domain; empty = `ai.onnx`.
    pub domain: String,
    /// The op type or function name.
    pub name: String,
    /// Which of several of that name.
    pub overload: String,
}
impl FunctionKey {
    /// What `node` calls.
    pub fn of_node(node: &NodeProto) -> Self {
        FunctionKey { domain: node.domain().into(), name: node.op_type().into(), overload: node.overload().into() }
    }
    /// What `function` is.
    pub fn of_function(function: &FunctionProto) -> Self {
        FunctionKey {
            domain: function.domain().into(),
            name: function.name().into(),
            overload: function.overload().into(),
        }
    }
}

/// How many of a node's last inputs it only waits for.
pub fn control_inputs(node: &NodeProto) -> usize {
    node.metadata_number(crate::keys::CONTROL_KEY).unwrap_or(0).min(node.input.len())
}
/// The inputs a node reads, without those it only waits for.
pub fn data_inputs(node: &NodeProto) -> &[String] {
    &node.input[..node.input.len() - control_inputs(node)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_at_once_are_as_many_one_by_one() {
        let (mut one, mut all) = (NodeProto::default(), NodeProto::default());
        let rows = [("b", "1"), ("a", "2"), ("b", "3"), ("c", "4")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        for node in [&mut one, &mut all] {
            node.set_metadata("a", "0");
        }
        for (key, value) in &rows {
            one.set_metadata(key, value.clone());
        }
        all.set_all_metadata(rows);
        assert_eq!(one, all);
    }
}
