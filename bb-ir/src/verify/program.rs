//! A model indexed for the checks, and the checks of the model as a whole.

use super::body::Body;
use super::{Level, Part, Report, Rule};
use crate::bindings::parse_binding_value;
use crate::digest::ProgramDigest;
use crate::keys::{BINDING_KEY_PREFIX, PLACE_TABLE_PREFIX, PROGRAM_DIGEST_KEY, PROGRAM_WIRE_PREFIX};
use crate::ops::ONNX_DOMAIN;
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use crate::types::{Dim, ValueType};
use crate::version::{BB_OPSET, ONNX_IR_VERSION, ONNX_OPSET};
use crate::views::Metadata;
use crate::views::border::{is_of_border, is_unshaped};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// (domain, name, overload)
pub(super) type Key<'a> = (&'a str, &'a str, &'a str);

pub(super) fn key_of_node(node: &NodeProto) -> Key<'_> {
    (node.domain(), node.op_type(), node.overload())
}
pub(super) fn key_of_function(function: &FunctionProto) -> Key<'_> {
    (function.domain(), function.name(), function.overload())
}

pub(super) struct Program<'a> {
    pub(super) model: &'a ModelProto,
    pub(super) level: Level,
    pub(super) bodies: Vec<Body<'a>>,
    pub(super) functions: HashMap<Key<'a>, &'a FunctionProto>,
    /// The class of each place of the table.
    pub(super) places: HashMap<u32, &'a str>,
    /// The names of its weights, which have no place.
    pub(super) weights: HashSet<&'a str>,
    /// The places that are one on each peer of a cohort.
    pub(super) each: HashSet<u32>,
    /// The rows of the program's wires, by the text behind the key's prefix, and the roles of slots by their number.
    pub(super) wires: HashMap<&'a str, &'a str>,
    pub(super) slots: HashMap<u32, String>,
    /// The role and the type of each concrete component, by its instance.
    pub(super) instances: HashMap<&'a str, (String, String)>,
    /// What the model says the digest of the whole program is.
    pub(super) digest: Option<ProgramDigest>,
}

impl<'a> Program<'a> {
    pub(super) fn new(model: &'a ModelProto, level: Level, part: Part, workers: usize) -> Self {
        let bodies = model.functions.iter().enumerate();
        let bodies = bodies.map(|(i, function)| Body::new(model, function, i == 0, part, workers));
        let mut program = Program {
            model,
            level,
            bodies: bodies.collect(),
            functions: model.functions.iter().map(|f| (key_of_function(f), f)).collect(),
            places: HashMap::default(),
            weights: crate::weights::names(model),
            each: HashSet::default(),
            wires: HashMap::default(),
            slots: HashMap::default(),
            instances: HashMap::default(),
            digest: model.metadata(PROGRAM_DIGEST_KEY).and_then(ProgramDigest::parse),
        };
        for entry in model.props() {
            let (key, row) = (entry.key(), entry.value());
            if let Some(id) = key.strip_prefix(PROGRAM_WIRE_PREFIX) {
                program.wires.insert(id, row);
            } else if let Some(number) = key.strip_prefix(PLACE_TABLE_PREFIX) {
                program.place(number, row);
            } else if let Some(name) = key.strip_prefix(BINDING_KEY_PREFIX) {
                program.binding(name, row);
            }
        }
        program
    }

    fn place(&mut self, number: &str, row: &'a str) {
        let mut parts = row.split('|');
        if let (Ok(number), Some(class)) = (number.parse(), parts.next()) {
            self.places.insert(number, class);
            if parts.next() == Some("each") {
                self.each.insert(number);
            }
        }
    }

    fn binding(&mut self, name: &'a str, row: &str) {
        let Some(binding) = parse_binding_value(row) else { return };
        match (binding.slot, binding.concrete, name.split_once('.')) {
            (Some(slot), ..) => _ = self.slots.insert(slot, binding.role),
            (None, Some(of), Some((_, instance))) => _ = self.instances.insert(instance, (binding.role, of)),
            (None, ..) => {}
        }
    }
}

