//! What each op says about the values around it.

use super::Signature;
use super::shapes::{Misfit, Shape, broadcast, matmul};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::ops;
use bb_ir::proto::onnx::{NodeProto, TensorProto};
use bb_ir::types::{Dim, ElementKind, MISSING_DENOTATION, ValueType};
use bb_ir::views::{Attributes, FunctionKey};
use bb_ir::wire_shape::{is_gather, is_send};
use rustc_hash::FxHashMap;

/// The integers that constants hold: axes, and shapes of `Reshape`.
pub struct Constants(FxHashMap<ValueIx, Vec<i64>>);
impl Constants {
    /// Those of a function.
    pub fn of(index: &FunctionIndex<'_>) -> Self {
        let constants = index.nodes().filter(|(_, node)| is_constant(node));
        let integers = constants.filter_map(|(at, node)| {
            let output = index.outputs(at).first().copied()??;
            Some((output, integers(node.attr_tensor("value")?)?))
        });
        Constants(integers.collect())
    }
}

fn is_constant(node: &NodeProto) -> bool {
    node.domain() == ops::ONNX_DOMAIN && node.op_type() == "Constant"
}

fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type() != ElementKind::I64 as i32 {
        return None;
    }
    match &tensor.raw_data {
        Some(raw) => Some(raw.chunks_exact(8).map(|c| i64::from_le_bytes(c.try_into().expect("8 bytes"))).collect()),
        None => Some(tensor.int64_data.clone()),
    }
}

/// What a node says of the values around it.
#[derive(Default)]
pub(super) struct Said {
    /// Values and the types they have to be.
    pub types: Vec<(ValueIx, ValueType)>,
    /// Two inputs whose sizes no rule of ONNX brings together.
    pub misfit: Option<(ValueIx, ValueIx)>,
}

/// What the node at `at` says.
pub(super) fn relate(
    index: &FunctionIndex<'_>,
    constants: &Constants,
    types: &[Option<ValueType>],
    signatures: &FxHashMap<FunctionKey, Signature>,
    at: NodeIx,
) -> Said {
    let mut node = Relation { index, constants, types, at, node: index.node(at), said: Said::default() };
    match node.node.domain() {
        ops::ONNX_DOMAIN => node.onnx(),
        ops::WIRE_DOMAIN if is_send(node.node) => node.send(),
        ops::WIRE_DOMAIN if is_gather(node.node) => node.gather(),
        ops::SYSCALL_DOMAIN if node.node.op_type() == ops::SYSCALL_PASS_THROUGH => node.equal(0, 0),
        ops::SYSCALL_DOMAIN if node.node.op_type() == ops::SYSCALL_ORIGIN => node.output(0, ValueType::peer()),
        ops::MODULE_DOMAIN => node.call(signatures),
        _ => {}
    }
    node.said
}

pub(super) struct Relation<'a> {
    index: &'a FunctionIndex<'a>,
    constants: &'a Constants,
    types: &'a [Option<ValueType>],
    at: NodeIx,
    pub(super) node: &'a NodeProto,
    said: Said,
}

