//! A tensor with something around it, or with less of itself.

use super::{Built, axis, integers};
use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{Pad as Around, PadMode, Slice as Range};
use tract_onnx::tract_hir::internal::*;

pub fn pad(_: &ParsingContext, node: &NodeProto) -> Built {
    let mut optional = optional_inputs(node).skip(2);
    let (filling, axes) = (optional.next().flatten(), optional.next().flatten());
    let mode = match node.get_attr_opt("mode")? {
        None | Some("constant") => PadMode::default(),
        Some("reflect") => PadMode::Reflect,
        Some("edge") => PadMode::Edge,
        Some(mode) => bail!("tract does not pad by {mode}"),
    };
    Ok((expand(Pad { inputs: 2 + filling.iter().chain(&axes).count(), filling, axes, mode }), vec![]))
}

/// tract takes a pad below 0, which cuts off, for a very long one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pad {
    inputs: usize,
    filling: Option<usize>,
    axes: Option<usize>,
    mode: PadMode,
}

/// In front of each axis, and behind it.
fn pads(rank: usize, given: &Tensor, axes: Option<&Arc<Tensor>>) -> TractResult<TVec<(i64, i64)>> {
    let given = integers(given)?;
    let axes = match axes {
        Some(axes) => integers(axes)?.into_iter().map(|at| axis(at, rank)).collect::<TractResult<_>>()?,
        None => (0..rank).collect::<Vec<_>>(),
    };
    ensure!(given.len() == 2 * axes.len(), "two pads belong to each axis");
    let mut pads = tvec![(0, 0); rank];
    for (i, at) in axes.iter().enumerate() {
        pads[*at] = (given[i], given[i + axes.len()]);
    }
    Ok(pads)
}

impl Expansion for Pad {
    fn name(&self) -> StaticName {
        "Pad".into()
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
        if let Some(filling) = self.filling {
            s.equals(&inputs[0].datum_type, &inputs[filling].datum_type)?;
        }
        s.given(&inputs[0].shape, move |s, shape| {
            let said = std::iter::once(1).chain(self.axes);
            s.given_all(said.map(|input| &inputs[input].value), move |s, given| {
                let pads = pads(shape.len(), &given[0], given.get(1))?;
                let padded = shape.iter().zip(&pads).map(|(dim, (front, behind))| dim.clone() + *front + *behind);
                s.equals(&outputs[0].shape, padded.collect::<TVec<TDim>>())
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let known = |input: usize| model.outlet_fact(inputs[input])?.konst.clone().context("a pad is not known");
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let pads = pads(shape.len(), &*known(1)?, self.axes.map(known).transpose()?.as_ref())?;
        let mode = self.filling.map_or_else(|| Ok(self.mode.clone()), |at| known(at).map(PadMode::Constant))?;
        let mut value = inputs[0];
        for (at, (front, behind)) in pads.iter().enumerate() {
            let (from, to) = (front.min(&0).unsigned_abs() as usize, shape[at].to_i64()? + behind.min(&0));
            if (from, to) == (0, shape[at].to_i64()?) {
                continue;
            }
            let to = usize::try_from(to).ok().filter(|to| from <= *to);
            let to = to.with_context(|| format!("{shape:?} is padded by {front} and {behind}"))?;
            value = model.wire_node(format!("{prefix}.cut-{at}"), Range::new(at, from, to), &[value])?[0];
        }
        let pads = pads.iter().map(|(front, behind)| (*front.max(&0) as usize, *behind.max(&0) as usize)).collect();
        model.wire_node(prefix, Around { pads, mode }, &[value])
    }
}
