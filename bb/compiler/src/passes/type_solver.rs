//! Element types, and shapes where they are static, of every value: across calls and wires.
//!
//! *Needs* `expand_ops`. *Makes* value infos as narrow as the program says. *Keeps* every declared type, or refuses:
//! what two sides say about one value has to agree.

mod relations;
mod shapes;
mod types;

pub use relations::Constants;
pub use types::{Conflict, meet};

use crate::error::{PassError, at_node, source_of};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use crate::passes::inline_for_partition::callees_first;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::types::ValueType;
use bb_ir::views::FunctionKey;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

const PASS: &str = "type_solver";

/// A function's types, and what finding them took.
#[derive(Debug, Default)]
pub struct TypeSolution {
    /// By value; `None` where nothing is known.
    pub types: Vec<Option<ValueType>>,
    /// How many times a node was looked at.
    pub visits: usize,
}

/// Solves every module, callees first, and writes what it finds into their value infos.
pub fn type_solver(mut model: ModelProto) -> Result<ModelProto, PassError> {
    let mut faults = Vec::new();
    let mut signatures = FxHashMap::default();
    for position in callees_first(&model)? {
        let function = &mut model.functions[position];
        let root = position == 0;
        if function.domain() == ops::MODULE_DOMAIN {
            let solution = TypeSolver::new(function, &signatures).solve(&mut faults);
            if root {
                refuse_unknown(function, &solution, &mut faults);
            }
            signatures.insert(FunctionKey::of_function(function), Signature::of(function, &solution));
            write_types(function, &solution);
        }
    }
    PassError::unless(PASS, faults, model)
}

/// The root's values are values of somebody: what is still of any element is said where it comes from, an input or
/// what makes it out of values that are known.
fn refuse_unknown(root: &FunctionProto, solution: &TypeSolution, faults: &mut Vec<Diagnostic>) {
    let index = FunctionIndex::new(root);
    let known = |value: &ValueIx| solution.types[value.at()].as_ref().is_some_and(has_element);
    for value in root.input.iter().filter_map(|name| index.value(name)).filter(|value| !known(value)) {
        let text = format!("which elements the input `{}` has cannot be found out", index.name(value));
        let help = "give it a type that says so: `Tensor<f32>`";
        faults.push(Diagnostic::new("BB0303", text).in_module(root.name()).help(help));
    }
    for (at, node) in index.nodes() {
        let mut inputs = index.inputs(at).iter().flatten();
        if inputs.all(known) && !index.outputs(at).iter().flatten().all(known) {
            let text = format!("which elements `{}` gives cannot be found out", node.op_type());
            faults.push(at_node(node, "BB0303", text).help("say which they are: `.narrow::<_>()`"));
        }
    }
}

fn has_element(of: &ValueType) -> bool {
    match of {
        ValueType::Tensor { element, .. } => element.is_some(),
        ValueType::Seq(of) => has_element(of),
        ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => true,
    }
}

/// What a call of a function takes and gives.
pub struct Signature {
    inputs: Vec<Option<ValueType>>,
    outputs: Vec<Option<ValueType>>,
}
impl Signature {
    fn of(function: &FunctionProto, solution: &TypeSolution) -> Self {
        let index = FunctionIndex::new(function);
        let of = |name: &String| index.value(name).and_then(|v| solution.types[v.at()].clone());
        Signature { inputs: function.input.iter().map(of).collect(), outputs: function.output.iter().map(of).collect() }
    }
}

fn write_types(function: &mut FunctionProto, solution: &TypeSolution) {
    let types: Vec<(usize, ValueType)> = {
        let index = FunctionIndex::new(function);
        let infos = function.value_info.iter().enumerate();
        infos.filter_map(|(i, info)| Some((i, solution.types[index.value(info.name())?.at()].clone()?))).collect()
    };
    for (i, found) in types {
        function.value_info[i].r#type = Some(found.to_proto());
    }
}

/// Values on one side, nodes as relations between them on the other: a value that gets narrower wakes its nodes.
pub struct TypeSolver<'a> {
    index: FunctionIndex<'a>,
    signatures: &'a FxHashMap<FunctionKey, Signature>,
    types: Vec<Option<ValueType>>,
    /// Who said what a value is, for whom two of them disagree.
    said_by: Vec<Option<NodeIx>>,
}

impl<'a> TypeSolver<'a> {
    /// For one function; `signatures` are of those it calls.
    pub fn new(function: &'a FunctionProto, signatures: &'a FxHashMap<FunctionKey, Signature>) -> Self {
        let index = FunctionIndex::new(function);
        let types = (0..index.values()).map(|i| index.value_type(ValueIx::new(i))).collect();
        let said_by = (0..index.values()).map(|i| index.producer(ValueIx::new(i))).collect();
        TypeSolver { index, signatures, types, said_by }
    }

    /// Narrows until nothing changes. A value narrows a bounded number of times, so this is linear in the edges.
    pub fn solve(mut self, faults: &mut Vec<Diagnostic>) -> TypeSolution {
        let consumers = self.index.consumers();
        let constants = Constants::of(&self.index);
        let count = self.index.function().node.len();
        let mut queue: VecDeque<NodeIx> = (0..count).map(NodeIx::new).collect();
        let mut waiting = vec![true; count];
        let mut refused: FxHashSet<NodeIx> = FxHashSet::default();
        let mut visits = 0;
        while let Some(at) = queue.pop_front() {
            waiting[at.at()] = false;
            if refused.contains(&at) {
                continue;
            }
            visits += 1;
            let said = relations::relate(&self.index, &constants, &self.types, self.signatures, at);
            if let Some((a, b)) = said.misfit {
                refused.insert(at);
                faults.push(self.misfit(at, a, b));
                continue;
            }
            for (value, said) in said.types {
                let changed = match self.narrow(value, said, at) {
                    Ok(changed) => changed,
                    Err(fault) => {
                        refused.insert(at);
                        faults.push(*fault);
                        break;
                    }
                };
                if changed {
                    let around = self.index.producer(value).into_iter().chain(consumers.of(value).iter().copied());
                    for node in around.filter(|node| *node != at) {
                        if !std::mem::replace(&mut waiting[node.at()], true) {
                            queue.push_back(node);
                        }
                    }
                }
            }
        }
        TypeSolution { types: self.types, visits }
    }

    fn misfit(&self, at: NodeIx, a: ValueIx, b: ValueIx) -> Diagnostic {
        let of = |value: ValueIx| self.types[value.at()].as_ref().map(types::show).unwrap_or_default();
        let node = self.index.node(at);
        let text = format!("`{}` cannot put a {} and a {} together", node.op_type(), of(a), of(b));
        at_node(node, "BB0302", text).help("check the shapes that the program declares, or `.reshape` one of them")
    }

    fn narrow(&mut self, value: ValueIx, said: ValueType, by: NodeIx) -> Result<bool, Box<Diagnostic>> {
        let known = &mut self.types[value.at()];
        let Some(old) = known else {
            *known = Some(said);
            return Ok(true);
        };
        let both = meet(old, &said).map_err(|conflict| {
            let fault = conflict.about(self.index.node(by), old, &said);
            let other = self.said_by[value.at()].filter(|other| *other != by).map(|other| self.index.node(other));
            Box::new(match other.and_then(source_of) {
                Some(place) => fault.note(format!("the first comes from {place}")),
                None => fault,
            })
        })?;
        let changed = both != *old;
        if changed {
            *old = both;
            self.said_by[value.at()] = Some(by);
        }
        Ok(changed)
    }
}
