//! A function indexed for the checks: what several of them ask of its values and nodes is read once.

use super::Part;
use super::said::{Kind, Reader, Said};
use crate::bindings::is_bootstrap;
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use crate::keys::{CONTROL_KEY, PLACE_KEY};
use crate::ops::{MODULE_DOMAIN, ONNX_DOMAIN};
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use crate::types::ValueType;
use crate::views::Metadata;
use crate::workers::in_parts;
use rustc_hash::FxHashSet;
use std::ops::Range;

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
    /// Whether ONNX's own is one of them.
    pub(super) imports_onnx: bool,
    /// The nodes whose name another one has before them.
    pub(super) twins: Vec<NodeIx>,
    said: Vec<Said<'a>>,
    wires: Vec<&'a NodeProto>,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &ModelProto, function: &'a FunctionProto, main: bool, part: Part, workers: usize) -> Self {
        let imported = |domain: &&str| model.opset_import.iter().any(|set| set.domain() == *domain);
        let imports: Vec<&str> =
            function.opset_import.iter().map(OperatorSetIdProto::domain).filter(imported).collect();
        let mut body = Body {
            function,
            main,
            bootstrap: is_bootstrap(function),
            index: FunctionIndex::by(workers, function),
            types: Vec::new(),
            imports_onnx: imports.contains(&ONNX_DOMAIN),
            imports,
            twins: Vec::new(),
            said: Vec::with_capacity(function.node.len()),
            wires: Vec::new(),
        };
        if body.is_module() {
            let index = &body.index;
            let type_of = |value| index.value_type(ValueIx::new(value));
            body.types = in_parts(workers, index.values(), |values| values.map(type_of).collect());
        }
        body.twins = body.twins(workers);
        body.read_nodes(part, workers);
        body
    }

    /// Mostly a node is called what its first value is, and no two values are called the same.
    fn twins(&self, workers: usize) -> Vec<NodeIx> {
        let mut twins = Vec::new();
        let mut others = FxHashSet::default();
        let called_else = |at: &NodeIx| !self.is_called_as_its_value(*at);
        let called_else = |nodes: Range<usize>| nodes.map(NodeIx::new).filter(called_else).collect();
        for at in in_parts(workers, self.function.node.len(), called_else) {
            let name = self.index.node(at).name();
            let like = self.index.value(name).and_then(|value| self.index.producer(value));
            let like = like.filter(|like| self.is_called_as_its_value(*like) && self.index.node(*like).name() == name);
            if !others.insert(name) || like.is_some_and(|like| like < at) {
                twins.push(at);
            }
            twins.extend(like.filter(|like| *like > at));
        }
        twins.sort_unstable();
        twins
    }

    fn is_called_as_its_value(&self, at: NodeIx) -> bool {
        match self.index.outputs(at).first() {
            Some(Some(value)) if self.index.producer(*value) == Some(at) => {
                self.index.name(*value) == self.index.node(at).name()
            }
            _ => false,
        }
    }

    fn read_nodes(&mut self, part: Part, workers: usize) {
        for node in &self.function.node {
            let kind = Kind::of(node);
            if kind == Kind::Wire {
                self.wires.push(node);
            }
            self.said.push(Said::unread(kind));
        }
        self.said = in_parts(workers, self.said.len(), |nodes| {
            let mut reader = Reader::default();
            let said = nodes.map(NodeIx::new).map(|at| {
                if part == Part::All || self.is_touched_by_wires(at) || self.twins.binary_search(&at).is_ok() {
                    return reader.read(self.index.node(at), self.kind(at));
                }
                self.said[at.at()]
            });
            said.collect()
        });
    }

    /// Whether a node is part of a wire, reads what such a one gives or what is not made before, or gives what is made
    /// elsewhere too.
    fn is_touched_by_wires(&self, at: NodeIx) -> bool {
        if self.kind(at).is_of_wire() {
            return true;
        }
        for value in self.index.inputs(at) {
            // What is left out is not told here from what is missing.
            let Some(value) = value else { return true };
            if let Some(maker) = self.index.producer(*value)
                && (maker >= at || self.kind(maker).is_of_wire())
            {
                return true;
            }
        }
        let elsewhere = |value: &ValueIx| self.index.producer(*value) != Some(at);
        self.index.outputs(at).iter().flatten().any(elsewhere)
    }

    /// Whether the checks of nodes look at this one.
    pub(super) fn looks_at(&self, at: NodeIx) -> bool {
        self.said[at.at()].read
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
        match self.said[at.at()] {
            Said { read: true, place, .. } => place,
            Said { read: false, .. } => self.index.node(at).metadata_number(PLACE_KEY),
        }
    }
    /// The class of a node, where it has one.
    pub(super) fn class(&self, at: NodeIx) -> Option<&'a str> {
        self.said[at.at()].class
    }
    /// How many of a node's last inputs it says that it only waits for.
    pub(super) fn controls(&self, at: NodeIx) -> usize {
        match self.said[at.at()] {
            Said { read: true, controls, .. } => controls,
            Said { read: false, .. } => self.index.node(at).metadata_number(CONTROL_KEY).unwrap_or(0),
        }
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
