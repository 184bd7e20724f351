//! What each op says about the values around it.

use super::callees::Callees;
use super::dims::{Dims, Extent};
use super::fold::Constants;
use super::types::Type;
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::{ElementKind, MISSING_DENOTATION, ValueType};
use bb_ir::views::Attributes;
use bb_ir::wire_shape::{is_gather, is_send};

/// A shape, where the rank is known.
pub(super) type Shape = Option<Vec<Extent>>;

/// A value has to be of a type.
pub(super) struct Statement {
    pub value: ValueIx,
    pub is: Type,
    /// The value that brings the shape, where it is handed on.
    pub from: Option<ValueIx>,
}

/// Why an op cannot take what it is given.
pub(super) enum Misfit {
    /// Two inputs whose sizes no rule of ONNX brings together.
    Together(ValueIx, ValueIx),
    /// An input, and what is wrong with it.
    Alone(ValueIx, String),
    /// An input, and the elements that it would have to hold.
    Elements(ValueIx, &'static [ElementKind]),
}

/// What a node says of the values around it.
#[derive(Default)]
pub(super) struct Said {
    pub types: Vec<Statement>,
    /// Dimensions that are one, of these two values.
    pub equal: Vec<(Extent, Extent, ValueIx, ValueIx)>,
    /// Dimensions that are one, as a called module found.
    pub facts: Vec<(Extent, Extent)>,
    pub misfit: Option<Misfit>,
    /// What is wrong inside a called module.
    pub faults: Vec<Diagnostic>,
}

/// Where everything stands while a function is being solved.
pub(super) struct View<'a, 's> {
    pub index: &'s FunctionIndex<'a>,
    pub constants: &'s Constants,
    pub types: &'s [Option<Type>],
}

/// What the node at `at` says.
pub(super) fn relate<'a>(view: &View<'a, '_>, dims: &mut Dims, callees: &mut Callees<'a>, at: NodeIx) -> Said {
    let node = view.index.node(at);
    if node.domain() == ops::MODULE_DOMAIN {
        return super::callees::relate(view, dims, callees, at);
    }
    let mut said = Said::default();
    super::takes::relate(view, dims, at, &mut said);
    let mut relation = Relation { view, dims, at, node, said };
    match node.domain() {
        _ if ops::is_onnx(node) => {
            relation.onnx();
            if relation.said.misfit.is_none() {
                relation.only_elements_it_takes();
            }
        }
        ops::WIRE_DOMAIN if is_send(node) => relation.send(),
        ops::WIRE_DOMAIN if is_gather(node) => relation.gather(),
        ops::SYSCALL_DOMAIN => relation.syscall(),
        _ => {}
    }
    relation.said
}

pub(super) struct Relation<'a, 's> {
    view: &'s View<'a, 's>,
    pub(super) dims: &'s Dims,
    at: NodeIx,
    pub(super) node: &'a NodeProto,
    pub(super) said: Said,
}

impl Relation<'_, '_> {
    /// How many inputs it reads.
    pub(super) fn inputs(&self) -> usize {
        self.view.index.data_inputs(self.at).len()
    }
    pub(super) fn input_ix(&self, i: usize) -> Option<ValueIx> {
        self.view.index.inputs(self.at).get(i).copied().flatten()
    }
    pub(super) fn output_ix(&self, i: usize) -> Option<ValueIx> {
        self.view.index.outputs(self.at).get(i).copied().flatten()
    }
    fn type_of(&self, value: Option<ValueIx>) -> Option<&Type> {
        self.view.types[value?.at()].as_ref()
    }
    fn element(&self, value: Option<ValueIx>) -> Option<ElementKind> {
        match self.type_of(value)? {
            Type::Tensor { element, .. } => *element,
            Type::Plain(ValueType::Duration) => Some(ElementKind::I64),
            Type::Plain(_) | Type::Seq(_) => None,
        }
    }
    /// What an input holds that is a tensor.
    pub(super) fn tensor_element(&self, i: usize) -> Option<ElementKind> {
        let Type::Tensor { element, .. } = self.type_of(self.input_ix(i))? else { return None };
        *element
    }
    pub(super) fn shape_of(&self, value: Option<ValueIx>) -> Shape {
        match self.type_of(value)? {
            Type::Tensor { shape, .. } => {
                Some(shape.as_ref()?.iter().map(|extent| self.dims.resolve(*extent)).collect())
            }
            Type::Plain(ValueType::Duration) => Some(Vec::new()),
            Type::Plain(_) | Type::Seq(_) => None,
        }
    }
    /// The shape of an input, as far as sizes are known now.
    pub(super) fn shape(&self, i: usize) -> Shape {
        self.shape_of(self.input_ix(i))
    }
    /// The integers an input holds in every run.
    pub(super) fn integers(&self, i: usize) -> Option<&[i64]> {
        self.view.constants.get(self.input_ix(i)?)
    }
    /// The elements and the shape of the values in a sequence.
    fn in_sequence(&self, i: usize) -> Option<(Option<ElementKind>, Shape)> {
        let Type::Seq(of) = self.type_of(self.input_ix(i))? else { return None };
        match of.among_several(self.dims) {
            Type::Tensor { element, shape } => Some((element, shape.map(|s| s.to_vec()))),
            Type::Seq(_) | Type::Plain(_) => None,
        }
    }

