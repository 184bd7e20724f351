//! What does not fit, in a user's words: at the node that finds out, with the places where both sides come from.

use super::dims::{Because, Clash, Extent};
use super::meet::TypeError;
use super::origin::{Aspect, Origin};
use super::relations::{Misfit, Statement};
use super::solver::TypeSolver;
use super::types::{Type, show};
use crate::error::{at_node, source_of};
use crate::index::{NodeIx, ValueIx};
use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use bb_ir::keys;
use bb_ir::ops::ONNX_DOMAIN;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;

const DECLARED: &str = "check the shapes that the program declares: `.shaped::<_>()`, parameters and roles";
const RESHAPE: &str = "check the shapes that the program declares, or `.reshape` one of them";
const NAMES: &str = "a dimension's name is one size in the whole program: give one of them another name";

impl TypeError {
    /// What to say of it at `node`.
    pub(in crate::passes) fn about(&self, node: &NodeProto, a: &ValueType, b: &ValueType) -> Diagnostic {
        let text = format!("this is a {}, but a {} is needed here", show(a), show(b));
        match self {
            TypeError::Elements => at_node(node, "BB0301", text).help("convert one of them: `.cast::<_>()`"),
            TypeError::Ranks | TypeError::Sizes(_) => at_node(node, "BB0302", text).help(DECLARED),
        }
    }
}

impl TypeSolver<'_, '_> {
    /// A value is not what the node at `at` says it is.
    pub(super) fn conflict(&self, at: NodeIx, said: &Statement, error: &TypeError) -> Diagnostic {
        let needed = self.in_place_of(said);
        let fault = error.about(self.index.node(at), &self.shown(said.value), &needed.written(&self.dims));
        let aspect = if matches!(error, TypeError::Elements) { Aspect::Element } else { Aspect::Shape };
        let mut fault = if self.declares(at, said.value, aspect) {
            fault.note(format!(
                "the first is declared: a model says it of what this `{}` gives",
                self.index.node(at).op_type()
            ))
        } else {
            self.note_origin(fault, at, "the first", said.value, aspect)
        };
        if let Some(from) = said.from {
            fault = self.note_origin(fault, at, "the second", from, aspect);
        }
        match error {
            TypeError::Sizes(clash) => self.note_names(fault, at, clash),
            TypeError::Elements | TypeError::Ranks => fault,
        }
    }

    /// Whether what is known of a result of a model's operator stands beside it, and follows from nothing.
    fn declares(&self, at: NodeIx, result: ValueIx, aspect: Aspect) -> bool {
        let node = self.index.node(at);
        // What is wrong in a model's function is told of the module that calls it.
        let module = node.metadata(keys::MODULE_INSTANCE_KEY).and_then(|chain| chain.split('/').next());
        let of_model = node.domain() == ONNX_DOMAIN && module.is_some_and(|it| it != self.index.function().name());
        of_model && self.index.producer(result) == Some(at) && self.told.of(result, aspect).is_none()
    }

    /// What a statement asks for, where it leaves open what it holds.
    fn in_place_of(&self, said: &Statement) -> Type {
        match (&said.is, self.types[said.value.at()].as_ref()) {
            (Type::Tensor { element: None, shape }, Some(Type::Tensor { element, .. })) => {
                Type::Tensor { element: *element, shape: shape.clone() }
            }
            (is, _) => is.clone(),
        }
    }

    /// Two inputs, or one, with which an op can do nothing.
    pub(super) fn misfit(&self, at: NodeIx, misfit: Misfit) -> Diagnostic {
        let op = self.index.node(at).op_type();
        match misfit {
            Misfit::Together(a, b) => self.together(at, a, b),
            Misfit::Elements(value, takes) => {
                let names: Vec<String> = takes.iter().map(|kind| format!("`{}`", kind.name())).collect();
                let text = format!("`{op}` cannot take a {}: it takes {}", show(&self.shown(value)), names.join(", "));
                let fault = at_node(self.index.node(at), "BB0301", text);
                let fault = fault.help(format!("convert it: `.cast::<{}>()`", takes[0].name()));
                self.note_origin(fault, at, "it", value, Aspect::Element)
            }
            Misfit::Alone(value, why) => {
                let text = format!("`{op}` cannot take a {}: {why}", show(&self.shown(value)));
                let fault = at_node(self.index.node(at), "BB0302", text).help(RESHAPE);
                self.note_origin(fault, at, "it", value, Aspect::Shape)
            }
        }
    }

