//! Parts of a tensor.

use super::{Built, axis, integers};
use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Slice as Range;
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_hir::internal::*;

pub fn slice(_: &ParsingContext, node: &NodeProto) -> Built {
    let mut optional = optional_inputs(node).skip(3);
    let (axes, steps) = (optional.next().flatten(), optional.next().flatten());
    Ok((expand(Slice { inputs: node.input.iter().filter(|name| !name.is_empty()).count(), axes, steps }), vec![]))
}

/// tract gives one element, or as many as lie in between, where the start is behind the end: that is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Slice {
    inputs: usize,
    axes: Option<usize>,
    steps: Option<usize>,
}

/// What is cut of one axis: the elements from `from` to `to`, of which every `step`th is taken, backwards if it is negative.
struct Cut {
    axis: usize,
    from: usize,
    to: usize,
    step: isize,
}

impl Cut {
    fn length(&self) -> usize {
        (self.to - self.from).div_ceil(self.step.unsigned_abs())
    }
}

impl Slice {
    /// By the values of all inputs but the first.
    fn cuts(&self, shape: &[TDim], given: &[Arc<Tensor>]) -> TractResult<Vec<Cut>> {
        let (starts, ends) = (integers(&given[0])?, integers(&given[1])?);
        let at = |input: usize| integers(&given[input - 1]);
        let axes = self.axes.map_or_else(|| Ok((0..starts.len() as i64).collect()), at)?;
        let steps = self.steps.map_or_else(|| Ok(vec![1; starts.len()]), at)?;
        ensure!(
            [ends.len(), axes.len(), steps.len()] == [starts.len(); 3],
            "not as many ends, axes or steps as starts"
        );
        let mut cuts: Vec<Cut> = Vec::with_capacity(starts.len());
        for (i, step) in steps.into_iter().enumerate() {
            let axis = axis(axes[i], shape.len())?;
            ensure!(step != 0 && cuts.iter().all(|cut| cut.axis != axis), "the step is 0, or an axis is there twice");
            let length = shape[axis].to_i64()?;
            let from_front = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
            let (start, end) = (from_front(starts[i]), from_front(ends[i]));
            let (from, to) = if step > 0 {
                (start.clamp(0, length), end.clamp(0, length))
            } else {
                (end.clamp(-1, length - 1) + 1, start.max(0).min(length - 1) + 1)
            };
            cuts.push(Cut { axis, from: from as usize, to: to.max(from) as usize, step: step as isize });
        }
        Ok(cuts)
    }
}

impl Expansion for Slice {
    fn name(&self) -> StaticName {
        "Slice".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, self.inputs)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.equals(&inputs[0].rank, &outputs[0].rank)?;
        s.given(&inputs[0].shape, move |s, shape| {
            s.given_all(inputs[1..].iter().map(|input| &input.value), move |s, given| {
                let mut cut_to = shape.clone();
                for cut in self.cuts(&shape, &given)? {
                    cut_to[cut.axis] = cut.length().to_dim();
                }
                s.equals(&outputs[0].shape, cut_to)
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let known = |input: &OutletId| model.outlet_fact(*input)?.konst.clone().context("a bound is not known");
        let given = inputs[1..].iter().map(known).collect::<TractResult<Vec<_>>>()?;
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let mut value = inputs[0];
        for Cut { axis, from, to, step } in self.cuts(&shape, &given)? {
            value = model.wire_node(format!("{prefix}.cut-{axis}"), Range::new(axis, from, to), &[value])?[0];
            if step != 1 {
                let every = Downsample::new(axis, step, 0);
                value = model.wire_node(format!("{prefix}.step-{axis}"), every, &[value])?[0];
            }
        }
        Ok(tvec!(value))
    }
}
