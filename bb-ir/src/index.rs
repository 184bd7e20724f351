//! A function's values and nodes under dense numbers, so that nobody looks anything up by name in an inner loop.

use crate::proto::onnx::{FunctionProto, NodeProto, ValueInfoProto};
use crate::types::ValueType;
use crate::views::control_inputs;
use crate::workers::in_parts;
use names::Names;
use std::ops::Range;

mod names;

/// A node of a function, by its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeIx(u32);

/// A value of a function: an input or a node's output.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ValueIx(u32);

/// What is declared about a value, by its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InfoIx(u32);

macro_rules! dense {
    ($($name:ident)*) => { $(impl $name {
        /// From a position in a list.
        pub fn new(position: usize) -> Self {
            $name(u32::try_from(position).expect("a function has fewer than 2^32 of anything"))
        }
        /// The position in a list.
        pub fn at(self) -> usize {
            self.0 as usize
        }
    })* };
}
dense!(NodeIx ValueIx InfoIx);

/// A function, its values numbered: inputs first, then outputs in the order of nodes.
pub struct FunctionIndex<'f> {
    function: &'f FunctionProto,
    names: Names<'f>,
    producer: Vec<Option<NodeIx>>,
    /// Where each value is declared.
    info: Vec<Option<InfoIx>>,
    inputs: Rows<Option<ValueIx>>,
    outputs: Rows<Option<ValueIx>>,
}

impl<'f> FunctionIndex<'f> {
    /// Numbers the values of `function`. An input that nothing makes has no number, like an input left out.
    pub fn new(function: &'f FunctionProto) -> Self {
        FunctionIndex::by(1, function)
    }

    /// The same by so many threads, if the function is large; the caller's is one of them.
    pub fn by(workers: usize, function: &'f FunctionProto) -> Self {
        let nodes = &function.node;
        let outputs = nodes.iter().map(|node| node.output.len()).sum();
        let values = function.input.len() + outputs;
        let mut index = FunctionIndex {
            function,
            names: Names::with_room_for(values),
            producer: Vec::with_capacity(values),
            info: Vec::new(),
            inputs: Rows::with_capacity(nodes.len(), 0),
            outputs: Rows::with_capacity(nodes.len(), outputs),
        };
        for name in &function.input {
            index.number(name, names::hash(name), None);
        }
        // To read the names takes longest, so that is what threads share.
        let mut hashes = in_parts(workers, nodes.len(), |part| {
            nodes[part].iter().flat_map(|node| &node.output).map(|name| names::hash(name)).collect()
        })
        .into_iter();
        for (i, node) in nodes.iter().enumerate() {
            for (name, hash) in node.output.iter().zip(&mut hashes) {
                let value = if name.is_empty() { None } else { Some(index.number(name, hash, Some(NodeIx::new(i)))) };
                index.outputs.push(value);
            }
            index.outputs.end_row();
        }
        index.inputs.items = in_parts(workers, nodes.len(), |part| {
            nodes[part].iter().flat_map(|node| &node.input).map(|name| index.value(name)).collect()
        });
        index.inputs.end_rows(nodes.iter().map(|node| node.input.len()));
        index.note_infos(workers);
        index
    }

    fn note_infos(&mut self, workers: usize) {
        let infos = in_parts(workers, self.function.value_info.len(), |part| self.values_of_infos(part));
        self.info = vec![None; self.names.len()];
        for (position, value) in infos.into_iter().enumerate() {
            if let Some(value) = value {
                self.info[value.at()] = Some(InfoIx::new(position));
            }
        }
    }

    /// Whoever writes infos writes them in the order of their values, mostly: then none is looked up.
    fn values_of_infos(&self, infos: Range<usize>) -> Vec<Option<ValueIx>> {
        let mut next = infos.start;
        let value_of = |info: &ValueInfoProto| {
            let value = if next < self.names.len() && self.names.get(ValueIx::new(next)) == info.name() {
                Some(ValueIx::new(next))
            } else {
                self.value(info.name())
            };
            next = value.map_or(next, |value| value.at() + 1);
            value
        };
        self.function.value_info[infos].iter().map(value_of).collect()
    }

    /// Where a name is there twice, whoever makes it first has made it.
    fn number(&mut self, name: &'f str, hash: u64, producer: Option<NodeIx>) -> ValueIx {
        let value = self.names.number(name, hash);
        if value.at() == self.producer.len() {
            self.producer.push(producer);
        }
        value
    }

