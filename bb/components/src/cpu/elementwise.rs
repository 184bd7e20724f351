//! Element by element, broadcasting as ONNX says.

use super::array::{broadcast, from_vec, pair, sizes, tensor, value, view};
use super::number::{Number, by_element, by_float, by_number};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::{RawTensor, Value};
use ndarray::{IxDyn, Zip};

/// `f` of every pair of elements; `None` from it is a division by zero.
fn binary<E: Number>(op: &str, a: &RawTensor, b: &RawTensor, f: impl Fn(E, E) -> Option<E>) -> Result<Value, OpError> {
    let zero = || OpError::new(format!("{op} divides an integer by zero"));
    let (x, y) = (view::<E>(a)?, view::<E>(b)?);
    if let (true, Some(x), Some(y)) = (a.shape() == b.shape(), x.as_slice(), y.as_slice()) {
        if let ([x], [y], true) = (x, y, a.shape().is_empty()) {
            return f(*x, *y).map(Value::scalar).ok_or_else(zero);
        }
        let out: Option<Vec<E>> = x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect();
        return from_vec(a.shape(), out.ok_or_else(zero)?);
    }
    let shape = broadcast(op, &sizes(a), &sizes(b))?;
    let wide = |v: &ndarray::ArrayViewD<'_, E>| v.broadcast(IxDyn(&shape)).map(|v| v.to_owned());
    let (Some(mut x), Some(y)) = (wide(&x), y.broadcast(IxDyn(&shape))) else {
        return Err(OpError::new(format!("{op} cannot broadcast {:?} with {:?}", a.shape(), b.shape())));
    };
    let mut divided = true;
    Zip::from(&mut x).and(&y).for_each(|x, y| match f(*x, *y) {
        Some(v) => *x = v,
        None => divided = false,
    });
    if divided { value(x) } else { Err(zero()) }
}

macro_rules! arithmetic { ($($name:ident $f:expr;)*) => { $(
    pub fn $name(node: &NodeProto) -> Built {
        let op = op(node);
        kernel(move |inputs| {
            let (a, b) = pair(&op, inputs)?;
            by_number!(&op, a, E => binary::<E>(&op, a, b, $f))
        })
    }
)* } }
arithmetic! {
    add |x, y| Some(Number::add(x, y));
    sub |x, y| Some(Number::sub(x, y));
    mul |x, y| Some(Number::mul(x, y));
    div Number::div;
}

fn unary<E: Number>(t: &RawTensor, f: impl Fn(E) -> E) -> Result<Value, OpError> {
    let slice = t.as_slice::<E>().ok_or_else(|| OpError::new("the element type is another"))?;
    match (slice, t.shape()) {
        ([one], []) => Ok(Value::scalar(f(*one))),
        _ => from_vec(t.shape(), slice.iter().map(|v| f(*v)).collect()),
    }
}

macro_rules! floats { ($($name:ident $f:expr;)*) => { $(
    pub fn $name(node: &NodeProto) -> Built {
        let op = op(node);
        kernel(move |inputs| {
            let t = tensor(&op, inputs, 0)?;
            by_float!(&op, t, E => unary::<E>(t, $f))
        })
    }
)* } }
floats! {
    exp |x| x.exp();
    log |x| x.ln();
    sqrt |x| x.sqrt();
    tanh |x| x.tanh();
    sigmoid |x| {
        // Either branch takes the exponential of a number that is not positive, which cannot overflow.
        let e = (-x.abs()).exp();
        if x >= E::ZERO { E::ONE / (E::ONE + e) } else { e / (E::ONE + e) }
    };
}

pub fn neg(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        // 0 - x would lose the sign of zero.
        match t.element() {
            bb::ir::types::ElementKind::F32 => unary::<f32>(t, |x| -x),
            bb::ir::types::ElementKind::F64 => unary::<f64>(t, |x| -x),
            _ => {
                by_element!(&op, t, [I8 i8, I16 i16, I32 i32, I64 i64], E => unary::<E>(t, |x| E::ZERO.wrapping_sub(x)))
            }
        }
    })
}

pub fn relu(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        // A NaN stays one, as in the specification's max(0, x).
        by_element!(&op, t, [F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64], E => unary::<E>(t, |x| if x < E::ZERO { E::ZERO } else { x }))
    })
}