    fn say(&mut self, value: Option<ValueIx>, is: Type, from: Option<ValueIx>) {
        if let Some(value) = value {
            self.said.types.push(Statement { value, is, from });
        }
    }
    pub(super) fn output(&mut self, i: usize, is: Type, from: Option<ValueIx>) {
        self.say(self.output_ix(i), is, from);
    }
    /// An input has these dimensions, or what is said of it is nothing.
    pub(super) fn input_shape(&mut self, i: usize, shape: Shape) {
        let is = Type::tensor(None, shape);
        if !matches!(self.type_of(self.input_ix(i)), Some(Type::Plain(_))) {
            self.say(self.input_ix(i), is, self.output_ix(0));
        }
    }
    /// The one output is a tensor. A duration stays one: arithmetic on it is arithmetic on its nanoseconds.
    fn gives(&mut self, element: Option<ElementKind>, shape: Shape) {
        if !matches!(self.type_of(self.output_ix(0)), Some(Type::Plain(ValueType::Duration))) {
            self.output(0, Type::tensor(element, shape), None);
        }
    }
    /// Something is wrong with an input alone.
    pub(super) fn refuse(&mut self, i: usize, why: impl Into<String>) {
        self.said.misfit = self.input_ix(i).map(|value| Misfit::Alone(value, why.into()));
    }
    /// Two inputs do not go together.
    pub(super) fn refuse_together(&mut self, a: usize, b: usize) {
        self.said.misfit = self.input_ix(a).zip(self.input_ix(b)).map(|(a, b)| Misfit::Together(a, b));
    }
    /// This dimension of one input is that one of another.
    pub(super) fn same(&mut self, (a, i): (usize, usize), (b, j): (usize, usize)) {
        // Not resolved, so that a fault can say what they are called.
        let extent = |value: ValueIx, i: usize| self.type_of(Some(value))?.extents().get(i).copied();
        if let Some((a, b)) = self.input_ix(a).zip(self.input_ix(b))
            && let Some((x, y)) = extent(a, i).zip(extent(b, j))
        {
            self.said.equal.push((x, y, a, b));
        }
    }

    /// This input and this output are of one type.
    fn equal(&mut self, input: usize, output: usize) {
        let (input, output) = (self.input_ix(input), self.output_ix(output));
        if let Some(is) = self.type_of(input) {
            self.say(output, is.clone(), input);
        }
        if let Some(is) = self.type_of(output) {
            self.say(input, is.clone(), output);
        }
    }

    /// This input and the output have one shape, whatever they hold.
    fn equal_shape(&mut self, element: Option<ElementKind>) {
        let (there, back) = (self.shape(0), self.shape_of(self.output_ix(0)));
        if !matches!(self.type_of(self.output_ix(0)), Some(Type::Plain(_))) {
            self.output(0, Type::tensor(element, there), self.input_ix(0));
        }
        self.input_shape(0, back);
    }

