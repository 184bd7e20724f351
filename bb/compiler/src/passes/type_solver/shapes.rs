//! Shapes of results, by ONNX's rules; what cannot be known stays unknown.

use super::bounds::{axis, slice_range};
use super::dims::Extent;
use super::relations::{Relation, Shape};
use bb_ir::views::Attributes;

/// Two sizes that cannot be brought together.
pub(super) struct Apart;

/// As ONNX broadcasts: from the right, and a size of one is any size.
pub(super) fn broadcast(a: &[Extent], b: &[Extent]) -> Result<Vec<Extent>, Apart> {
    let rank = a.len().max(b.len());
    let dim = |dims: &[Extent], i: usize| (i + dims.len()).checked_sub(rank).map_or(Extent::Size(1), |i| dims[i]);
    let both = |i: usize| match (dim(a, i), dim(b, i)) {
        (Extent::Size(1), other) | (other, Extent::Size(1)) => Ok(other),
        (Extent::Size(a), Extent::Size(b)) if a != b => Err(Apart),
        // The other one is this, or 1.
        (Extent::Size(n), _) | (_, Extent::Size(n)) => Ok(Extent::Size(n)),
        (a, b) if a == b => Ok(a),
        _ => Ok(Extent::Any),
    };
    (0..rank).map(both).collect()
}

impl Relation<'_, '_> {
    pub(super) fn broadcast(&mut self) -> Shape {
        let (a, b) = (self.shape(0)?, self.shape(1)?);
        broadcast(&a, &b).map_err(|Apart| self.refuse_together(0, 1)).ok()
    }

    /// Refuses an axis that the first input does not have.
    pub(super) fn has_axis(&mut self, at: i64) -> Option<usize> {
        let rank = self.shape(0)?.len();
        let found = axis(at, rank);
        if found.is_none() {
            self.refuse(0, format!("it has no axis {at}"));
        }
        found
    }

    pub(super) fn matmul(&mut self) -> Shape {
        for i in [0, 1] {
            if self.shape(i).is_some_and(|dims| dims.is_empty()) {
                self.refuse(i, "a number is no matrix");
                return None;
            }
        }
        let (a, b) = (self.shape(0)?, self.shape(1)?);
        // A vector is a row on the left and a column on the right.
        let (batch_a, rows) = match a.as_slice() {
            [batch @ .., rows, _] => (batch, Some(*rows)),
            _ => (&[][..], None),
        };
        let (batch_b, columns) = match b.as_slice() {
            [batch @ .., _, columns] => (batch, Some(*columns)),
            _ => (&[][..], None),
        };
        self.same((0, a.len() - 1), (1, b.len().saturating_sub(2)));
        let Ok(mut dims) = broadcast(batch_a, batch_b) else {
            self.refuse_together(0, 1);
            return None;
        };
        dims.extend(rows.into_iter().chain(columns));
        Some(dims)
    }

    pub(super) fn gemm(&mut self) -> Shape {
        for i in [0, 1] {
            self.input_shape(i, Some(vec![Extent::Any; 2]));
        }
        let flipped = |attribute: &str| usize::from(self.node.attr_int(attribute).unwrap_or(0) != 0);
        let (flip_a, flip_b) = (flipped("transA"), flipped("transB"));
        self.same((0, 1 - flip_a), (1, flip_b));
        let side = |shape: Shape, i: usize| shape.and_then(|dims| dims.get(i).copied()).unwrap_or(Extent::Any);
        let out = vec![side(self.shape(0), flip_a), side(self.shape(1), 1 - flip_b)];
        // The bias spreads over the result and not the reverse.
        if let Some(bias) = self.shape(2) {
            let spreads = |(bias, out): (&Extent, &Extent)| match (bias, out) {
                (Extent::Size(n), Extent::Size(m)) => *n == 1 || n == m,
                _ => true,
            };
            if bias.len() > 2 || !bias.iter().rev().zip(out.iter().rev()).all(spreads) {
                self.refuse(2, "it does not spread over the product");
                return None;
            }
        }
        Some(out)
    }

    pub(super) fn transposed(&mut self) -> Shape {
        let back = self.shape_of(self.output_ix(0));
        let Some(order) = self.node.attr_ints("perm") else {
            let reversed = |dims: Vec<Extent>| dims.into_iter().rev().collect();
            self.input_shape(0, back.map(reversed));
            return self.shape(0).map(reversed);
        };
        let rank = order.len();
        let order: Option<Vec<usize>> = order.iter().map(|i| axis(*i, rank)).collect();
        let whole = order.filter(|order| (0..rank).all(|i| order.contains(&i)));
        let Some(order) = whole else {
            self.refuse(0, "its axes are not each named once");
            return None;
        };
        let mut before = vec![Extent::Any; rank];
        for (from, dim) in order.iter().zip(back.filter(|dims| dims.len() == rank).unwrap_or_default()) {
            before[*from] = dim;
        }
        self.input_shape(0, Some(before));
        let dims = self.shape(0).filter(|dims| dims.len() == rank)?;
        Some(order.into_iter().map(|from| dims[from]).collect())
    }

