//! Along axes: reductions, ArgMax, Softmax.

use super::array::{axis, integers, optional, tensor, value, view};
use super::number::{Number, by_element, by_float, by_number};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::Attributes;
use ndarray::{ArrayD, Axis};
use std::collections::BTreeSet;

struct Reduction {
    op: String,
    keepdims: bool,
    noop_with_empty_axes: bool,
}

impl Reduction {
    fn of(node: &NodeProto) -> Self {
        Reduction {
            op: op(node),
            keepdims: node.attr_int("keepdims").unwrap_or(1) != 0,
            noop_with_empty_axes: node.attr_int("noop_with_empty_axes").unwrap_or(0) != 0,
        }
    }
    /// The axes to reduce; `None` where the input stays as it is.
    fn axes(&self, inputs: &[Value], rank: usize) -> Result<Option<BTreeSet<usize>>, OpError> {
        let named = match optional(&self.op, inputs, 1)? {
            Some(t) => integers(&self.op, t)?,
            None => Vec::new(),
        };
        if named.is_empty() {
            return Ok((!self.noop_with_empty_axes).then(|| (0..rank).collect()));
        }
        named.iter().map(|a| axis(&self.op, *a, rank)).collect::<Result<_, _>>().map(Some)
    }
    /// Folds the axes away, one after the other; how many elements each result comes from.
    fn fold<E: Number>(
        &self,
        t: &RawTensor,
        axes: &BTreeSet<usize>,
        start: Option<E>,
        f: impl Fn(E, E) -> E,
    ) -> Result<(ArrayD<E>, usize), OpError> {
        let mut array = view::<E>(t)?.to_owned();
        let mut count = 1;
        for axis in axes.iter().rev() {
            let length = array.len_of(Axis(*axis));
            count *= length;
            let first = match (start, length) {
                (Some(start), _) => start,
                (None, 0) => return Err(OpError::new(format!("{} has no value for no elements", self.op))),
                // Folding the first element in twice does not change a maximum.
                (None, _) => {
                    let first = array.index_axis(Axis(*axis), 0).to_owned();
                    let rest = array.axis_iter(Axis(*axis)).skip(1);
                    let folded = rest.fold(first, |mut all, one| {
                        all.zip_mut_with(&one, |a, b| *a = f(*a, *b));
                        all
                    });
                    array = if self.keepdims { folded.insert_axis(Axis(*axis)) } else { folded };
                    continue;
                }
            };
            let folded = array.fold_axis(Axis(*axis), first, |a, b| f(*a, *b));
            array = if self.keepdims { folded.insert_axis(Axis(*axis)) } else { folded };
        }
        Ok((array, count))
    }
}

pub fn sum(node: &NodeProto) -> Built {
    let r = Reduction::of(node);
    kernel(move |inputs| {
        let t = tensor(&r.op, inputs, 0)?;
        let Some(axes) = r.axes(inputs, t.shape().len())? else { return Ok(Value::Tensor(t.clone())) };
        by_element!(&r.op, t, [F32 f32, F64 f64, I32 i32, I64 i64, U32 u32, U64 u64], E => {
            value(r.fold::<E>(t, &axes, Some(E::ZERO), Number::add)?.0)
        })
    })
}

pub fn mean(node: &NodeProto) -> Built {
    let r = Reduction::of(node);
    kernel(move |inputs| {
        let t = tensor(&r.op, inputs, 0)?;
        let Some(axes) = r.axes(inputs, t.shape().len())? else { return Ok(Value::Tensor(t.clone())) };
        by_element!(&r.op, t, [F32 f32, F64 f64, I32 i32, I64 i64, U32 u32, U64 u64], E => {
            let (mut sum, count) = r.fold::<E>(t, &axes, Some(E::ZERO), Number::add)?;
            let count = E::from_count(count);
            for v in &mut sum {
                *v = Number::div(*v, count).ok_or_else(|| OpError::new(format!("{} has no value for no elements", r.op)))?;
            }
            value(sum)
        })
    })
}

pub fn max(node: &NodeProto) -> Built {
    let r = Reduction::of(node);
    kernel(move |inputs| {
        let t = tensor(&r.op, inputs, 0)?;
        let Some(axes) = r.axes(inputs, t.shape().len())? else { return Ok(Value::Tensor(t.clone())) };
        by_number!(&r.op, t, E => {
            value(r.fold::<E>(t, &axes, None, |a, b| if b > a || b.is_nan() { b } else { a })?.0)
        })
    })
}

/// What the other reductions give for a tensor without elements: the value that changes nothing, if there is one.
#[cfg(feature = "tract")]
pub fn of_nothing(node: &NodeProto, inputs: &[Value]) -> Result<Value, OpError> {
    let r = Reduction::of(node);
    let t = tensor(&r.op, inputs, 0)?;
    let Some(axes) = r.axes(inputs, t.shape().len())? else { return Ok(Value::Tensor(t.clone())) };
    match r.op.as_str() {
        "ReduceMin" => by_number!(&r.op, t, E => value(r.fold::<E>(t, &axes, None, |a, _| a)?.0)),
        "ReduceProd" => by_number!(&r.op, t, E => value(r.fold::<E>(t, &axes, Some(E::ONE), Number::mul)?.0)),
        "ReduceL1" | "ReduceL2" | "ReduceSumSquare" => {
            by_number!(&r.op, t, E => value(r.fold::<E>(t, &axes, Some(E::ZERO), Number::add)?.0))
        }
        _ => by_float!(&r.op, t, E => value(r.fold::<E>(t, &axes, Some(E::ZERO), Number::add)?.0.mapv(E::ln))),
    }
}

pub fn arg_max(node: &NodeProto) -> Built {
    let op = op(node);
    let at = node.attr_int("axis").unwrap_or(0);
    let keepdims = node.attr_int("keepdims").unwrap_or(1) != 0;
    let last = node.attr_int("select_last_index").unwrap_or(0) != 0;
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        let axis = Axis(axis(&op, at, t.shape().len())?);
        by_number!(&op, t, E => {
            let array = view::<E>(t)?;
            if array.len_of(axis) == 0 {
                return Err(OpError::new(format!("{op} has no value for no elements")));
            }
            let best = array.map_axis(axis, |lane| {
                let mut best = 0;
                for i in 1..lane.len() {
                    if lane[i] > lane[best] || (last && lane[i] == lane[best]) {
                        best = i;
                    }
                }
                best as i64
            });
            value(if keepdims { best.insert_axis(axis) } else { best })
        })
    })
}

pub fn softmax(node: &NodeProto) -> Built {
    let op = op(node);
    let at = node.attr_int("axis").unwrap_or(-1);
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        let axis = Axis(axis(&op, at, t.shape().len())?);
        by_float!(&op, t, E => {
            let mut array = view::<E>(t)?.to_owned();
            for mut lane in array.lanes_mut(axis) {
                let max = lane.iter().copied().fold(E::NEG_INFINITY, E::max);
                lane.mapv_inplace(|v| (v - max).exp());
                let sum = lane.sum();
                lane.mapv_inplace(|v| v / sum);
            }
            value(array)
        })
    })
}
