//! Calls of modules: a callee is solved once for each list of types that it is called with.

use super::dims::{Dims, Extent, Symbol, anonymous, anonymous_name};
use super::relations::{Said, Statement, View};
use super::types::Type;
use super::{Fact, TypeSolution, TypeSolver};
use crate::index::NodeIx;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::{Dim, ValueType};
use bb_ir::views::FunctionKey;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The types of a call's inputs. Dimensions that the caller does not name are named by their order.
pub type Arguments = Vec<Option<ValueType>>;

/// Nodes of callees are looked at this many times for each node there is. Behind that, what a callee declares is all
/// that is known of a call: in a tower of modules that each call the next one twice, each path would be solved by itself.
const VISITS_PER_NODE: usize = 16;
/// The same of calls in calls in calls.
const DEEPEST: usize = 32;

/// The functions of a program, and what has been found out about calls of them.
#[derive(Default)]
pub struct Callees<'a> {
    functions: FxHashMap<FunctionKey, Callee<'a>>,
    solved: FxHashMap<(FunctionKey, Arguments), Rc<Solved>>,
    depth: usize,
    visits: usize,
    visits_max: usize,
}

struct Callee<'a> {
    function: &'a FunctionProto,
    /// What it declares of its inputs.
    takes: Arguments,
}

/// What a call turns out to take and give.
struct Solved {
    inputs: Arguments,
    outputs: Arguments,
    facts: Vec<Fact>,
    faults: Vec<Diagnostic>,
}

impl<'a> Callees<'a> {
    /// The functions of `model`, in the order in which each stands behind all it calls: the root is the last.
    pub fn of(model: &'a ModelProto, callees_first: &[usize]) -> Self {
        let callee = |function: &'a FunctionProto| {
            let infos: FxHashMap<&str, &ValueInfoProto> = function.value_info.iter().map(|i| (i.name(), i)).collect();
            let of = |name: &String| ValueType::from_proto(infos.get(name.as_str())?.r#type.as_ref()?);
            let takes = function.input.iter().map(of).collect();
            (FunctionKey::of_function(function), Callee { function, takes })
        };
        let functions = model.functions.iter().map(callee).collect();
        let nodes: usize = model.functions.iter().map(|function| function.node.len()).sum();
        let mut callees = Callees { functions, visits_max: VISITS_PER_NODE * nodes, ..Callees::default() };
        // Nothing handed over: what is known of a call when nothing else may be found out.
        callees.depth = DEEPEST;
        for position in callees_first.iter().filter(|position| **position != 0) {
            let function = &model.functions[*position];
            if function.domain() == ops::MODULE_DOMAIN {
                callees.solve(FunctionKey::of_function(function), Arguments::new());
            }
        }
        callees.depth = 0;
        callees
    }

    /// How many times nodes of callees were looked at.
    pub fn visits(&self) -> usize {
        self.visits
    }

    /// What a call with these arguments takes and gives; `None` where they are not what the callee declares.
    fn solve(&mut self, key: FunctionKey, arguments: Arguments) -> Option<Rc<Solved>> {
        let mut known = (key, arguments);
        if let Some(solved) = self.solved.get(&known) {
            return Some(solved.clone());
        }
        if self.depth >= DEEPEST || self.visits >= self.visits_max {
            known.1.clear();
            if let Some(solved) = self.solved.get(&known) {
                return Some(solved.clone());
            }
        }
        let function = self.functions.get(&known.0)?.function;
        let mut faults = Vec::new();
        self.depth += 1;
        let solution = TypeSolver::new(function, self).given(&known.1, &[]).map(|solver| solver.solve(&mut faults));
        self.depth -= 1;
        let TypeSolution { inputs, outputs, facts, visits, .. } = solution?;
        self.visits += visits;
        let solved = Rc::new(Solved { inputs, outputs, facts, faults });
        self.solved.insert(known, solved.clone());
        Some(solved)
    }
}

/// The dimensions of a caller's arguments that have neither size nor name, in their order.
#[derive(Default)]
struct Anonymous(Vec<Symbol>);

