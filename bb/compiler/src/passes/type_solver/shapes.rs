//! Shapes of results, by ONNX's rules; what is not static stays unknown.

use super::relations::Relation;
use bb_ir::types::Dim;
use bb_ir::views::Attributes;

/// A shape, where the rank is known.
pub(super) type Shape = Option<Vec<Dim>>;

impl Relation<'_> {
    pub(super) fn gemm(&self) -> Shape {
        let pick = |dims: Shape, transposed: &str, i: usize| -> Option<Dim> {
            let dims = dims.filter(|d| d.len() == 2)?;
            let flipped = self.node.attr_int(transposed).unwrap_or(0) != 0;
            Some(dims[if flipped { 1 - i } else { i }].clone())
        };
        Some(vec![pick(self.shape(0), "transA", 0)?, pick(self.shape(1), "transB", 1)?])
    }

    pub(super) fn transposed(&self) -> Shape {
        let dims = self.shape(0)?;
        match self.node.attr_ints("perm") {
            None => Some(dims.into_iter().rev().collect()),
            Some(order) => order.iter().map(|i| dims.get(usize::try_from(*i).ok()?).cloned()).collect(),
        }
    }

    pub(super) fn reshaped(&self) -> Shape {
        let from = self.shape(0);
        let to = self.integers(1)?;
        let dims = to.iter().enumerate().map(|(i, n)| match u64::try_from(*n) {
            Ok(0) => from.as_ref().and_then(|f| f.get(i)).cloned().unwrap_or(Dim::Unknown),
            Ok(n) => Dim::Size(n),
            Err(_) => Dim::Unknown,
        });
        Some(dims.collect())
    }

    pub(super) fn gathered(&self) -> Shape {
        let (mut data, indices) = (self.shape(0)?, self.shape(1)?);
        let axis = axis(self.node.attr_int("axis").unwrap_or(0), data.len())?;
        data.splice(axis..=axis, indices);
        Some(data)
    }

    /// No axes means all of them.
    pub(super) fn reduced(&self, axes: Option<Vec<i64>>) -> Shape {
        let dims = self.shape(0)?;
        let keep = self.node.attr_int("keepdims").unwrap_or(1) != 0;
        let axes = match axes {
            None if keep => return Some(vec![Dim::Unknown; dims.len()]),
            None => return None,
            Some(axes) => axes.into_iter().map(|a| axis(a, dims.len())).collect::<Option<Vec<_>>>()?,
        };
        let reduced = |i: usize| axes.is_empty() || axes.contains(&i);
        let dims = dims.into_iter().enumerate().filter_map(|(i, dim)| match reduced(i) {
            false => Some(dim),
            true => keep.then_some(Dim::Size(1)),
        });
        Some(dims.collect())
    }
}

fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&axis).then(|| usize::try_from(axis).ok())?
}

/// Two sizes that cannot be brought together.
pub(super) struct Misfit;

/// As ONNX broadcasts: from the right, and a size of one is any size.
pub(super) fn broadcast(a: Shape, b: Shape) -> Result<Shape, Misfit> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    let rank = a.len().max(b.len());
    let dim = |dims: &[Dim], i: usize| match (i + dims.len()).checked_sub(rank) {
        Some(i) => dims[i].clone(),
        None => Dim::Size(1),
    };
    let dims = (0..rank).map(|i| match (dim(&a, i), dim(&b, i)) {
        (Dim::Size(1), other) | (other, Dim::Size(1)) => Ok(other),
        (Dim::Size(a), Dim::Size(b)) if a != b => Err(Misfit),
        (Dim::Size(n), _) | (_, Dim::Size(n)) => Ok(Dim::Size(n)),
        (a, b) if a == b => Ok(a),
        _ => Ok(Dim::Unknown),
    });
    dims.collect::<Result<_, _>>().map(Some)
}

/// Of two matrices; stacks of them are left to the run.
pub(super) fn matmul(a: Shape, b: Shape) -> Result<Shape, Misfit> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    match (a.as_slice(), b.as_slice()) {
        ([_, Dim::Size(inner)], [Dim::Size(other), _]) if inner != other => Err(Misfit),
        ([rows, _], [_, columns]) => Ok(Some(vec![rows.clone(), columns.clone()])),
        _ => Ok(None),
    }
}
