//! Integers that are known before the program runs: axes, bounds, shapes, and what is computed from them.

use super::bounds::{axis, slice_range};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::ops;
use bb_ir::proto::onnx::{NodeProto, TensorProto};
use bb_ir::types::ElementKind;
use bb_ir::views::Attributes;
use bb_ir::wire_shape::is_send;
use rustc_hash::FxHashMap;

/// Longer vectors are data.
const LONGEST: usize = 256;

/// One integer, or a vector of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integers {
    scalar: bool,
    values: Vec<i64>,
}

/// The integers that values of a function hold in every run.
pub struct Constants(FxHashMap<ValueIx, Integers>);

impl Constants {
    /// Those of a function, in one walk.
    pub fn of(index: &FunctionIndex<'_>) -> Self {
        let mut known = Constants(FxHashMap::default());
        for (at, node) in index.nodes() {
            let outputs = index.outputs(at);
            if is_send(node) {
                for (input, output) in index.inputs(at).iter().zip(outputs.iter().take(outputs.len() - 2)) {
                    let value = input.and_then(|v| known.0.get(&v).cloned());
                    known.0.extend(output.zip(value));
                }
            } else if ops::is_onnx(node)
                && let (Some(Some(output)), Some(value)) = (outputs.first(), known.fold(index, at, node))
            {
                known.0.insert(*output, value);
            }
        }
        known
    }

    /// The integers of a value.
    pub fn get(&self, value: ValueIx) -> Option<&[i64]> {
        self.0.get(&value).map(|v| v.values.as_slice())
    }

    fn fold(&self, index: &FunctionIndex<'_>, at: NodeIx, node: &NodeProto) -> Option<Integers> {
        let inputs = index.inputs(at);
        let input = |i: usize| self.0.get(&(*inputs.get(i)?)?);
        let vector = |i: usize| input(i).filter(|v| !v.scalar).map(|v| v.values.as_slice());
        match node.op_type() {
            "Constant" => literal(node.attr_tensor("value")?),
            "Identity" => input(0).cloned(),
            "Concat" => {
                let parts = (0..inputs.len()).map(vector).collect::<Option<Vec<_>>>()?;
                Some(Integers { scalar: false, values: parts.concat() }).filter(|all| all.values.len() <= LONGEST)
            }
            "Gather" => {
                let (data, indices) = (vector(0)?, input(1)?);
                let entry = |i: &i64| axis(*i, data.len()).map(|i| data[i]);
                let values = indices.values.iter().map(entry).collect::<Option<_>>()?;
                Some(Integers { scalar: indices.scalar, values })
            }
            "Slice" => {
                let (data, start, end) = (vector(0)?, vector(1)?, vector(2)?);
                let step = if inputs.len() > 4 { vector(4)? } else { &[1] };
                let ([start], [end], [step]) = (start, end, step) else { return None };
                let (first, count) = slice_range(*start, *end, *step, data.len() as u64)?;
                let nth = |i: u64| data.get(usize::try_from(first + i64::try_from(i).ok()? * step).ok()?).copied();
                Some(Integers { scalar: false, values: (0..count).map(nth).collect::<Option<_>>()? })
            }
            // Of a vector, along its one axis.
            "ReduceSum" | "ReduceMax" if node.attr_int("noop_with_empty_axes").unwrap_or(0) == 0 => {
                let data = vector(0)?;
                let result = match node.op_type() {
                    "ReduceSum" => data.iter().try_fold(0i64, |sum, n| sum.checked_add(*n))?,
                    _ => *data.iter().max()?,
                };
                Some(Integers { scalar: node.attr_int("keepdims") == Some(0), values: vec![result] })
            }
            "Add" | "Sub" | "Mul" => {
                let (a, b) = (input(0)?, input(1)?);
                let apply = |a: i64, b: i64| match node.op_type() {
                    "Add" => a.checked_add(b),
                    "Sub" => a.checked_sub(b),
                    _ => a.checked_mul(b),
                };
                let length = match (a.values.len(), b.values.len()) {
                    (x, y) if x == y || y == 1 => x,
                    (1, y) => y,
                    _ => return None,
                };
                let of = |v: &Integers, i: usize| v.values[if v.values.len() == 1 { 0 } else { i }];
                let values = (0..length).map(|i| apply(of(a, i), of(b, i))).collect::<Option<_>>()?;
                Some(Integers { scalar: a.scalar && b.scalar, values })
            }
            _ => None,
        }
    }
}

fn literal(tensor: &TensorProto) -> Option<Integers> {
    let elements = tensor.dims.iter().try_fold(1i64, |n, d| n.checked_mul(*d))?;
    if tensor.data_type() != ElementKind::I64 as i32 || tensor.dims.len() > 1 || elements > LONGEST as i64 {
        return None;
    }
    let values = match &tensor.raw_data {
        Some(raw) => raw.chunks_exact(8).map(|c| i64::from_le_bytes(c.try_into().expect("8 bytes"))).collect(),
        None => tensor.int64_data.clone(),
    };
    Some(Integers { scalar: tensor.dims.is_empty(), values })
}
