//! Comparisons.

use super::array::{broadcast, pair, plain, sizes, value};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::types::ElementKind;
use bb::ir::value::{RawTensor, Value};
use ndarray::{ArrayD, IxDyn, Zip};

fn same<P: bytemuck::Pod>(op: &str, a: &RawTensor, b: &RawTensor, eq: impl Fn(P, P) -> bool) -> Result<Value, OpError> {
    let shape = broadcast(op, &sizes(a), &sizes(b))?;
    let (x, y) = (plain::<P>(a)?, plain::<P>(b)?);
    let fit = || OpError::new(format!("{op} cannot broadcast {:?} with {:?}", a.shape(), b.shape()));
    let (x, y) = (x.broadcast(IxDyn(&shape)).ok_or_else(fit)?, y.broadcast(IxDyn(&shape)).ok_or_else(fit)?);
    let mut out = ArrayD::from_elem(IxDyn(&shape), false);
    Zip::from(&mut out).and(&x).and(&y).for_each(|o, x, y| *o = eq(*x, *y));
    value(out)
}

pub fn equal(node: &NodeProto) -> Built {
    let op = op(node);
    kernel(move |inputs| {
        let (a, b) = pair(&op, inputs)?;
        match (a.element(), a.element().size()) {
            (ElementKind::F32, _) => same::<f32>(&op, a, b, |x, y| x == y),
            (ElementKind::F64, _) => same::<f64>(&op, a, b, |x, y| x == y),
            (_, 1) => same::<u8>(&op, a, b, |x, y| x == y),
            (_, 2) => same::<u16>(&op, a, b, |x, y| x == y),
            (_, 4) => same::<u32>(&op, a, b, |x, y| x == y),
            _ => same::<u64>(&op, a, b, |x, y| x == y),
        }
    })
}
