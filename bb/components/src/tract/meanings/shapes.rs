//! Dimensions that are left out or put together.

use super::{Built, axis, integers};
use std::collections::BTreeSet;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::array;

pub fn squeeze(_: &ParsingContext, _: &NodeProto) -> Built {
    Ok((expand(Squeeze), vec![]))
}

pub fn flatten(_: &ParsingContext, node: &NodeProto) -> Built {
    Ok((expand(Flatten { axis: node.get_attr_opt("axis")?.unwrap_or(1) }), vec![]))
}

/// tract takes its axes off one by one in the order in which they are given, which has to be theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Squeeze;

impl Squeeze {
    /// Which axes go.
    fn gone(shape: &[TDim], given: Option<&Arc<Tensor>>) -> TractResult<BTreeSet<usize>> {
        let gone = match given {
            Some(axes) => integers(axes)?.into_iter().map(|at| axis(at, shape.len())).collect::<TractResult<_>>()?,
            None => (0..shape.len()).filter(|at| shape[*at].is_one()).collect::<BTreeSet<_>>(),
        };
        ensure!(gone.iter().all(|at| shape[*at].is_one()), "an axis of {shape:?} that is squeezed is not of size 1");
        Ok(gone)
    }
}

impl Expansion for Squeeze {
    fn name(&self) -> StaticName {
        "Squeeze".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.given(&inputs[0].shape, move |s, shape| {
            s.given_all(inputs[1..].iter().map(|input| &input.value), move |s, given| {
                let gone = Squeeze::gone(&shape, given.first())?;
                let left = shape.iter().enumerate().filter(|(at, _)| !gone.contains(at));
                s.equals(&outputs[0].shape, left.map(|(_, dim)| dim.clone()).collect::<TVec<TDim>>())
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let known = |input: &OutletId| model.outlet_fact(*input)?.konst.clone().context("the axes are not known");
        let axes = inputs.get(1).map(known).transpose()?;
        let gone = Squeeze::gone(&model.outlet_fact(inputs[0])?.shape.to_tvec(), axes.as_ref())?;
        let mut value = inputs[0];
        for at in gone.into_iter().rev() {
            value = model.wire_node(format!("{prefix}.without-{at}"), AxisOp::Rm(at), &[value])?[0];
        }
        Ok(tvec!(value))
    }
}

/// tract divides by the sizes, of which one may be 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Flatten {
    axis: i64,
}

impl Flatten {
    fn shape(&self, of: &[TDim]) -> TractResult<TVec<TDim>> {
        let at = if self.axis == of.len() as i64 { of.len() } else { axis(self.axis, of.len())? };
        Ok(tvec![of[..at].iter().product(), of[at..].iter().product()])
    }
}

impl Expansion for Flatten {
    fn name(&self) -> StaticName {
        "Flatten".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.given(&inputs[0].shape, move |s, shape| s.equals(&outputs[0].shape, self.shape(&shape)?))
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let fact = model.outlet_fact(inputs[0])?.clone();
        let shape = self.shape(&fact.shape.to_tvec())?;
        let sizes = shape.iter().map(|dim| dim.to_usize()).collect::<Result<TVec<usize>, _>>()?;
        if sizes.contains(&0) {
            return Ok(tvec!(model.add_const(prefix, Tensor::zero_dt(fact.datum_type, &sizes)?)?));
        }
        array::Flatten::new(self.axis).wire(prefix, model, inputs)
    }
}
