//! Element types and shapes of every value: through operators, roles, modules and wires.
//!
//! *Needs* `expand_ops`. *Makes* value infos as narrow as the program says. *Keeps* every declared type, or refuses:
//! what two sides say about one value has to agree. A dimension's name means one size in the whole program.
//!
//! Values on one side, nodes as relations between them on the other (after the type solver of TVM's Relay): a value of
//! which more is known wakes its nodes, so the work grows with the edges.

mod bounds;
mod callees;
mod dims;
mod elements;
mod facts;
mod faults;
mod fold;
mod meet;
mod origin;
mod relations;
mod reshape;
mod resized;
mod shapes;
mod solver;
mod takes;
mod types;
mod unknown;
mod windows;

pub use callees::{Arguments, Callees};
pub(super) use facts::Facts;
pub(super) use fold::Constants;
pub use meet::TypeError;
pub(super) use meet::meet_written;
pub use solver::{TypeSolution, TypeSolver};

use crate::error::PassError;
use crate::parallel;
use crate::passes::inline_for_partition::callees_first;
use bb_ir::bindings::is_bootstrap;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::types::Dim;
use bb_ir::views::FunctionKey;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

const PASS: &str = "type_solver";

/// A name of a dimension, and what it is: a size, or another name.
pub type Fact = (String, Dim);

/// What has to be known of types before a program runs. Element types always have to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Types {
    /// Shapes as far as they are said; the others are looked at while the program runs.
    #[default]
    Relaxed,
    /// Shapes too: every dimension has a size or a name.
    Strict,
}

/// Solves the root, and what it calls for each list of types it is called with; writes what it finds.
pub fn type_solver(model: ModelProto) -> Result<ModelProto, PassError> {
    type_solver_with(model, Types::Relaxed)
}

/// The same, where as much has to be known.
pub fn type_solver_with(mut model: ModelProto, types: Types) -> Result<ModelProto, PassError> {
    let mut faults = Vec::new();
    let order = callees_first(&model)?;
    let solutions = solve(&model, &order, &mut faults);
    if types == Types::Strict {
        unknown::shapes(&model, &solutions, &mut faults);
    }
    once_each(&mut faults);
    for (position, solution) in solutions {
        write_types(&mut model.functions[position], &solution);
    }
    model.functions.iter_mut().for_each(facts::forget);
    PassError::unless_but(PASS, faults, model)
}

/// Callers first: what all calls of a function hand over is known when it is its turn.
fn solve(model: &ModelProto, callees_first: &[usize], faults: &mut Vec<Diagnostic>) -> Vec<(usize, TypeSolution)> {
    let mut callees = Callees::of(model, callees_first);
    let mut called: FxHashMap<FunctionKey, Called> = FxHashMap::default();
    let mut solutions = Vec::new();
    let mut known = Vec::new();
    for position in callees_first.iter().rev().copied() {
        let function = &model.functions[position];
        if function.domain() != ops::MODULE_DOMAIN {
            continue;
        }
        let solver = TypeSolver::new(function, &mut callees);
        let solution = if position == 0 {
            let solution = solver.solve(faults);
            unknown::elements(function, &solution, faults);
            known.clone_from(&solution.facts);
            solution
        } else if is_bootstrap(function) {
            let solution = solver.solve(faults);
            unknown::elements(function, &solution, faults);
            solution
        } else {
            // Where calls differ, what the function declares is all that holds for each. What is wrong in it has been
            // found in each of its calls.
            let arguments = called.remove(&FunctionKey::of_function(function)).and_then(Called::always);
            match solver.given(&arguments.unwrap_or_default(), &known) {
                Some(solver) => solver.solve(&mut Vec::new()),
                None => continue,
            }
        };
        for (key, arguments) in &solution.calls {
            Called::add(&mut called, key, arguments);
        }
        solutions.push((position, solution));
    }
    solutions
}

/// What is wrong in a module is found in each call of it: said once, with the first.
fn once_each(faults: &mut Vec<Diagnostic>) {
    let mut told = FxHashSet::default();
    faults.retain(|fault| told.insert((fault.code, fault.at.clone(), fault.message.clone())));
}

/// What the calls of a function hand over.
enum Called {
    Always(Arguments),
    Differently,
}

impl Called {
    fn add(all: &mut FxHashMap<FunctionKey, Called>, key: &FunctionKey, arguments: &Arguments) {
        match all.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Called::Always(arguments.clone()));
            }
            Entry::Occupied(mut entry) => {
                if !matches!(entry.get(), Called::Always(known) if known == arguments) {
                    entry.insert(Called::Differently);
                }
            }
        }
    }
    fn always(self) -> Option<Arguments> {
        match self {
            Called::Always(arguments) => Some(arguments),
            Called::Differently => None,
        }
    }
}

fn write_types(function: &mut FunctionProto, solution: &TypeSolution) {
    // Whoever writes infos writes them in the order of their values, mostly: then none is looked up.
    let outputs = function.node.iter().flat_map(|node| &node.output).filter(|name| !name.is_empty());
    let mut values = function.input.iter().chain(outputs);
    let in_order = function.value_info.iter().all(|info| values.next().is_some_and(|name| name == info.name()));
    let of: Vec<Option<usize>> = if in_order && solution.types.len() >= function.value_info.len() {
        (0..function.value_info.len()).map(Some).collect()
    } else {
        let index = parallel::index(function);
        function.value_info.iter().map(|info| Some(index.value(info.name())?.at())).collect()
    };
    for (info, value) in function.value_info.iter_mut().zip(of) {
        if let Some(found) = value.and_then(|value| solution.types[value].as_ref()) {
            info.r#type = Some(found.to_proto());
        }
    }
}