    /// The inputs and, unless `with_output` says otherwise, the output have one element type. The output comes last:
    /// where two inputs differ, that is the fault.
    fn one_element(&mut self, inputs: usize, with_output: bool) -> Option<ElementKind> {
        let output = if with_output { self.element(self.output_ix(0)) } else { None };
        let element = (0..inputs).find_map(|i| self.element(self.input_ix(i))).or(output)?;
        for i in 0..inputs {
            if !matches!(self.type_of(self.input_ix(i)), Some(Type::Plain(ValueType::Duration))) {
                self.say(self.input_ix(i), Type::tensor(Some(element), None), None);
            }
        }
        Some(element)
    }

    fn syscall(&mut self) {
        match self.node.op_type() {
            ops::SYSCALL_PASS_THROUGH | ops::SYSCALL_LIMIT => self.equal(0, 0),
            ops::SYSCALL_AFTER => {
                self.equal(0, 0);
                self.say(self.input_ix(1), Type::Plain(ValueType::Duration), None);
            }
            ops::SYSCALL_ANY => (0..self.inputs()).for_each(|i| self.equal(i, 0)),
            ops::SYSCALL_ORIGIN => self.output(0, Type::peer(), None),
            ops::SYSCALL_CLOCK => self.output(0, Type::tensor(Some(ElementKind::I64), Some(Vec::new())), None),
            ops::SYSCALL_RANDOM | ops::SYSCALL_INTERVAL => {
                self.output(0, Type::tensor(Some(ElementKind::U64), Some(Vec::new())), None);
            }
            ops::SYSCALL_EMIT | ops::SYSCALL_METRIC => self.output(0, Type::Plain(ValueType::Trigger), None),
            _ => {}
        }
    }

    fn send(&mut self) {
        let payloads = self.node.input.len() - 1;
        for i in 0..payloads {
            self.equal(i, i);
        }
        self.output(payloads, Type::peer(), None);
        self.output(payloads + 1, Type::Plain(ValueType::Trigger), None);
    }

    fn gather(&mut self) {
        let values = self.node.output.len() - 2;
        for i in 0..values {
            if let Some(is) = self.type_of(self.input_ix(i)) {
                let of = is.among_several(self.dims);
                self.output(i, Type::Seq(Box::new(of)), self.input_ix(i));
            }
        }
        self.output(values, Type::Seq(Box::new(Type::peer())), None);
        let missing = Type::Plain(ValueType::Denoted(MISSING_DENOTATION.into()));
        self.output(values + 1, Type::Seq(Box::new(missing)), None);
    }

