//! A function indexed for the checks: what several of them ask of its values and nodes is read once.

use super::said::{Kind, Reader, Said};
use crate::bindings::is_bootstrap;
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use crate::ops::MODULE_DOMAIN;
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use crate::types::ValueType;
use rustc_hash::FxHashSet;

/// A function, and what several checks ask of it.
pub(super) struct Body<'a> {
    pub(super) function: &'a FunctionProto,
    /// Whether it is the root, the only one that is placed and cut.
    pub(super) main: bool,
    /// Whether it runs once per start.
    pub(super) bootstrap: bool,
    pub(super) index: FunctionIndex<'a>,
    /// By value of a module: its type, where it has one of bb's.
    pub(super) types: Vec<Option<ValueType>>,
    /// The operator sets that both the function and its model import.
    pub(super) imports: Vec<&'a str>,
    /// The nodes whose name another one has before them.
    pub(super) twins: Vec<NodeIx>,
    said: Vec<Said<'a>>,
    wires: Vec<&'a NodeProto>,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &ModelProto, function: &'a FunctionProto, main: bool) -> Self {
        let imported = |domain: &&str| model.opset_import.iter().any(|set| set.domain() == *domain);
        let mut body = Body {
            function,
            main,
            bootstrap: is_bootstrap(function),
            index: FunctionIndex::new(function),
            types: Vec::new(),
            imports: function.opset_import.iter().map(OperatorSetIdProto::domain).filter(imported).collect(),
            twins: Vec::new(),
            said: Vec::with_capacity(function.node.len()),
            wires: Vec::new(),
        };
        if body.is_module() {
            body.types = (0..body.index.values()).map(|value| body.index.value_type(ValueIx::new(value))).collect();
        }
        body.read_nodes();
        body
    }

    fn read_nodes(&mut self) {
        let mut names = FxHashSet::with_capacity_and_hasher(self.function.node.len(), Default::default());
        let mut reader = Reader::default();
        for (at, node) in self.index.nodes() {
            let said = reader.read(node);
            if said.kind == Kind::Wire {
                self.wires.push(node);
            }
            if !names.insert(node.name()) {
                self.twins.push(at);
            }
            self.said.push(said);
        }
    }

    pub(super) fn name(&self) -> String {
        match self.function.overload() {
            "" => self.function.name().to_owned(),
            overload => format!("{}:{overload}", self.function.name()),
        }
    }
    /// Whether it is a module, and not the reference body of an op.
    pub(super) fn is_module(&self) -> bool {
        self.function.domain() == MODULE_DOMAIN
    }
    /// Its Sends, Recvs and Gathers.
    pub(super) fn wires(&self) -> impl Iterator<Item = &'a NodeProto> + '_ {
        self.wires.iter().copied()
    }
    /// What a node is.
    pub(super) fn kind(&self, at: NodeIx) -> Kind {
        self.said[at.at()].kind
    }
    /// The place of a node, where it has one.
    pub(super) fn place(&self, at: NodeIx) -> Option<u32> {
        self.said[at.at()].place
    }
    /// The class of a node, where it has one.
    pub(super) fn class(&self, at: NodeIx) -> Option<&'a str> {
        self.said[at.at()].class
    }
    /// How many of a node's last inputs it says that it only waits for.
    pub(super) fn controls(&self, at: NodeIx) -> usize {
        self.said[at.at()].controls
    }
    /// Whether all that stands on a node in its metadata is known, at its place, there once and of its form.
    pub(super) fn is_regular(&self, at: NodeIx) -> bool {
        self.said[at.at()].regular
    }
    /// How many inputs a node reads.
    pub(super) fn reads(&self, at: NodeIx) -> usize {
        self.index.inputs(at).len().saturating_sub(self.controls(at))
    }
    /// What is declared about a value.
    pub(super) fn info(&self, name: &str) -> Option<&'a ValueInfoProto> {
        self.index.info(self.index.value(name)?)
    }
    /// The type of a module's value.
    pub(super) fn type_of(&self, name: &str) -> Option<&ValueType> {
        self.types.get(self.index.value(name)?.at())?.as_ref()
    }
    /// The node that makes a value.
    pub(super) fn maker(&self, name: &str) -> Option<&'a NodeProto> {
        Some(self.index.node(self.index.producer(self.index.value(name)?)?))
    }
}
