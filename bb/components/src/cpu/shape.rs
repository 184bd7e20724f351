//! What changes a tensor's shape and not its elements.

use super::array::{axis, integers, plain, sizes, tensor};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::types::ElementKind;
use bb::ir::value::{Dims, RawTensor, Scalar, Value};
use bb::ir::views::Attributes;
use ndarray::{ArrayD, Axis, IxDyn, Slice};

/// Runs `$body` with `$p` as the plain number of an element's size.
macro_rules! by_size {
    ($element:expr, $p:ident => $body:expr) => {
        match $element.size() {
            1 => {
                type $p = u8;
                $body
            }
            2 => {
                type $p = u16;
                $body
            }
            4 => {
                type $p = u32;
                $body
            }
            _ => {
                type $p = u64;
                $body
            }
        }
    };
}

/// An array of plain numbers as elements of a type of that size.
pub(super) fn retyped<P: Scalar>(array: ArrayD<P>, element: ElementKind) -> Result<Value, OpError> {
    let dims: Vec<u64> = array.shape().iter().map(|n| *n as u64).collect();
    let values: Vec<P> = array.iter().copied().collect();
    let tensor = RawTensor::from_vec(&dims, values).and_then(|t| t.retyped(element));
    tensor.map(Value::Tensor).ok_or_else(|| OpError::new(format!("a result of shape {dims:?} is too large")))
}

pub fn identity(_: &NodeProto) -> Built {
    kernel(|inputs| inputs.first().cloned().ok_or_else(|| OpError::new("Identity has no input")))
}

pub fn constant(node: &NodeProto) -> Built {
    let wrong = || OpError::new("Constant has no attribute `value` that is a tensor of bb's");
    let proto = node.attr_tensor("value").ok_or_else(wrong)?;
    let element = ElementKind::from_onnx(proto.data_type()).ok_or_else(wrong)?;
    let sizes: Option<Vec<u64>> = proto.dims.iter().map(|d| u64::try_from(*d).ok()).collect();
    let dims = sizes.and_then(|s| Dims::new(&s)).ok_or_else(wrong)?;
    let data = proto.raw_data.clone().ok_or_else(wrong)?;
    let value = Value::Tensor(RawTensor::new(element, dims, data).ok_or_else(wrong)?);
    kernel(move |_| Ok(value.clone()))
}

pub fn reshape(node: &NodeProto) -> Built {
    let op = op(node);
    let allow_zero = node.attr_int("allowzero").unwrap_or(0) != 0;
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        let wanted = integers(&op, tensor(&op, inputs, 1)?)?;
        let wrong = || OpError::new(format!("{op} cannot make {wanted:?} of {:?}", t.shape()));
        let mut dims = Vec::with_capacity(wanted.len());
        let mut open = None;
        for (i, d) in wanted.iter().enumerate() {
            dims.push(match d {
                -1 if open.replace(i).is_none() => 1,
                0 if !allow_zero => *t.shape().get(i).ok_or_else(wrong)?,
                d => u64::try_from(*d).map_err(|_| wrong())?,
            });
        }
        if let Some(i) = open {
            let others = dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).filter(|n| *n > 0).ok_or_else(wrong)?;
            dims[i] = Some(t.elements() / others).filter(|n| n * others == t.elements()).ok_or_else(wrong)?;
        }
        t.reshaped(&dims).map(Value::Tensor).ok_or_else(wrong)
    })
}

pub fn transpose(node: &NodeProto) -> Built {
    let op = op(node);
    let perm = node.attr_ints("perm").map(<[i64]>::to_vec);
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        let rank = t.shape().len();
        let order: Vec<usize> = match &perm {
            Some(perm) => perm.iter().map(|p| axis(&op, *p, rank)).collect::<Result<_, _>>()?,
            None => (0..rank).rev().collect(),
        };
        let mut seen = order.clone();
        seen.sort_unstable();
        if seen != (0..rank).collect::<Vec<_>>() {
            return Err(OpError::new(format!("{op} has {order:?}, which is no order of {rank} axes")));
        }
        by_size!(t.element(), P => retyped(plain::<P>(t)?.permuted_axes(IxDyn(&order)).to_owned(), t.element()))
    })
}