    fn together(&self, at: NodeIx, a: ValueIx, b: ValueIx) -> Diagnostic {
        let node = self.index.node(at);
        let (first, second) = (show(&self.shown(a)), show(&self.shown(b)));
        let text = format!("`{}` cannot put a {first} and a {second} together", node.op_type());
        let fault = at_node(node, "BB0302", text).help(RESHAPE);
        let fault = self.note_origin(fault, at, "the first", a, Aspect::Shape);
        self.note_origin(fault, at, "the second", b, Aspect::Shape)
    }

    /// A dimension of one value is not that of another, which it has to be.
    pub(super) fn apart(&self, at: NodeIx, (x, a): (Extent, ValueIx), (y, b): (Extent, ValueIx)) -> Diagnostic {
        self.note_names(self.together(at, a, b), at, &Clash(x, y))
    }

    /// A name has two sizes: one here, and one in what is called.
    pub(super) fn clash(&self, at: NodeIx, Clash(x, y): &Clash) -> Diagnostic {
        let show = |extent: &Extent| match self.dims.resolve(*extent) {
            Extent::Size(n) => n.to_string(),
            Extent::Symbol(_) | Extent::Any => "another size".into(),
        };
        let node = self.index.node(at);
        let name = self.dims.name(*x).or(self.dims.name(*y)).unwrap_or("a dimension");
        let text = format!("`{name}` is {} here, but {} in `{}`", show(x), show(y), node.op_type());
        self.note_names(at_node(node, "BB0302", text).help(NAMES), at, &Clash(*x, *y))
    }

    /// A name has two sizes, one by a call at `place` that has been inlined.
    pub(super) fn named_twice(&self, Clash(x, y): &Clash, place: Option<SourcePlace>) -> Diagnostic {
        let size = |extent: &Extent| match self.dims.resolve(*extent) {
            Extent::Size(n) => n.to_string(),
            Extent::Symbol(_) | Extent::Any => "unknown".into(),
        };
        let name = self.dims.name(*x).unwrap_or("a dimension");
        let text = format!("`{name}` is {} and {}", size(x), size(y));
        let fault =
            Diagnostic::new("BB0302", text).at(place.clone()).in_module(self.index.function().name()).help(NAMES);
        match self.dims.because(*x) {
            Because::Place(first) if Some(&**first) != place.as_ref() => {
                fault.note_at("the first since here", Some((**first).clone()))
            }
            _ => fault,
        }
    }

    fn shown(&self, value: ValueIx) -> ValueType {
        let is = self.types[value.at()].as_ref().map(|is| is.written(&self.dims));
        is.unwrap_or(ValueType::Tensor { element: None, shape: None })
    }

    fn note_origin(&self, fault: Diagnostic, at: NodeIx, which: &str, value: ValueIx, aspect: Aspect) -> Diagnostic {
        let Origin { value, node, wires } = self.origin(value, aspect);
        let fault = match node {
            None => fault.note(format!("{which} is the parameter `{}`", self.index.name(value))),
            Some(by) if by == at && wires.is_empty() => fault,
            Some(by) => match source_of(self.index.node(by)) {
                Some(place) if fault.notes.iter().all(|note| note.at.as_ref() != Some(&place)) => {
                    fault.note_at(format!("{which} comes from here"), Some(place))
                }
                _ => fault,
            },
        };
        wires.into_iter().fold(fault, |fault, wire| fault.note_at(format!("{which} came over this wire"), Some(wire)))
    }

    /// Where names of dimensions get the sizes that clash.
    fn note_names(&self, mut fault: Diagnostic, at: NodeIx, Clash(x, y): &Clash) -> Diagnostic {
        for extent in [*x, *y] {
            let Extent::Size(n) = self.dims.resolve(extent) else { continue };
            let place = match self.dims.because(extent) {
                Because::Node(by) if *by != at => source_of(self.index.node(*by)),
                Because::Place(place) => Some((**place).clone()),
                Because::Node(_) | Because::Unsaid => None,
            };
            if let (Some(name), Some(place)) = (self.dims.name(extent), place) {
                fault = fault.note_at(format!("`{name}` is {n} since here"), Some(place));
            }
        }
        fault
    }
}