pub(super) fn versions(program: &Program<'_>, report: &mut Report) {
    let found = program.model.ir_version();
    if found != ONNX_IR_VERSION {
        report.model(Rule::Versions, format!("ir_version is {found} instead of {ONNX_IR_VERSION}"));
    }
    let sets = program.model.opset_import.iter().chain(program.model.functions.iter().flat_map(|f| &f.opset_import));
    for set in sets {
        let (domain, found) = (set.domain(), set.version());
        let expected = if domain == ONNX_DOMAIN { ONNX_OPSET } else { BB_OPSET };
        if found != expected {
            report.model(Rule::Versions, format!("operator set `{domain}` has version {found} instead of {expected}"));
        }
    }
}

pub(super) fn root(program: &Program<'_>, report: &mut Report) {
    match program.bodies.first() {
        None => report.model(Rule::Root, "there is no function"),
        Some(root) if !root.is_module() => report.body(root, Rule::Root, "the first function is no module"),
        Some(_) => {}
    }
}

pub(super) fn graph(program: &Program<'_>, report: &mut Report) {
    let Some(root) = program.model.functions.first() else { return };
    let Some(graph) = &program.model.graph else {
        report.model(Rule::Graph, "there is no graph");
        return;
    };
    let calls: Vec<&NodeProto> = graph.node.iter().filter(|node| !is_of_border(node)).collect();
    let &[call] = calls.as_slice() else {
        report.model(Rule::Graph, format!("the graph has {} calls instead of one", calls.len()));
        return;
    };
    for info in graph.input.iter().chain(&graph.output).filter(|info| is_unshaped(info)) {
        report.model(Rule::Graph, format!("`{}` is a tensor of unknown rank at the graph's border", info.name()));
    }
    if key_of_node(call) != key_of_function(root) {
        report.model(Rule::Graph, format!("the graph calls `{}` instead of `{}`", call.op_type(), root.name()));
    }
    if graph.name() != root.name() {
        report.model(Rule::Graph, format!("the graph is named `{}` instead of `{}`", graph.name(), root.name()));
    }
    let given = graph.input.len() + graph.initializer.len();
    let found = (call.input.len(), call.output.len(), given, graph.output.len());
    let (inputs, outputs) = (root.input.len(), root.output.len());
    if found != (inputs, outputs, inputs, outputs) {
        let text = format!("the graph does not have the {inputs} inputs and {outputs} outputs of `{}`", root.name());
        report.model(Rule::Graph, text);
    }
}

pub(super) fn weights(program: &Program<'_>, report: &mut Report) {
    let Some(root) = program.bodies.first() else { return };
    let mut seen = HashSet::default();
    for weight in crate::weights::of(program.model) {
        let name = weight.name();
        let Some(tensor) = crate::weights::tensor(weight) else {
            report.model(Rule::Weight, format!("`{name}` is no tensor, or not as many bytes as its shape says"));
            continue;
        };
        if !seen.insert(name) || !root.function.input.iter().any(|input| input == name) {
            report.model(Rule::Weight, format!("`{name}` is there twice, or no input of `{}`", root.name()));
        }
        let declared = root.type_of(name).cloned();
        let size = |d: &u64| Dim::Size(*d);
        let shape = Some(tensor.shape().iter().map(size).collect());
        if declared != Some(ValueType::Tensor { element: Some(tensor.element()), shape }) {
            report.model(Rule::Weight, format!("`{name}` is not of the type that `{}` says", root.name()));
        }
    }
}

pub(super) fn duplicate_functions(program: &Program<'_>, report: &mut Report) {
    let mut seen = HashSet::default();
    for body in &program.bodies {
        if !seen.insert(key_of_function(body.function)) {
            report.body(body, Rule::DuplicateFunction, "another function has this domain, name and overload");
        }
    }
}