impl Anonymous {
    fn dim(&mut self, dims: &Dims, extent: Extent) -> Dim {
        match (dims.resolve(extent), dims.dim(extent)) {
            (Extent::Symbol(symbol), Dim::Unknown) => {
                let known = self.0.iter().position(|s| *s == symbol);
                let number = known.unwrap_or_else(|| {
                    self.0.push(symbol);
                    self.0.len() - 1
                });
                Dim::Named(anonymous_name(number))
            }
            (_, dim) => dim,
        }
    }
    fn extent(&self, dims: &mut Dims, dim: &Dim) -> Extent {
        match dim {
            Dim::Named(name) if anonymous(name) => {
                let mut known = self.0.iter().enumerate();
                known.find(|(i, _)| anonymous_name(*i) == *name).map_or(Extent::Any, |(_, s)| Extent::Symbol(*s))
            }
            written => dims.extent(written),
        }
    }
    fn of(&self, dims: &mut Dims, written: &ValueType) -> Type {
        match written {
            ValueType::Tensor { element, shape } => {
                let shape = shape.as_ref().map(|all| all.iter().map(|dim| self.extent(dims, dim)).collect());
                Type::tensor(*element, shape)
            }
            ValueType::Seq(of) => Type::Seq(Box::new(self.of(dims, of))),
            plain => Type::Plain(plain.clone()),
        }
    }
}

/// What the call at `at` hands over, as far as it is known.
fn arguments(view: &View<'_, '_>, dims: &Dims, at: NodeIx) -> (Arguments, Anonymous) {
    let mut names = Anonymous::default();
    let of = |value: &Option<_>| {
        let value: crate::index::ValueIx = (*value)?;
        Some(view.types[value.at()].as_ref()?.map(&mut |extent| names.dim(dims, extent)))
    };
    (view.index.inputs(at).iter().map(of).collect(), names)
}

/// Which function a call calls, and with what.
pub fn called_with(view: &View<'_, '_>, dims: &Dims, at: NodeIx) -> (FunctionKey, Arguments) {
    (FunctionKey::of_node(view.index.node(at)), arguments(view, dims, at).0)
}

/// What a call says of the values around it.
pub(super) fn relate<'a>(view: &View<'a, '_>, dims: &mut Dims, callees: &mut Callees<'a>, at: NodeIx) -> Said {
    let mut said = Said::default();
    let node = view.index.node(at);
    let key = FunctionKey::of_node(node);
    let Some(callee) = callees.functions.get(&key) else { return said };
    let (inputs, outputs) = (view.index.inputs(at), view.index.outputs(at));
    let mut say = |value: Option<_>, is: Option<Type>| {
        if let (Some(value), Some(is)) = (value, is) {
            said.types.push(Statement { value, is, from: None });
        }
    };
    for (value, is) in inputs.iter().zip(&callee.takes) {
        match is {
            // The start of a call is whatever value it is to come after.
            Some(ValueType::Trigger) | None => {}
            Some(is) => say(*value, Some(Type::of(is, dims))),
        }
    }
    let (arguments, names) = arguments(view, dims, at);
    let Some(solved) = callees.solve(key, arguments) else { return said };
    for (value, is) in inputs.iter().zip(&solved.inputs) {
        if !matches!(is, Some(ValueType::Trigger)) {
            say(*value, is.as_ref().map(|is| names.of(dims, is)));
        }
    }
    for (value, is) in outputs.iter().zip(&solved.outputs) {
        say(*value, is.as_ref().map(|is| names.of(dims, is)));
    }
    for (name, dim) in &solved.facts {
        let named = names.extent(dims, &Dim::Named(name.clone()));
        said.facts.push((named, names.extent(dims, dim)));
    }
    said.faults = solved.faults.iter().map(|fault| told(fault.clone(), node)).collect();
    said
}

/// What is wrong inside a callee, for this call of it.
fn told(fault: Diagnostic, call: &NodeProto) -> Diagnostic {
    match crate::error::source_of(call) {
        Some(place) => fault.note_at("in this call", Some(place)),
        None => fault,
    }
}