/// One behind the other along an axis.
pub(super) fn join(op: &str, parts: &[&RawTensor], at: i64, new_axis: bool) -> Result<Value, OpError> {
    let first = parts.first().ok_or_else(|| OpError::new(format!("{op} has nothing to join")))?;
    if let Some(other) = parts.iter().find(|p| p.element() != first.element()) {
        let (a, b) = (first.element().name(), other.element().name());
        return Err(OpError::new(format!("{op} takes one element type, not {a} and {b}")));
    }
    let shapes = || parts.iter().map(|p| format!("{:?}", p.shape())).collect::<Vec<_>>().join(", ");
    let unlike = || OpError::new(format!("{op} cannot join the shapes {} along axis {at}", shapes()));
    let along = Axis(axis(op, at, first.shape().len() + usize::from(new_axis))?);
    if parts.iter().any(|p| p.shape().len() != first.shape().len()) {
        return Err(unlike());
    }
    by_size!(first.element(), P => {
        let views = parts.iter().map(|p| plain::<P>(p)).collect::<Result<Vec<_>, _>>()?;
        let joined = if new_axis { ndarray::stack(along, &views) } else { ndarray::concatenate(along, &views) };
        let joined = joined.map_err(|_| unlike())?;
        retyped(joined, first.element())
    })
}

pub fn concat(node: &NodeProto) -> Built {
    let op = op(node);
    let at = node.attr_int("axis").ok_or_else(|| OpError::new("Concat has no attribute `axis`"))?;
    kernel(move |inputs| {
        let parts = (0..inputs.len()).map(|i| tensor(&op, inputs, i)).collect::<Result<Vec<_>, _>>()?;
        join(&op, &parts, at, false)
    })
}

pub fn gather(node: &NodeProto) -> Built {
    let op = op(node);
    let at = node.attr_int("axis").unwrap_or(0);
    kernel(move |inputs| {
        let (t, indices) = (tensor(&op, inputs, 0)?, tensor(&op, inputs, 1)?);
        let along = axis(&op, at, t.shape().len())?;
        let length = t.shape()[along] as i64;
        let position = |i: &i64| {
            let from_start = if *i < 0 { i + length } else { *i };
            let inside = (0..length).contains(&from_start);
            inside
                .then_some(from_start as usize)
                .ok_or_else(|| OpError::new(format!("{op} has no entry {i} among {length}")))
        };
        let at = integers(&op, indices)?.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let mut shape = sizes(t);
        shape.splice(along..=along, sizes(indices));
        by_size!(t.element(), P => {
            let picked = plain::<P>(t)?.select(Axis(along), &at);
            let picked = picked.as_standard_layout().into_owned().into_shape_with_order(IxDyn(&shape));
            retyped(picked.map_err(|e| OpError::new(e.to_string()))?, t.element())
        })
    })
}

pub fn slice(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        let list = |i: usize| -> Result<Option<Vec<i64>>, OpError> {
            super::array::optional(&op, inputs, i)?.map(|t| integers(&op, t)).transpose()
        };
        let (Some(starts), Some(ends)) = (list(1)?, list(2)?) else {
            return Err(OpError::new(format!("{op} has no starts or no ends")));
        };
        let rank = t.shape().len();
        let axes = list(3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = list(4)?.unwrap_or_else(|| vec![1; starts.len()]);
        if starts.len() != ends.len() || axes.len() != starts.len() || steps.len() != starts.len() {
            return Err(OpError::new(format!("{op} has not as many ends, axes or steps as starts")));
        }
        by_size!(t.element(), P => {
            let mut array = plain::<P>(t)?;
            for (((start, end), at), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
                let along = axis(&op, *at, rank)?;
                let length = t.shape()[along] as i64;
                let (from, to, step) = bounds(&op, *start, *end, *step, length)?;
                array.slice_axis_inplace(Axis(along), Slice::new(from, Some(to), step));
            }
            retyped(array.to_owned(), t.element())
        })
    })
}

/// ONNX's start, end and step as ndarray's: both of them from the front, of a range that a negative step walks backwards.
fn bounds(op: &str, start: i64, end: i64, step: i64, length: i64) -> Result<(isize, isize, isize), OpError> {
    let from_front = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
    let (start, end) = (from_front(start), from_front(end));
    let step_size = isize::try_from(step).map_err(|_| OpError::new(format!("{op} has the step {step}")))?;
    match step {
        0 => Err(OpError::new(format!("{op} has the step 0"))),
        1.. => {
            let (start, end) = (start.clamp(0, length), end.clamp(0, length));
            Ok((start as isize, end.max(start) as isize, step_size))
        }
        _ => {
            // Elements start, start + step, … down to but without end: the range end + 1 ..= start. A start in front of all
            // is the first element.
            let (start, end) = (start.max(0).min(length - 1), end.clamp(-1, length - 1));
            Ok(((end + 1).min(start + 1) as isize, (start + 1) as isize, step_size))
        }
    }
}