    pub(super) fn concatenated(&mut self) -> Shape {
        let count = self.inputs();
        let first = (0..count).find(|i| self.shape(*i).is_some())?;
        let rank = self.shape(first)?.len();
        let at = self.node.attr_int("axis")?;
        let Some(along) = axis(at, rank) else {
            self.refuse(first, format!("it has no axis {at}"));
            return None;
        };
        let mut out = vec![Extent::Any; rank];
        let mut total = Some(0u64);
        for i in 0..count {
            let Some(dims) = self.shape(i) else {
                self.input_shape(i, Some(vec![Extent::Any; rank]));
                total = None;
                continue;
            };
            if dims.len() != rank {
                self.refuse_together(first, i);
                return None;
            }
            for (at, dim) in dims.into_iter().enumerate() {
                match (at == along, dim, out[at]) {
                    (true, Extent::Size(n), _) => total = total.and_then(|sum| sum.checked_add(n)),
                    (true, ..) => total = None,
                    (false, dim, Extent::Any) => out[at] = dim,
                    (false, ..) => self.same((first, at), (i, at)),
                }
            }
        }
        out[along] = total.map_or(Extent::Any, Extent::Size);
        Some(out)
    }

    pub(super) fn sliced(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let rank = dims.len();
        let given = |i: usize| self.input_ix(i).is_some();
        let list = |i: usize| self.integers(i).map(<[i64]>::to_vec);
        let (starts, ends) = (list(1), list(2));
        let axes = if given(3) { list(3) } else { starts.as_ref().map(|starts| (0..starts.len() as i64).collect()) };
        let Some(axes) = axes else { return Some(vec![Extent::Any; rank]) };
        let steps = if given(4) { list(4) } else { Some(vec![1; axes.len()]) };
        let mut out = dims.clone();
        let mut seen = vec![false; rank];
        for (i, at) in axes.iter().enumerate() {
            let along = self.has_axis(*at)?;
            let of = |list: &Option<Vec<i64>>| list.as_ref().and_then(|l| l.get(i)).copied();
            let bounds = (of(&starts), of(&ends), of(&steps));
            out[along] = match (bounds, dims[along]) {
                // What an axis that is named twice means, ONNX does not say.
                _ if std::mem::replace(&mut seen[along], true) => Extent::Any,
                ((Some(start), Some(end), Some(step)), Extent::Size(n)) => {
                    slice_range(start, end, step, n).map_or(Extent::Any, |(_, count)| Extent::Size(count))
                }
                ((Some(0), Some(i64::MAX), Some(1)), whole) => whole,
                _ => Extent::Any,
            };
        }
        Some(out)
    }

    pub(super) fn gathered(&mut self) -> Shape {
        let at = self.has_axis(self.node.attr_int("axis").unwrap_or(0))?;
        let (mut dims, indices) = (self.shape(0)?, self.shape(1)?);
        if let (Some(entries), Extent::Size(n)) = (self.integers(1), dims[at])
            && let Some(outside) = entries.iter().find(|i| usize::try_from(n).is_ok_and(|n| axis(**i, n).is_none()))
        {
            let why = format!("it has no entry {outside}");
            self.refuse(0, why);
            return None;
        }
        dims.splice(at..=at, indices);
        Some(dims)
    }

    pub(super) fn reduced(&mut self) -> Shape {
        let keep = self.node.attr_int("keepdims").unwrap_or(1) != 0;
        let noop = self.node.attr_int("noop_with_empty_axes").unwrap_or(0) != 0;
        let axes = match self.input_ix(1) {
            None => Some(Vec::new()),
            Some(_) => self.integers(1).map(<[i64]>::to_vec),
        };
        let Some(axes) = axes else {
            return self.shape(0).filter(|_| keep).map(|dims| vec![Extent::Any; dims.len()]);
        };
        match (axes.is_empty(), noop, keep) {
            (true, true, _) => self.shape(0),
            // A number, whatever it is of.
            (true, false, false) => Some(Vec::new()),
            (true, false, true) => self.shape(0).map(|dims| vec![Extent::Size(1); dims.len()]),
            (false, ..) => self.without(&axes, keep),
        }
    }

    pub(super) fn arg_max(&mut self) -> Shape {
        let keep = self.node.attr_int("keepdims").unwrap_or(1) != 0;
        self.without(&[self.node.attr_int("axis").unwrap_or(0)], keep)
    }

    /// The first input's shape without these axes, or with 1 in their place.
    fn without(&mut self, axes: &[i64], keep: bool) -> Shape {
        let axes = axes.iter().map(|at| self.has_axis(*at)).collect::<Option<Vec<_>>>()?;
        let dims = self.shape(0)?.into_iter().enumerate();
        let dims = dims.filter_map(|(i, dim)| match axes.contains(&i) {
            false => Some(dim),
            true => keep.then_some(Extent::Size(1)),
        });
        Some(dims.collect())
    }

    /// What the shapes of all inputs have in common.
    pub(super) fn alike(&self, count: usize) -> Shape {
        let mut all = self.shape(0)?;
        for i in 1..count {
            let other = self.shape(i).filter(|other| other.len() == all.len())?;
            for (dim, other) in all.iter_mut().zip(other) {
                if *dim != other {
                    *dim = Extent::Any;
                }
            }
        }
        Some(all)
    }

    /// Values of that shape, one behind the other or along an axis of their own.
    pub(super) fn joined(&mut self, shape: Shape) -> Shape {
        let own = self.node.attr_int("new_axis") == Some(1);
        let mut dims = shape?;
        let at = self.node.attr_int("axis")?;
        let Some(along) = axis(at, dims.len() + usize::from(own)) else {
            self.refuse(0, format!("it has no axis {at}"));
            return None;
        };
        match own {
            true => dims.insert(along, Extent::Any),
            false => dims[along] = Extent::Any,
        }
        Some(dims)
    }
}
