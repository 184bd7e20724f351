//! What is still unknown once a program is solved: told where it comes from, an input or what makes it of known values.

use super::TypeSolution;
use crate::error::at_node;
use crate::index::{FunctionIndex, ValueIx};
use bb_ir::bindings::is_bootstrap;
use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use bb_ir::keys;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::{Dim, ValueType};
use bb_ir::views::Metadata;

/// The root's values are values of somebody, so each holds something.
pub fn elements(root: &FunctionProto, solution: &TypeSolution, faults: &mut Vec<Diagnostic>) {
    let told = Told {
        known: has_element,
        code: "BB0303",
        input: |name| format!("which elements the input `{name}` has cannot be found out"),
        cure_input: "give it a type that says so: `Tensor<f32>`",
        node: |op| format!("which elements `{op}` gives cannot be found out"),
        cure_node: "say which they are: `.narrow::<_>()`",
    };
    told.of(root, solution, faults);
}

/// The same for shapes, of the root and of what runs once per start.
pub fn shapes(model: &ModelProto, solutions: &[(usize, TypeSolution)], faults: &mut Vec<Diagnostic>) {
    let told = Told {
        known: has_shape,
        code: "BB0305",
        input: |name| format!("which shape the input `{name}` has cannot be found out"),
        cure_input: "give it a type that says so: `Tensor<f32, (N, D<64>)>`",
        node: |op| format!("which shape `{op}` gives cannot be found out"),
        cure_node: "say which it is, in the signature of a role or an op, or here: `.shaped::<_>()`",
    };
    for (position, solution) in solutions {
        let function = &model.functions[*position];
        if *position == 0 || is_bootstrap(function) {
            told.of(function, solution, faults);
        }
    }
}

/// What has to be known, and what is said where it is not.
struct Told {
    known: fn(&ValueType) -> bool,
    code: &'static str,
    input: fn(&str) -> String,
    cure_input: &'static str,
    node: fn(&str) -> String,
    cure_node: &'static str,
}

impl Told {
    fn of(&self, function: &FunctionProto, solution: &TypeSolution, faults: &mut Vec<Diagnostic>) {
        if solution.types.iter().all(|of| of.as_ref().is_some_and(self.known)) {
            return;
        }
        let index = FunctionIndex::new(function);
        let known = |value: &ValueIx| solution.types[value.at()].as_ref().is_some_and(self.known);
        for value in function.input.iter().filter_map(|name| index.value(name)).filter(|value| !known(value)) {
            let at = index.info(value).and_then(|info| SourcePlace::parse(info.metadata(keys::SOURCE_KEY)?));
            let fault = Diagnostic::new(self.code, (self.input)(index.name(value))).at(at);
            faults.push(fault.in_module(function.name()).help(self.cure_input));
        }
        for (at, node) in index.nodes().filter(|(at, _)| !solution.refused.contains(at)) {
            let mut inputs = index.inputs(at).iter().flatten();
            if inputs.all(known) && !index.outputs(at).iter().flatten().all(known) {
                faults.push(self.made_by(node));
            }
        }
    }

    fn made_by(&self, node: &NodeProto) -> Diagnostic {
        at_node(node, self.code, (self.node)(node.op_type())).help(self.cure_node)
    }
}

fn has_element(of: &ValueType) -> bool {
    match of {
        ValueType::Tensor { element, .. } => element.is_some(),
        ValueType::Seq(of) => has_element(of),
        ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => true,
    }
}

fn has_shape(of: &ValueType) -> bool {
    match of {
        ValueType::Tensor { shape, .. } => shape.as_ref().is_some_and(|dims| !dims.contains(&Dim::Unknown)),
        ValueType::Seq(of) => has_shape(of),
        ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => true,
    }
}
