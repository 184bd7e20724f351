//! The worklist: a value of which more is known wakes the nodes around it.

use super::Fact;
use super::callees::{Arguments, Callees, called_with};
use super::dims::{Because, Dims};
use super::fold::Constants;
use super::meet::{TypeError, meet};
use super::origin::{Reason, Told};
use super::relations::{Said, Statement, View, relate};
use super::types::Type;
use crate::index::{Consumers, FunctionIndex, NodeIx, ValueIx};
use crate::parallel;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::types::ValueType;
use bb_ir::views::FunctionKey;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// A function's types, and what finding them took.
#[derive(Debug, Default)]
pub struct TypeSolution {
    /// By value; `None` where nothing is known.
    pub types: Vec<Option<ValueType>>,
    /// What a call takes and gives, dimensions of the caller's under their names.
    pub inputs: Arguments,
    /// The same of its outputs.
    pub outputs: Arguments,
    /// What has been found out about names of dimensions.
    pub facts: Vec<Fact>,
    /// What it calls, and with what.
    pub calls: Vec<(FunctionKey, Arguments)>,
    /// The nodes that said what cannot be.
    pub refused: FxHashSet<NodeIx>,
    /// How many times a node was looked at.
    pub visits: usize,
}

/// Values on one side, nodes as relations between them on the other.
pub struct TypeSolver<'a, 'c> {
    pub(super) index: FunctionIndex<'a>,
    constants: Constants,
    callees: &'c mut Callees<'a>,
    pub(super) dims: Dims,
    pub(super) types: Vec<Option<Type>>,
    pub(super) told: Told,
    consumers: Consumers,
    queue: VecDeque<NodeIx>,
    waiting: Vec<bool>,
    refused: FxHashSet<NodeIx>,
}

impl<'a, 'c> TypeSolver<'a, 'c> {
    /// For one function, with what it declares of its values.
    pub fn new(function: &'a FunctionProto, callees: &'c mut Callees<'a>) -> Self {
        let index = parallel::index(function);
        let mut dims = Dims::default();
        let mut types = Vec::with_capacity(index.values());
        for value in (0..index.values()).map(ValueIx::new) {
            let declared = index.value_type(value);
            let is = declared.map(|written| Type::of(&written, &mut dims).of_a_value(&mut dims));
            is.iter().flat_map(Type::extents).for_each(|extent| dims.watch(*extent, value));
            types.push(is);
        }
        let count = function.node.len();
        TypeSolver {
            constants: Constants::of(&index),
            consumers: index.consumers(),
            told: Told::new(types.len()),
            index,
            callees,
            dims,
            types,
            queue: (0..count).map(NodeIx::new).collect(),
            waiting: vec![true; count],
            refused: FxHashSet::default(),
        }
    }

    /// With what a caller hands over and knows of names; `None` where that is not what the function declares.
    pub fn given(mut self, arguments: &Arguments, facts: &[Fact]) -> Option<Self> {
        for fact in facts {
            self.learn(fact, &Because::Unsaid).ok()?;
        }
        for (name, argument) in self.index.function().input.iter().zip(arguments) {
            let (Some(value), Some(written)) = (self.index.value(name), argument) else { continue };
            // The start of a call is whatever value it is to come after.
            if self.types[value.at()] == Some(Type::Plain(ValueType::Trigger)) {
                continue;
            }
            let is = Type::of(written, &mut self.dims);
            self.narrow(&Statement { value, is, from: None }, None, &Because::Unsaid).ok()?;
        }
        Some(self)
    }

    /// A name is a size, or another name.
    pub(super) fn learn(&mut self, (name, dim): &Fact, because: &Because) -> Result<(), TypeError> {
        let (named, is) = (self.dims.named(name), self.dims.extent(dim));
        self.dims.unify(named, is, because).map_err(TypeError::Sizes)?;
        self.wake(None);
        Ok(())
    }

