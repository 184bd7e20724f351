//! Products of matrices.

use super::array::{broadcast, optional, pair, sizes, tensor, value, view};
use super::number::{Number, by_element};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::Attributes;
use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, Axis, Ix2, IxDyn};

/// An element type of products.
trait Product: Number {
    fn dot(a: &ArrayView2<Self>, b: &ArrayView2<Self>) -> Array2<Self>;
    /// None where the factor is not a number of this type.
    fn factor(factor: f32) -> Option<Self>;
}
macro_rules! floats { ($($t:ty)*) => { $(impl Product for $t {
    fn dot(a: &ArrayView2<$t>, b: &ArrayView2<$t>) -> Array2<$t> { a.dot(b) }
    fn factor(factor: f32) -> Option<$t> { Some(factor.into()) }
})* } }
floats!(f32 f64);
macro_rules! integers { ($($t:ty)*) => { $(impl Product for $t {
    fn dot(a: &ArrayView2<$t>, b: &ArrayView2<$t>) -> Array2<$t> {
        // ndarray's own product overflows with a panic.
        Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
            a.row(i).iter().zip(b.column(j)).fold(0, |sum: $t, (x, y)| sum.wrapping_add(x.wrapping_mul(*y)))
        })
    }
    fn factor(factor: f32) -> Option<$t> { (factor.fract() == 0.0 && factor.abs() < 1e6 && (factor as $t) as f32 == factor).then_some(factor as $t) }
})* } }
integers!(i32 i64 u32 u64);

macro_rules! by_product {
    ($op:expr, $tensor:expr, $e:ident => $body:expr) => {
        by_element!($op, $tensor, [F32 f32, F64 f64, I32 i32, I64 i64, U32 u32, U64 u64], $e => $body)
    };
}

fn mismatch(op: &str, a: &RawTensor, b: &RawTensor) -> OpError {
    OpError::new(format!("{op} cannot multiply {:?} by {:?}", a.shape(), b.shape()))
}

/// As numpy's matmul: vectors are rows and columns, leading dimensions are batches that broadcast.
pub fn matmul(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let (a, b) = pair(&op, inputs)?;
        by_product!(&op, a, E => product::<E>(&op, a, b))
    })
}

fn product<E: Product>(op: &str, a: &RawTensor, b: &RawTensor) -> Result<Value, OpError> {
    let (mut x, mut y) = (view::<E>(a)?, view::<E>(b)?);
    if x.ndim() == 0 || y.ndim() == 0 {
        return Err(mismatch(op, a, b));
    }
    let (row, column) = (x.ndim() == 1, y.ndim() == 1);
    if row {
        x = x.insert_axis(Axis(0));
    }
    if column {
        y = y.insert_axis(Axis(1));
    }
    let (inner, other) = (x.shape()[x.ndim() - 1], y.shape()[y.ndim() - 2]);
    if inner != other {
        return Err(mismatch(op, a, b));
    }
    let (m, n) = (x.shape()[x.ndim() - 2], y.shape()[y.ndim() - 1]);
    let batch = broadcast(op, &x.shape()[..x.ndim() - 2], &y.shape()[..y.ndim() - 2])?;
    let mut shape = batch.clone();
    shape.extend([m, n]);
    let mut out = ArrayD::from_elem(IxDyn(&shape), E::ZERO);
    let whole = |v: &ArrayViewD<'_, E>, tail: [usize; 2]| {
        let shape: Vec<usize> = batch.iter().copied().chain(tail).collect();
        v.broadcast(IxDyn(&shape)).map(|v| v.to_owned())
    };
    if batch.is_empty() {
        let (x, y) = (matrix(x.view(), op)?, matrix(y.view(), op)?);
        out = E::dot(&x, &y).into_dyn();
    } else {
        let (Some(x), Some(y)) = (whole(&x, [m, inner]), whole(&y, [inner, n])) else { return Err(mismatch(op, a, b)) };
        for index in ndarray::indices(IxDyn(&batch)) {
            let at =
                |v: ArrayViewD<'_, E>| (0..batch.len()).fold(v.to_owned(), |v, i| v.index_axis_move(Axis(0), index[i]));
            let (x, y) = (at(x.view()), at(y.view()));
            let result = E::dot(&matrix(x.view(), op)?, &matrix(y.view(), op)?);
            let mut slot = out.view_mut();
            for i in 0..batch.len() {
                slot = slot.index_axis_move(Axis(0), index[i]);
            }
            slot.assign(&result);
        }
    }
    if row {
        let last = out.ndim() - 2;
        out = out.index_axis_move(Axis(last), 0);
    }
    if column {
        let last = out.ndim() - 1;
        out = out.index_axis_move(Axis(last), 0);
    }
    value(out)
}

fn matrix<'a, E>(v: ArrayViewD<'a, E>, op: &str) -> Result<ArrayView2<'a, E>, OpError> {
    v.into_dimensionality::<Ix2>().map_err(|_| OpError::new(format!("{op} takes matrices here")))
}

/// `alpha · A' · B' + beta · C`, A and B transposed where that is said, C broadcast to the result.
pub fn gemm(node: &NodeProto) -> Built {
    let op = op(node);
    let (alpha, beta) = (node.attr_float("alpha").unwrap_or(1.0), node.attr_float("beta").unwrap_or(1.0));
    let (trans_a, trans_b) = (node.attr_int("transA").unwrap_or(0) != 0, node.attr_int("transB").unwrap_or(0) != 0);
    kernel(move |inputs| {
        let (a, b) = pair(&op, inputs)?;
        let c = optional(&op, inputs, 2)?;
        if let Some(c) = c.filter(|c| c.element() != a.element()) {
            return Err(OpError::new(format!(
                "{op} takes one element type, not {} and {}",
                a.element().name(),
                c.element().name()
            )));
        }
        by_product!(&op, tensor(&op, inputs, 0)?, E => {
            let (mut x, mut y) = (matrix(view::<E>(a)?, &op)?, matrix(view::<E>(b)?, &op)?);
            if trans_a {
                x = x.reversed_axes();
            }
            if trans_b {
                y = y.reversed_axes();
            }
            if x.ncols() != y.nrows() {
                return Err(mismatch(&op, a, b));
            }
            let (alpha, beta) = <E as Product>::factor(alpha).zip(<E as Product>::factor(beta))
                .ok_or_else(|| OpError::new(format!("{op} of integers takes whole factors")))?;
            let mut out = <E as Product>::dot(&x, &y);
            if alpha != E::ONE {
                out.mapv_inplace(|v| Number::mul(v, alpha));
            }
            if let Some(c) = c {
                let bias = view::<E>(c)?;
                let shape = [out.nrows(), out.ncols()];
                let bias = bias.broadcast(IxDyn(&shape))
                    .ok_or_else(|| OpError::new(format!("{op} cannot broadcast the bias {:?} to {shape:?}", sizes(c))))?;
                out.zip_mut_with(&bias.into_dimensionality::<Ix2>().map_err(|e| OpError::new(e.to_string()))?, |o, b| {
                    *o = Number::add(*o, Number::mul(beta, *b));
                });
            }
            value(out.into_dyn())
        })
    })
}
