//! Powers, whose exponents may be of other elements than what they are of.

use super::Built;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::{cast, wire_cast};
use tract_onnx::tract_core::ops::change_axes::wire_rank_broadcast;
use tract_onnx::tract_core::ops::logic::{CompLT, Iff};
use tract_onnx::tract_core::ops::math::{max, pow};
use tract_onnx::tract_hir::infer::helpers::infer_shape_broadcasting;
use tract_onnx::tract_hir::internal::*;

pub fn power(_: &ParsingContext, _: &NodeProto) -> Built {
    Ok((expand(Pow), vec![]))
}

/// tract gives the wider elements of the two, and takes a whole exponent below 0 for a very large one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pow;

impl Expansion for Pow {
    fn name(&self) -> StaticName {
        "Pow".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.with(&inputs[0].shape, move |s, base| {
            s.with(&inputs[1].shape, move |s, exponent| match infer_shape_broadcasting(&[&base, &exponent]) {
                Ok(Some(shape)) => s.equals(&outputs[0].shape, shape),
                _ => Ok(()),
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let base = model.outlet_fact(inputs[0])?.datum_type;
        let exponent = model.outlet_fact(inputs[1])?.datum_type;
        let whole = |kind: DatumType| kind.is_integer() || kind.is_tdim();
        let both = wire_rank_broadcast(prefix, model, inputs)?;
        let real = match (base, exponent) {
            (DatumType::F32, DatumType::F32) => DatumType::F32,
            _ => DatumType::F64,
        };
        let as_real = wire_cast(format!("{prefix}.real"), model, &both, real)?;
        let power = model.wire_node(format!("{prefix}.power"), pow(), &as_real)?[0];
        let power = model.wire_node(format!("{prefix}.like"), cast(base), &[power])?[0];
        if !whole(base) || !whole(exponent) {
            return Ok(tvec!(power));
        }
        // Whole numbers are multiplied as such; only below 0 there is something to divide by.
        let as_whole = wire_cast(format!("{prefix}.whole"), model, &both, DatumType::I64)?;
        let none = tensor0(0i64).broadcast_into_rank(model.outlet_fact(as_whole[1])?.rank())?;
        let none = model.add_const(format!("{prefix}.none"), none)?;
        let times = model.wire_node(format!("{prefix}.times"), max(), &[as_whole[1], none])?[0];
        let product = model.wire_node(format!("{prefix}.product"), pow(), &[as_whole[0], times])?[0];
        let product = model.wire_node(format!("{prefix}.product-like"), cast(base), &[product])?[0];
        let below =
            model.wire_node(format!("{prefix}.below"), TypedBinOp(Box::new(CompLT), None), &[as_whole[1], none])?[0];
        model.wire_node(prefix, Iff, &[below, power, product])
    }
}
