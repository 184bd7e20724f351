//! Where what is known of a value comes from: followed back over wires and whatever hands it on as it is.

use super::relations::Statement;
use super::solver::TypeSolver;
use super::types::Type;
use crate::error::source_of;
use crate::index::{NodeIx, ValueIx};
use bb_ir::diagnostics::SourcePlace;
use bb_ir::ops;
use bb_ir::wire_shape::is_send;
use rustc_hash::FxHashSet;

/// Which of the two things about a tensor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Element,
    Shape,
}

impl Aspect {
    fn known(self, of: &Type) -> bool {
        match of {
            Type::Tensor { element, shape } => match self {
                Aspect::Element => element.is_some(),
                Aspect::Shape => shape.is_some(),
            },
            Type::Seq(of) => self.known(of),
            Type::Plain(_) => true,
        }
    }
}

/// Why a value is what it is: a node says so, who has it of another value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reason {
    pub by: NodeIx,
    pub from: Option<ValueIx>,
}

/// Who said what first, of values that do not declare it.
pub(super) struct Told {
    element: Vec<Option<Reason>>,
    shape: Vec<Option<Reason>>,
}

impl Told {
    pub fn new(values: usize) -> Self {
        Told { element: vec![None; values], shape: vec![None; values] }
    }
    /// A value becomes `met`; what it was not before, it is for this reason.
    pub fn note(&mut self, said: &Statement, known: Option<&Type>, met: &Type, reason: Reason) {
        for (aspect, all) in [(Aspect::Element, &mut self.element), (Aspect::Shape, &mut self.shape)] {
            if aspect.known(met) && !known.is_some_and(|known| aspect.known(known)) {
                all[said.value.at()] = Some(reason);
            }
        }
    }
    pub fn of(&self, value: ValueIx, aspect: Aspect) -> Option<Reason> {
        match aspect {
            Aspect::Element => self.element[value.at()],
            Aspect::Shape => self.shape[value.at()],
        }
    }
}

/// Where it comes from, and the wires it came over, the last one first.
pub(super) struct Origin {
    pub value: ValueIx,
    pub node: Option<NodeIx>,
    pub wires: Vec<SourcePlace>,
}

impl TypeSolver<'_, '_> {
    /// Where this of a value comes from.
    pub(super) fn origin(&self, mut value: ValueIx, aspect: Aspect) -> Origin {
        let mut wires = Vec::new();
        let mut seen = FxHashSet::from_iter([value]);
        loop {
            let reason = self.told.of(value, aspect).or_else(|| {
                let by = self.index.producer(value)?;
                Some(Reason { by, from: self.handed_on(by, value) })
            });
            let Some(Reason { by, from }) = reason else { return Origin { value, node: None, wires } };
            let known = |from: &ValueIx| self.types[from.at()].as_ref().is_some_and(|is| aspect.known(is));
            let Some(from) = from.filter(known).filter(|from| seen.insert(*from)) else {
                return Origin { value, node: Some(by), wires };
            };
            // Followed from the far side to the near one, or back.
            if is_send(self.index.node(by)) {
                wires.extend(source_of(self.index.node(by)));
            }
            value = from;
        }
    }

    /// The input that an output is, whatever it declares.
    fn handed_on(&self, by: NodeIx, output: ValueIx) -> Option<ValueIx> {
        let node = self.index.node(by);
        let input = match (node.domain(), node.op_type()) {
            (ops::WIRE_DOMAIN, _) if is_send(node) => {
                self.index.outputs(by).iter().position(|value| *value == Some(output))?
            }
            (ops::SYSCALL_DOMAIN, ops::SYSCALL_PASS_THROUGH) => 0,
            (ops::ONNX_DOMAIN, op) if HANDS_ON.contains(&op) => 0,
            _ => return None,
        };
        // What says of its input which shape it is, is where the shape comes from.
        let told = |input: &ValueIx| {
            let reasons = [Aspect::Element, Aspect::Shape].map(|aspect| self.told.of(*input, aspect));
            !reasons.iter().flatten().any(|reason| reason.from == Some(output))
        };
        self.index.inputs(by).get(input).copied().flatten().filter(told)
    }
}

/// Operators whose result is like their first input.
const HANDS_ON: &[&str] = &["Exp", "Identity", "Log", "Neg", "Relu", "Sigmoid", "Softmax", "Sqrt", "Tanh"];
