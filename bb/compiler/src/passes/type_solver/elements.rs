//! Which elements an operator takes, by ONNX's table of types. What is not here takes all there are.

use super::relations::{Misfit, Relation};
use bb_ir::types::ElementKind::{self, *};

const FLOATS: &[ElementKind] = &[F32, F64];
const SIGNED: &[ElementKind] = &[F32, F64, I8, I16, I32, I64];
const NUMBERS: &[ElementKind] = &[F32, F64, I8, I16, I32, I64, U8, U16, U32, U64];
/// What is added up: nothing that is narrow.
const WIDE: &[ElementKind] = &[F32, F64, I32, I64, U32, U64];
const COMPARED: &[ElementKind] = &[F32, F64, I8, I32, I64, U8, U32, U64, Bool];
const POOLED: &[ElementKind] = &[F32, F64, I8, U8];
const RAISED: &[ElementKind] = &[F32, F64, I32, I64];
/// Positions.
const INDICES: &[ElementKind] = &[I64, I32];
/// Axes, sizes and counts.
const SIZES: &[ElementKind] = &[I64];

/// What an operator takes as the input at that position.
fn taken(op: &str, input: usize) -> Option<&'static [ElementKind]> {
    Some(match (op, input) {
        ("Expand" | "Reshape" | "Squeeze" | "Unsqueeze" | "Tile" | "Split" | "Pad", 1) => SIZES,
        ("Gather" | "SequenceAt", 1) | ("Slice", 1..) | ("Pad", 3) => INDICES,
        (op, 1) if op.starts_with("Reduce") => SIZES,
        (
            "AveragePool" | "BatchNormalization" | "Ceil" | "Conv" | "Elu" | "Erf" | "Exp" | "Floor" | "Gelu"
            | "GlobalAveragePool" | "GlobalMaxPool" | "HardSigmoid" | "HardSwish" | "LayerNormalization" | "LeakyRelu"
            | "Log" | "LogSoftmax" | "Sigmoid" | "Softmax" | "Sqrt" | "Sum" | "Tanh",
            _,
        ) => FLOATS,
        ("Neg" | "Relu", _) => SIGNED,
        ("Pow", 0) => RAISED,
        ("MaxPool", _) => POOLED,
        ("ReduceMax" | "ReduceMin", _) => COMPARED,
        ("Gemm" | "MatMul", _) => WIDE,
        (op, _) if op.starts_with("Reduce") => WIDE,
        (
            "Abs" | "Add" | "ArgMax" | "ArgMin" | "Clip" | "Div" | "Greater" | "GreaterOrEqual" | "Less"
            | "LessOrEqual" | "Max" | "Min" | "Mul" | "Pow" | "Sub",
            _,
        ) => NUMBERS,
        _ => return None,
    })
}

impl Relation<'_, '_> {
    /// Refuses the first input of elements that the operator does not take.
    pub(super) fn only_elements_it_takes(&mut self) {
        let op = self.node.op_type();
        self.said.misfit = (0..self.inputs()).find_map(|i| {
            let (takes, element) = (taken(op, i)?, self.tensor_element(i)?);
            (!takes.contains(&element)).then_some(Misfit::Elements(self.input_ix(i)?, takes))
        });
    }
}
