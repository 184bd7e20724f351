//! A region, and the plans it runs by: one for each list of shapes it has met.

use super::tensors::{datum, from_tract, to_tract};
use super::{meanings, refusals};
use bb::OpError;
use bb::ir::proto::onnx::{GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto};
use bb::ir::types::{Dim, ElementKind, ValueType};
use bb::ir::value::Value;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;

/// tract is tested with operator sets up to this one; bb's operators mean the same in it.
const TESTED: i64 = 18;
/// How many lists of shapes a region keeps plans for; the oldest goes first.
const KEPT: usize = 16;

type Plan = Arc<TypedRunnableModel>;
/// Of every input.
type Shapes = Vec<Vec<usize>>;

/// A graph that tract can read.
pub struct Region {
    model: InferenceModel,
    inputs: Vec<ElementKind>,
    outputs: Vec<ElementKind>,
    /// Where every size is known.
    shapes: Option<Shapes>,
}

impl Region {
    pub fn read(region: &GraphProto) -> Result<Self, OpError> {
        let plain = GraphProto {
            // Shapes follow from what a run is given; what else says them is in the way.
            input: region.input.iter().map(without_shape).collect(),
            output: region.output.iter().map(without_shape).collect(),
            value_info: Vec::new(),
            node: region.node.iter().map(meanings::as_tract_reads_it).collect(),
            ..region.clone()
        };
        let opset = OperatorSetIdProto { domain: Some(String::new()), version: Some(TESTED) };
        let file = ModelProto {
            ir_version: Some(bb::ir::version::ONNX_IR_VERSION),
            opset_import: vec![opset],
            graph: Some(plain),
            ..ModelProto::default()
        };
        let bytes = bb::ir::artifact::write(&file);
        let mut onnx = tract_onnx::onnx();
        meanings::register(&mut onnx.op_register);
        let model = guarded(|| onnx.model_for_read(&mut &bytes[..]).map_err(failed))?;
        if let Some(node) = model.nodes().iter().find(|node| node.op_is::<UnimplementedOp>()) {
            return Err(OpError::new(format!("the backend tract lacks an operator: {}", node.op.name())));
        }
        let shapes = region.input.iter().map(|info| sizes(&of(info)?)).collect();
        let elements = |infos: &[ValueInfoProto]| {
            let element = |info: &ValueInfoProto| match of(info)? {
                ValueType::Tensor { element, .. } => element,
                _ => None,
            };
            let all: Option<Vec<ElementKind>> = infos.iter().map(element).collect();
            all.ok_or_else(|| OpError::new("a region takes and gives tensors of known elements"))
        };
        Ok(Region { model, inputs: elements(&region.input)?, outputs: elements(&region.output)?, shapes })
    }

    fn plan(&self, shapes: &Shapes) -> Result<Plan, OpError> {
        let mut model = self.model.clone();
        for (i, (element, shape)) in self.inputs.iter().zip(shapes).enumerate() {
            model = model.with_input_fact(i, InferenceFact::dt_shape(datum(*element), shape)).map_err(failed)?;
        }
        guarded(|| {
            model.analyse(true).and_then(|_| refusals::refuse_empty(&model)).map_err(failed)?;
            let typed = model.into_typed().map_err(failed)?;
            refusals::refuse(&typed).map_err(failed)?;
            typed.into_optimized().and_then(|model| model.into_runnable()).map_err(failed)
        })
    }
}

/// tract's own faults are errors of the op: what it is given may come from anywhere.
fn guarded<T>(run: impl FnOnce() -> Result<T, OpError>) -> Result<T, OpError> {
    let caught = catch_unwind(AssertUnwindSafe(run));
    caught.unwrap_or_else(|_| Err(OpError::new("tract: it panicked")))
}

fn failed(error: TractError) -> OpError {
    OpError::new(format!("tract: {error:#}"))
}