    fn onnx(&mut self) {
        let many = self.inputs();
        match self.node.op_type() {
            "Add" | "Sub" | "Mul" | "Div" | "Pow" => {
                // An exponent may be of another element type than its base.
                let element = self.one_element(if self.node.op_type() == "Pow" { 1 } else { 2 }, true);
                let shape = self.broadcast();
                self.gives(element, shape);
            }
            "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => {
                self.one_element(2, false);
                let shape = self.broadcast();
                self.gives(Some(ElementKind::Bool), shape);
            }
            "Identity" => self.equal(0, 0),
            "And" | "Or" | "Xor" | "Not" => {
                for i in 0..many {
                    self.say(self.input_ix(i), Type::tensor(Some(ElementKind::Bool), None), None);
                }
                let shape = self.broadcast_all(many);
                self.gives(Some(ElementKind::Bool), shape);
            }
            "Max" | "Min" | "Sum" => {
                let element = self.one_element(many, true);
                let shape = self.broadcast_all(many);
                self.gives(element, shape);
            }
            "Where" => self.chosen(),
            "Abs" | "Ceil" | "Elu" | "Erf" | "Exp" | "Floor" | "Gelu" | "HardSigmoid" | "HardSwish" | "LeakyRelu"
            | "Log" | "Neg" | "Relu" | "Sigmoid" | "Sqrt" | "Tanh" => {
                let element = self.one_element(1, true);
                self.equal_shape(element);
            }
            // The first input, by numbers that stand beside it.
            "BatchNormalization" | "Clip" | "LayerNormalization" => {
                let element = self.one_element(many, true);
                self.equal_shape(element);
            }
            "Conv" => self.of_elements(many, Self::convolved),
            "AveragePool" | "MaxPool" => self.of_elements(1, Self::pooled),
            "GlobalAveragePool" | "GlobalMaxPool" => self.of_elements(1, Self::pooled_whole),
            "Expand" => self.of_elements(1, Self::expanded),
            "Flatten" => self.of_elements(1, Self::flattened),
            "Pad" => self.of_elements(1, Self::padded),
            "Squeeze" => self.of_elements(1, Self::squeezed),
            "Tile" => self.of_elements(1, Self::tiled),
            "Unsqueeze" => self.of_elements(1, Self::unsqueezed),
            "Split" => {
                let element = self.one_element(1, true);
                let parts = self.node.output.len();
                for (i, shape) in self.split(parts).into_iter().enumerate() {
                    self.output(i, Type::tensor(element, shape), None);
                }
            }
            "Shape" => {
                let shape = self.shape_vector();
                self.gives(Some(ElementKind::I64), shape);
            }
            "LogSoftmax" | "Softmax" => {
                let element = self.one_element(1, true);
                self.has_axis(self.node.attr_int("axis").unwrap_or(-1));
                self.equal_shape(element);
            }
            "Cast" => {
                let to = self.node.attr_int("to").and_then(|n| ElementKind::from_onnx(i32::try_from(n).ok()?));
                self.equal_shape(to);
            }
            "MatMul" => self.of_elements(2, Self::matmul),
            "Gemm" => self.of_elements(many, Self::gemm),
            "Transpose" => self.of_elements(1, Self::transposed),
            "Reshape" => self.of_elements(1, Self::reshaped),
            "Concat" => self.of_elements(many, Self::concatenated),
            "Slice" => self.of_elements(1, Self::sliced),
            "Gather" => self.of_elements(1, Self::gathered),
            "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMax" | "ReduceMean" | "ReduceMin"
            | "ReduceProd" | "ReduceSum" | "ReduceSumSquare" => self.of_elements(1, Self::reduced),
            "ArgMax" | "ArgMin" => {
                let shape = self.arg_max();
                self.gives(Some(ElementKind::I64), shape);
            }
            "Constant" => self.constant(),
            "SequenceConstruct" => {
                let element = self.one_element(many, false);
                let shape = self.alike(many);
                self.output(0, Type::Seq(Box::new(Type::tensor(element, shape))), None);
            }
            "SequenceAt" => {
                if let Some(Type::Seq(of)) = self.type_of(self.input_ix(0)) {
                    let one = of.among_several(self.dims);
                    self.output(0, one, self.input_ix(0));
                }
            }
            "SequenceLength" => self.output(0, Type::tensor(Some(ElementKind::I64), Some(Vec::new())), None),
            "ConcatFromSequence" => {
                if let Some((element, shape)) = self.in_sequence(0) {
                    let shape = self.joined(shape);
                    self.gives(element, shape);
                }
            }
            _ => {}
        }
    }

    /// The first `inputs` inputs and the output have one element type, and the output the shape of that rule.
    fn of_elements(&mut self, inputs: usize, shape: fn(&mut Self) -> Shape) {
        let element = self.one_element(inputs, true);
        let shape = shape(self);
        self.gives(element, shape);
    }

    /// One of two values, by a third that is true or false.
    fn chosen(&mut self) {
        self.say(self.input_ix(0), Type::tensor(Some(ElementKind::Bool), None), None);
        let of = [self.input_ix(1), self.input_ix(2), self.output_ix(0)];
        let element = of.iter().find_map(|value| self.element(*value));
        for value in &of[..2] {
            self.say(*value, Type::tensor(element, None), None);
        }
        let shape = self.broadcast_all(3);
        self.gives(element, shape);
    }

    fn constant(&mut self) {
        // Denotations stand in the value info alone, so a constant speaks about plain tensors only.
        let plain = matches!(self.type_of(self.output_ix(0)), Some(Type::Tensor { .. }) | None);
        if let (true, Some(value)) = (plain, self.node.attr_tensor("value")) {
            let size = |d: &i64| u64::try_from(*d).map_or(Extent::Any, Extent::Size);
            let shape = value.dims.iter().map(size).collect();
            self.gives(ElementKind::from_onnx(value.data_type()), Some(shape));
        }
    }
}