impl Relation<'_> {
    fn input_ix(&self, i: usize) -> Option<ValueIx> {
        self.index.inputs(self.at).get(i).copied().flatten()
    }
    fn output_ix(&self, i: usize) -> Option<ValueIx> {
        self.index.outputs(self.at).get(i).copied().flatten()
    }
    fn type_of(&self, value: Option<ValueIx>) -> Option<ValueType> {
        self.types[value?.at()].clone()
    }
    fn element(&self, value: Option<ValueIx>) -> Option<ElementKind> {
        match self.types[value?.at()].as_ref()? {
            ValueType::Tensor { element, .. } => *element,
            ValueType::Duration => Some(ElementKind::I64),
            _ => None,
        }
    }
    pub(super) fn shape(&self, i: usize) -> Shape {
        match self.types[self.input_ix(i)?.at()].as_ref()? {
            ValueType::Tensor { shape, .. } => shape.clone(),
            ValueType::Duration => Some(Vec::new()),
            _ => None,
        }
    }
    pub(super) fn integers(&self, i: usize) -> Option<&[i64]> {
        self.constants.0.get(&self.input_ix(i)?).map(Vec::as_slice)
    }
    fn output(&mut self, i: usize, is: ValueType) {
        if let Some(value) = self.output_ix(i) {
            self.said.types.push((value, is));
        }
    }
    fn input(&mut self, i: usize, is: ValueType) {
        if let Some(value) = self.input_ix(i) {
            self.said.types.push((value, is));
        }
    }
    fn shaped(&mut self, element: Option<ElementKind>, shape: Shape) {
        // A duration stays one: arithmetic on it is arithmetic on its nanoseconds, which says nothing new.
        if !matches!(self.type_of(self.output_ix(0)), Some(ValueType::Duration)) {
            self.output(0, ValueType::Tensor { element, shape });
        }
    }

    /// This input and this output are of one type.
    fn equal(&mut self, input: usize, output: usize) {
        if let Some(is) = self.type_of(self.input_ix(input)) {
            self.output(output, is);
        }
        if let Some(is) = self.type_of(self.output_ix(output)) {
            self.input(input, is);
        }
    }

    /// These inputs and, unless `fresh` says otherwise, the output have one element type. The output comes last: where
    /// two inputs differ, that is the fault.
    fn one_element(&mut self, inputs: usize, with_output: bool) -> Option<ElementKind> {
        let output = if with_output { self.element(self.output_ix(0)) } else { None };
        let element = (0..inputs).find_map(|i| self.element(self.input_ix(i))).or(output)?;
        for i in 0..inputs {
            if !matches!(self.type_of(self.input_ix(i)), Some(ValueType::Duration)) {
                self.input(i, ValueType::Tensor { element: Some(element), shape: None });
            }
        }
        Some(element)
    }

    fn send(&mut self) {
        let payloads = self.node.input.len() - 1;
        for i in 0..payloads {
            self.equal(i, i);
        }
        self.output(payloads, ValueType::peer());
        self.output(payloads + 1, ValueType::Trigger);
    }

    fn gather(&mut self) {
        let values = self.node.output.len() - 2;
        for i in 0..values {
            if let Some(is) = self.type_of(self.input_ix(i)) {
                self.output(i, ValueType::Seq(Box::new(is)));
            }
        }
        self.output(values, ValueType::Seq(Box::new(ValueType::peer())));
        self.output(values + 1, ValueType::Seq(Box::new(ValueType::Denoted(MISSING_DENOTATION.into()))));
    }

    fn call(&mut self, signatures: &FxHashMap<FunctionKey, Signature>) {
        let Some(callee) = signatures.get(&FunctionKey::of_node(self.node)) else { return };
        for (i, is) in callee.inputs.iter().enumerate() {
            match is {
                // The start of a call is whatever value it is to come after.
                Some(ValueType::Trigger) | None => {}
                Some(is) => self.input(i, is.clone()),
            }
        }
        for (i, is) in callee.outputs.iter().enumerate() {
            if let Some(is) = is {
                self.output(i, is.clone());
            }
        }
    }

    fn onnx(&mut self) {
        match self.node.op_type() {
            "Add" | "Sub" | "Mul" | "Div" => {
                let element = self.one_element(2, true);
                let shape = self.fitted(broadcast);
                self.shaped(element, shape);
            }
            "Equal" => {
                self.one_element(2, false);
                let shape = self.fitted(broadcast);
                self.shaped(Some(ElementKind::Bool), shape);
            }
            "Identity" => self.equal(0, 0),
            "Exp" | "Log" | "Neg" | "Relu" | "Sigmoid" | "Softmax" | "Sqrt" | "Tanh" => {
                let element = self.one_element(1, true);
                let shape = self.shape(0);
                self.shaped(element, shape);
            }
            "Cast" => {
                let to = self.node.attr_int("to").and_then(|n| ElementKind::from_onnx(i32::try_from(n).ok()?));
                let shape = self.shape(0);
                self.shaped(to, shape);
            }
            "MatMul" => {
                let element = self.one_element(2, true);
                let shape = self.fitted(matmul);
                self.shaped(element, shape);
            }
            "Gemm" => {
                let element = self.one_element(self.node.input.len(), true);
                let shape = self.gemm();
                self.shaped(element, shape);
            }
            "Transpose" => {
                let element = self.one_element(1, true);
                let shape = self.transposed();
                self.shaped(element, shape);
            }
            "Reshape" => {
                let element = self.one_element(1, true);
                let shape = self.reshaped();
                self.shaped(element, shape);
            }
            "Concat" => {
                let element = self.one_element(self.node.input.len(), true);
                let shape = self.shape(0).map(|dims| vec![Dim::Unknown; dims.len()]);
                self.shaped(element, shape);
            }
            "Slice" => {
                let element = self.one_element(1, true);
                let shape = self.shape(0).map(|dims| vec![Dim::Unknown; dims.len()]);
                self.shaped(element, shape);
            }
            "Gather" => {
                let element = self.one_element(1, true);
                let shape = self.gathered();
                self.shaped(element, shape);
            }
            "ReduceMax" | "ReduceMean" | "ReduceSum" => {
                let element = self.one_element(1, true);
                let axes = match self.input_ix(1) {
                    None => Some(Vec::new()),
                    Some(_) => self.integers(1).map(<[i64]>::to_vec),
                };
                let shape = self.reduced(axes);
                self.shaped(element, shape);
            }
            "ArgMax" => {
                let shape = self.reduced(Some(vec![self.node.attr_int("axis").unwrap_or(0)]));
                self.shaped(Some(ElementKind::I64), shape);
            }
            "Constant" => self.constant(),
            "SequenceConstruct" => {
                if let Some(ValueType::Tensor { element, .. }) = self.type_of(self.input_ix(0)) {
                    self.output(0, ValueType::Seq(Box::new(ValueType::Tensor { element, shape: None })));
                }
            }
            "SequenceAt" => {
                if let Some(ValueType::Seq(of)) = self.type_of(self.input_ix(0)) {
                    self.output(0, *of);
                }
            }
            "SequenceLength" => self.output(0, ValueType::scalar(ElementKind::I64)),
            "ConcatFromSequence" => {
                if let Some(ValueType::Seq(of)) = self.type_of(self.input_ix(0))
                    && let ValueType::Tensor { element, shape } = *of
                {
                    let added = usize::from(self.node.attr_int("new_axis") == Some(1));
                    self.shaped(element, shape.map(|dims| vec![Dim::Unknown; dims.len() + added]));
                }
            }
            _ => {}
        }
    }

    /// The shape of two inputs together, unless they do not fit.
    fn fitted(&mut self, rule: fn(Shape, Shape) -> Result<Shape, Misfit>) -> Shape {
        rule(self.shape(0), self.shape(1)).unwrap_or_else(|Misfit| {
            self.said.misfit = self.input_ix(0).zip(self.input_ix(1));
            None
        })
    }

    fn constant(&mut self) {
        // Denotations stand in the value info alone, so a constant speaks about plain tensors only.
        let plain = matches!(self.type_of(self.output_ix(0)), Some(ValueType::Tensor { .. }) | None);
        if let (true, Some(value)) = (plain, self.node.attr_tensor("value")) {
            let dims = value.dims.iter().map(|d| u64::try_from(*d).map_or(Dim::Unknown, Dim::Size)).collect();
            self.shaped(ElementKind::from_onnx(value.data_type()), Some(dims));
        }
    }
}
