//! Operators one by one: each is a region of one node.

use super::plan::{Plans, Region};
use crate::cpu::reduce;
use bb::OpError;
use bb::ir::component::{Kernel, KernelEntry};
use bb::ir::proto::onnx::{GraphProto, NodeProto, TensorProto, ValueInfoProto};
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::value::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! kernels { ($($op:literal)*) => {
    /// One kernel per operator, sorted by name.
    pub const KERNELS: &[KernelEntry] = &[$(KernelEntry { domain: "", op: $op, build }),*];
    $(bb::__private::inventory::submit! {
        bb::__private::RegisteredKernel(KernelEntry { domain: "", op: $op, build })
    })*
} }
kernels! {
    "Abs" "And" "ArgMin" "AveragePool" "BatchNormalization" "Ceil" "Clip" "Conv" "Elu" "Erf" "Expand" "Flatten" "Floor"
    "Gelu" "GlobalAveragePool" "GlobalMaxPool" "Greater" "GreaterOrEqual" "HardSigmoid" "HardSwish" "LayerNormalization"
    "LeakyRelu" "Less" "LessOrEqual" "LogSoftmax" "Max" "MaxPool" "Min" "Not" "Or" "Pad" "Pow" "ReduceL1" "ReduceL2"
    "ReduceLogSum" "ReduceLogSumExp" "ReduceMin" "ReduceProd" "ReduceSumSquare" "Shape" "Split" "Squeeze" "Sum" "Tile"
    "Unsqueeze" "Where" "Xor"
}

/// Operators whose further inputs tract wants to know before it plans: shapes, axes, bounds, parameters.
const PLANNED_BY_VALUES: &[&str] = &[
    "BatchNormalization",
    "Clip",
    "Expand",
    "Pad",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
    "Split",
    "Squeeze",
    "Tile",
    "Unsqueeze",
];
/// What a comparison or a shape gives, whatever it is of.
const GIVES: &[(&str, ElementKind)] = &[
    ("ArgMin", ElementKind::I64),
    ("Greater", ElementKind::Bool),
    ("GreaterOrEqual", ElementKind::Bool),
    ("Less", ElementKind::Bool),
    ("LessOrEqual", ElementKind::Bool),
    ("Shape", ElementKind::I64),
];
/// How many regions of one node are kept.
const KEPT: usize = 16;

/// By each input: its element type, and its value where a plan is made for it.
type Given = Vec<Option<(ElementKind, Option<Value>)>>;

/// One node, and the regions it has been: one for each list of element types, and of values that plans are made for.
struct Operator {
    node: NodeProto,
    known: Mutex<VecDeque<(Given, Arc<Plans>)>>,
}

fn build(node: &NodeProto) -> Result<Box<dyn Kernel>, OpError> {
    Ok(Box::new(Operator { node: node.clone(), known: Mutex::default() }))
}

impl Kernel for Operator {
    fn run(&self, inputs: &mut [Value], outputs: &mut Vec<Value>) -> Result<(), OpError> {
        let nothing = |value: &Value| value.as_tensor().is_some_and(|tensor| tensor.elements() == 0);
        if self.node.op_type().starts_with("Reduce") && inputs.first().is_some_and(nothing) {
            outputs.push(reduce::of_nothing(&self.node, inputs)?);
            return Ok(());
        }
        let by_value = PLANNED_BY_VALUES.contains(&self.node.op_type());
        let mut given = Given::with_capacity(inputs.len());
        let mut values = Vec::with_capacity(inputs.len());
        for (i, value) in inputs.iter().enumerate() {
            given.push(match value {
                Value::Absent => None,
                Value::Tensor(tensor) if by_value && i > 0 => Some((tensor.element(), Some(value.clone()))),
                Value::Tensor(tensor) => {
                    values.push(value.clone());
                    Some((tensor.element(), None))
                }
                _ => return Err(OpError::new(format!("input {i} of {} is no tensor", self.node.op_type()))),
            });
        }
        self.plans(given)?.run(&values, outputs).map_err(|e| OpError::new(format!("{}: {}", self.node.op_type(), e.0)))
    }
}

impl Operator {
    fn plans(&self, given: Given) -> Result<Arc<Plans>, OpError> {
        // What a panic of another run has left is a whole list all the same.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plans)) = known.iter().find(|(of, _)| *of == given) {
            return Ok(plans.clone());
        }
        let plans = Arc::new(Plans::of(Region::read(&self.region(&given))?)?);
        if known.len() == KEPT {
            known.pop_front();
        }
        known.push_back((given, plans.clone()));
        Ok(plans)
    }

    /// The node as a graph of its own.
    fn region(&self, given: &Given) -> GraphProto {
        let name = |i: usize| format!("i{i}");
        let info = |name: String, element: ElementKind| {
            let r#type = Some(ValueType::tensor(element).to_proto());
            ValueInfoProto { name: Some(name), r#type, ..ValueInfoProto::default() }
        };
        let mut graph = GraphProto { name: Some("operator".into()), ..GraphProto::default() };
        for (i, input) in given.iter().enumerate() {
            match input {
                None => {}
                Some((element, None)) => graph.input.push(info(name(i), *element)),
                Some((element, Some(value))) => graph.initializer.extend(value.as_tensor().map(|tensor| TensorProto {
                    name: Some(name(i)),
                    dims: tensor.shape().iter().map(|n| *n as i64).collect(),
                    data_type: Some(*element as i32),
                    raw_data: Some(tensor.to_bytes()),
                    ..TensorProto::default()
                })),
            }
        }
        // Of a choice the first input is what it is chosen by.
        let like = if self.node.op_type() == "Where" { 1 } else { 0 };
        let element =
            given.get(like).and_then(|input| input.as_ref()).map_or(ElementKind::F32, |(element, _)| *element);
        let gives = GIVES.iter().find(|(op, _)| *op == self.node.op_type()).map_or(element, |(_, gives)| *gives);
        let outputs: Vec<String> = (0..self.node.output.len().max(1)).map(|i| format!("o{i}")).collect();
        graph.output = outputs.iter().map(|output| info(output.clone(), gives)).collect();
        graph.node = vec![NodeProto {
            input: given.iter().enumerate().map(|(i, x)| x.as_ref().map_or(String::new(), |_| name(i))).collect(),
            output: outputs,
            op_type: self.node.op_type.clone(),
            attribute: self.node.attribute.clone(),
            ..NodeProto::default()
        }];
        graph
    }
}
