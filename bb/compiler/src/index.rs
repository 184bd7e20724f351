//! A function's values and nodes under dense numbers, so that passes look nothing up by name in their inner loops.

use bb_ir::proto::onnx::{FunctionProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::control_inputs;
use rustc_hash::FxHashMap;

/// A node of a function, by its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeIx(u32);

/// A value of a function: an input or a node's output.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ValueIx(u32);

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
dense!(NodeIx ValueIx);

/// A function, its values numbered: inputs first, then outputs in the order of nodes.
pub struct FunctionIndex<'f> {
    function: &'f FunctionProto,
    names: Vec<&'f str>,
    by_name: FxHashMap<&'f str, ValueIx>,
    producer: Vec<Option<NodeIx>>,
    info: Vec<Option<&'f ValueInfoProto>>,
    inputs: Rows<Option<ValueIx>>,
    outputs: Rows<Option<ValueIx>>,
}

impl<'f> FunctionIndex<'f> {
    /// Numbers the values of `function`. An input that nothing makes has no number, like an input left out.
    pub fn new(function: &'f FunctionProto) -> Self {
        let mut index = FunctionIndex {
            function,
            names: Vec::new(),
            by_name: FxHashMap::default(),
            producer: Vec::new(),
            info: Vec::new(),
            inputs: Rows::default(),
            outputs: Rows::default(),
        };
        for name in &function.input {
            index.number(name, None);
        }
        for (i, node) in function.node.iter().enumerate() {
            for name in &node.output {
                let value = (!name.is_empty()).then(|| index.number(name, Some(NodeIx::new(i))));
                index.outputs.push(value);
            }
            index.outputs.end_row();
        }
        for node in &function.node {
            for name in &node.input {
                let value = index.value(name);
                index.inputs.push(value);
            }
            index.inputs.end_row();
        }
        index.info = vec![None; index.names.len()];
        for info in &function.value_info {
            if let Some(value) = index.value(info.name()) {
                index.info[value.at()] = Some(info);
            }
        }
        index
    }

    fn number(&mut self, name: &'f str, producer: Option<NodeIx>) -> ValueIx {
        let next = ValueIx::new(self.names.len());
        let value = *self.by_name.entry(name).or_insert(next);
        if value == next {
            self.names.push(name);
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
        self.by_name.get(name).copied()
    }
    /// The name of a value.
    pub fn name(&self, value: ValueIx) -> &'f str {
        self.names[value.at()]
    }
    /// The node that makes a value; an input has none.
    pub fn producer(&self, value: ValueIx) -> Option<NodeIx> {
        self.producer[value.at()]
    }
    /// What is declared about a value.
    pub fn info(&self, value: ValueIx) -> Option<&'f ValueInfoProto> {
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
    ends: Vec<u32>,
    items: Vec<T>,
}
impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { ends: Vec::new(), items: Vec::new() }
    }
}
impl<T> Rows<T> {
    fn push(&mut self, item: T) {
        self.items.push(item);
    }
    fn end_row(&mut self) {
        self.ends.push(u32::try_from(self.items.len()).expect("fewer than 2^32 edges"));
    }
    fn row(&self, node: NodeIx) -> &[T] {
        let start = if node.at() == 0 { 0 } else { self.ends[node.at() - 1] as usize };
        &self.items[start..self.ends[node.at()] as usize]
    }
}