    /// Narrows until nothing changes. A value's type narrows twice at most and a dimension's class grows at the cost
    /// of the smaller one, so the work grows with the edges.
    pub fn solve(mut self, faults: &mut Vec<Diagnostic>) -> TypeSolution {
        let before = faults.len();
        self.learn_noted(faults);
        if faults.len() > before {
            // Names of two sizes: what follows from them is not worth saying.
            self.queue.clear();
        }
        let mut visits = 0;
        while let Some(at) = self.queue.pop_front() {
            self.waiting[at.at()] = false;
            if self.refused.contains(&at) {
                continue;
            }
            visits += 1;
            let view = View { index: &self.index, constants: &self.constants, types: &self.types };
            let said = relate(&view, &mut self.dims, self.callees, at);
            let before = faults.len();
            self.hear(at, said, faults);
            if faults.len() > before {
                self.refused.insert(at);
            }
        }
        self.solution(visits)
    }

    /// Takes down what a node says, up to its first fault.
    fn hear(&mut self, at: NodeIx, said: Said, faults: &mut Vec<Diagnostic>) {
        if let Some(misfit) = said.misfit {
            faults.push(self.misfit(at, misfit));
            return;
        }
        if !said.faults.is_empty() {
            faults.extend(said.faults);
            return;
        }
        let because = Because::Node(at);
        for statement in &said.types {
            if let Err(error) = self.narrow(statement, Some(at), &because) {
                faults.push(self.conflict(at, statement, &error));
                return;
            }
        }
        for (x, y, a, b) in said.equal {
            if self.dims.unify(x, y, &because).is_err() {
                faults.push(self.apart(at, (x, a), (y, b)));
                return;
            }
        }
        for (x, y) in said.facts {
            if let Err(clash) = self.dims.unify(x, y, &because) {
                faults.push(self.clash(at, &clash));
                return;
            }
        }
        self.wake(Some(at));
    }

    fn narrow(&mut self, said: &Statement, by: Option<NodeIx>, because: &Because) -> Result<(), TypeError> {
        let known = &self.types[said.value.at()];
        let met = match known {
            None => Some(said.is.clone()),
            Some(known) => meet(&mut self.dims, known, &said.is, because)?,
        };
        let Some(met) = met else { return Ok(()) };
        let met = met.of_a_value(&mut self.dims);
        met.extents().iter().for_each(|extent| self.dims.watch(*extent, said.value));
        if let Some(by) = by {
            self.told.note(said, known.as_ref(), &met, Reason { by, from: said.from });
        }
        self.types[said.value.at()] = Some(met);
        self.wake_around(said.value, by);
        Ok(())
    }

    /// Wakes whoever mentions a dimension of which more is known.
    fn wake(&mut self, by: Option<NodeIx>) {
        for value in self.dims.take_woken() {
            self.wake_around(value, by);
        }
    }

    /// A node that says more of its own result has said it; of its inputs more may follow.
    fn wake_around(&mut self, value: ValueIx, by: Option<NodeIx>) {
        let producer = self.index.producer(value).filter(|node| Some(*node) != by);
        for node in producer.into_iter().chain(self.consumers.of(value).iter().copied()) {
            if !std::mem::replace(&mut self.waiting[node.at()], true) {
                self.queue.push_back(node);
            }
        }
    }

    fn solution(self, visits: usize) -> TypeSolution {
        let function = self.index.function();
        let border = |names: &[String]| -> Arguments {
            let of = |name: &String| {
                let is = self.types[self.index.value(name)?.at()].as_ref()?;
                Some(is.map(&mut |extent| self.dims.dim(extent)))
            };
            names.iter().map(of).collect()
        };
        let (inputs, outputs) = (border(&function.input), border(&function.output));
        let view = View { index: &self.index, constants: &self.constants, types: &self.types };
        let calls = self.index.nodes().filter(|(_, node)| node.domain() == ops::MODULE_DOMAIN);
        let calls = calls.map(|(at, _)| called_with(&view, &self.dims, at)).collect();
        let types = self.types.iter().map(|is| Some(is.as_ref()?.written(&self.dims))).collect();
        TypeSolution { types, inputs, outputs, facts: self.dims.facts(), calls, refused: self.refused, visits }
    }
}