fn of(info: &ValueInfoProto) -> Option<ValueType> {
    ValueType::from_proto(info.r#type.as_ref()?)
}

fn without_shape(info: &ValueInfoProto) -> ValueInfoProto {
    let ty = match of(info) {
        Some(ValueType::Tensor { element, .. }) => Some(ValueType::Tensor { element, shape: None }.to_proto()),
        _ => info.r#type.clone(),
    };
    ValueInfoProto { r#type: ty, ..info.clone() }
}

fn sizes(of: &ValueType) -> Option<Vec<usize>> {
    let ValueType::Tensor { shape: Some(dims), .. } = of else { return None };
    let size = |dim: &Dim| if let Dim::Size(n) = dim { usize::try_from(*n).ok() } else { None };
    dims.iter().map(size).collect()
}

/// A region and the plans there are of it.
pub struct Plans {
    region: Region,
    known: Mutex<VecDeque<(Shapes, Plan)>>,
}

impl Plans {
    /// With a plan for the shapes that are known.
    pub fn of(region: Region) -> Result<Self, OpError> {
        let mut known = VecDeque::new();
        if let Some(shapes) = &region.shapes {
            known.push_back((shapes.clone(), region.plan(shapes)?));
        }
        Ok(Plans { region, known: Mutex::new(known) })
    }

    fn plan(&self, shapes: Shapes) -> Result<Plan, OpError> {
        // What a panic of another run has left is a whole list all the same.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = known.iter().find(|(of, _)| *of == shapes) {
            return Ok(plan.clone());
        }
        let plan = self.region.plan(&shapes)?;
        if known.len() == KEPT {
            known.pop_front();
        }
        known.push_back((shapes, plan.clone()));
        Ok(plan)
    }

    /// Runs it.
    pub fn run(&self, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<(), OpError> {
        let shape = |value: &Value| {
            let tensor = value.as_tensor().ok_or_else(|| OpError::new("a model takes tensors"))?;
            Ok(tensor.shape().iter().map(|n| *n as usize).collect())
        };
        let plan = self.plan(inputs.iter().map(shape).collect::<Result<_, OpError>>()?)?;
        let given = inputs.iter().map(|value| Ok(to_tract(value)?.into_tvalue()));
        let given = given.collect::<Result<TVec<TValue>, OpError>>()?;
        let found = guarded(|| plan.run(given).map_err(failed))?;
        for (tensor, element) in found.iter().zip(&self.region.outputs) {
            outputs.push(from_tract(tensor, *element)?);
        }
        Ok(())
    }

    /// How many plans there are.
    #[cfg(test)]
    pub fn known(&self) -> usize {
        self.known.lock().map_or(0, |known| known.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb::ir::proto::onnx::NodeProto;
    use bb::ir::value::RawTensor;

    /// A region that negates a tensor of that shape.
    fn neg(op: &str, shape: Option<Vec<Dim>>) -> Result<Plans, OpError> {
        let ty = ValueType::Tensor { element: Some(ElementKind::F32), shape }.to_proto();
        let info = |name: &str| ValueInfoProto {
            name: Some(name.into()),
            r#type: Some(ty.clone()),
            ..ValueInfoProto::default()
        };
        let node = NodeProto {
            op_type: Some(op.into()),
            input: vec!["x".into()],
            output: vec!["y".into()],
            ..NodeProto::default()
        };
        let graph =
            GraphProto { node: vec![node], input: vec![info("x")], output: vec![info("y")], ..GraphProto::default() };
        Plans::of(Region::read(&graph)?)
    }
    fn run(plans: &Plans, values: &[f32]) -> Vec<Value> {
        let mut outputs = Vec::new();
        let x = RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many");
        plans.run(&[Value::Tensor(x)], &mut outputs).expect("it runs");
        outputs
    }

    #[test]
    fn what_is_known_is_planned_at_install_and_each_other_shape_once() {
        let fixed = neg("Neg", Some(vec![Dim::Size(2)])).expect("tract has it");
        assert_eq!(fixed.known(), 1);
        run(&fixed, &[1.0, 2.0]);
        assert_eq!(fixed.known(), 1);
        let open = neg("Neg", Some(vec![Dim::Named("N".into())])).expect("tract has it");
        assert_eq!(open.known(), 0);
        for _ in 0..3 {
            run(&open, &[1.0]);
            run(&open, &[1.0, 2.0]);
        }
        assert_eq!(open.known(), 2);
        for length in 1..40 {
            run(&open, &vec![0.0; length]);
        }
        assert_eq!(open.known(), KEPT);
    }

    #[test]
    fn an_operator_that_tract_lacks_is_named() {
        let error = neg("Levitate", None).err().expect("nobody has it");
        assert!(error.0.contains("lacks an operator") && error.0.contains("Levitate"), "{error}");
    }
}