    /// The function.
    pub fn function(&self) -> &'f FunctionProto {
        self.function
    }
    /// How many values there are.
    pub fn values(&self) -> usize {
        self.names.len()
    }
    /// The number of a value.
    pub fn value(&self, name: &str) -> Option<ValueIx> {
        self.names.find(name)
    }
    /// The name of a value.
    pub fn name(&self, value: ValueIx) -> &'f str {
        self.names.get(value)
    }
    /// The node that makes a value; an input has none.
    pub fn producer(&self, value: ValueIx) -> Option<NodeIx> {
        self.producer[value.at()]
    }
    /// What is declared about a value.
    pub fn info(&self, value: ValueIx) -> Option<&'f ValueInfoProto> {
        self.declared_at(value).map(|info| &self.function.value_info[info.at()])
    }
    /// Where a value is declared.
    pub fn declared_at(&self, value: ValueIx) -> Option<InfoIx> {
        self.info[value.at()]
    }
    /// The declared type of a value.
    pub fn value_type(&self, value: ValueIx) -> Option<ValueType> {
        ValueType::from_proto(self.info(value)?.r#type.as_ref()?)
    }
    /// The nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIx, &'f NodeProto)> + use<'f> {
        self.function.node.iter().enumerate().map(|(i, node)| (NodeIx::new(i), node))
    }
    /// A node.
    pub fn node(&self, node: NodeIx) -> &'f NodeProto {
        &self.function.node[node.at()]
    }
    /// The inputs of a node, by position; `None` where one is left out.
    pub fn inputs(&self, node: NodeIx) -> &[Option<ValueIx>] {
        self.inputs.row(node)
    }
    /// The inputs of a node that it reads, without those it only waits for.
    pub fn data_inputs(&self, node: NodeIx) -> &[Option<ValueIx>] {
        let all = self.inputs(node);
        &all[..all.len() - control_inputs(self.node(node))]
    }
    /// The outputs of a node, by position; `None` where one is left out.
    pub fn outputs(&self, node: NodeIx) -> &[Option<ValueIx>] {
        self.outputs.row(node)
    }
    /// The outputs of the function that exist.
    pub fn function_outputs(&self) -> impl Iterator<Item = ValueIx> + '_ {
        self.function.output.iter().filter_map(|name| self.value(name))
    }
    /// Who reads each value, control inputs included; a node that reads it twice stands there twice.
    pub fn consumers(&self) -> Consumers {
        let mut start = vec![0u32; self.values() + 1];
        for value in self.inputs.items.iter().flatten() {
            start[value.at() + 1] += 1;
        }
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        let mut next = start.clone();
        let mut readers = vec![NodeIx(0); self.inputs.items.iter().flatten().count()];
        for (node, _) in self.nodes() {
            for value in self.inputs(node).iter().flatten() {
                readers[next[value.at()] as usize] = node;
                next[value.at()] += 1;
            }
        }
        Consumers { start, readers }
    }
}

/// Who reads each value of a function.
pub struct Consumers {
    start: Vec<u32>,
    readers: Vec<NodeIx>,
}
impl Consumers {
    /// The nodes that read `value`, in order.
    pub fn of(&self, value: ValueIx) -> &[NodeIx] {
        &self.readers[self.start[value.at()] as usize..self.start[value.at() + 1] as usize]
    }
}

/// Lists of lists in two vectors.
struct Rows<T> {
    /// Where each row starts, and the end of the last one.
    starts: Vec<u32>,
    items: Vec<T>,
}
impl<T> Rows<T> {
    fn with_capacity(rows: usize, items: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Rows { starts, items: Vec::with_capacity(items) }
    }
    fn push(&mut self, item: T) {
        self.items.push(item);
    }
    fn end_row(&mut self) {
        self.starts.push(u32::try_from(self.items.len()).expect("fewer than 2^32 edges"));
    }
    /// The ends of rows of these lengths.
    fn end_rows(&mut self, lengths: impl Iterator<Item = usize>) {
        let mut end = 0;
        self.starts.extend(lengths.map(|length| {
            end += length;
            u32::try_from(end).expect("fewer than 2^32 edges")
        }));
    }
    fn row(&self, node: NodeIx) -> &[T] {
        let (start, end) = (self.starts[node.at()], self.starts[node.at() + 1]);
        &self.items[start as usize..end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> FunctionProto {
        let node = |input: &[&str], output: &[&str]| NodeProto {
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: output.iter().map(|name| (*name).to_owned()).collect(),
            ..NodeProto::default()
        };
        let info = |name: &str| ValueInfoProto { name: Some(name.into()), ..ValueInfoProto::default() };
        FunctionProto {
            input: vec!["x".into()],
            node: vec![node(&["x", ""], &["y", "", "z"]), node(&["z", "nobody's", "z"], &["y"])],
            value_info: ["z", "x", "nobody's", "y"].map(info).into(),
            ..FunctionProto::default()
        }
    }

    #[test]
    fn values_are_numbered_inputs_first_and_keep_the_number_of_their_first_maker() {
        let function = function();
        let index = FunctionIndex::new(&function);
        let [x, y, z] = ["x", "y", "z"].map(|name| index.value(name).expect("it is made"));
        assert_eq!([x, y, z].map(ValueIx::at), [0, 1, 2]);
        assert_eq!(index.values(), 3);
        let (first, second) = (NodeIx::new(0), NodeIx::new(1));
        assert_eq!([x, y, z].map(|value| index.producer(value)), [None, Some(first), Some(first)]);
        assert_eq!(index.outputs(first), [Some(y), None, Some(z)]);
        assert_eq!(index.outputs(second), [Some(y)]);
        assert_eq!(index.inputs(first), [Some(x), None]);
        assert_eq!(index.inputs(second), [Some(z), None, Some(z)]);
        assert_eq!(index.consumers().of(z), [second, second]);
    }

    #[test]
    fn infos_are_found_in_any_order() {
        let function = function();
        let index = FunctionIndex::new(&function);
        for value in (0..index.values()).map(ValueIx::new) {
            assert_eq!(index.info(value).map(ValueInfoProto::name), Some(index.name(value)));
        }
    }
}
