//! What gives a tensor other dimensions: some more, some less, some larger.

use super::bounds::axis;
use super::dims::Extent;
use super::relations::{Relation, Shape};
use super::shapes::broadcast;
use bb_ir::views::Attributes;

impl Relation<'_, '_> {
    /// All inputs broadcast to one shape.
    pub(super) fn broadcast_all(&mut self, count: usize) -> Shape {
        let mut out = self.shape(0)?;
        for i in 1..count {
            let next = self.shape(i)?;
            let Ok(both) = broadcast(&out, &next) else {
                self.refuse_together(0, i);
                return None;
            };
            out = both;
        }
        Some(out)
    }

    pub(super) fn expanded(&mut self) -> Shape {
        let from = self.shape(0)?;
        let Some(target) = self.integers(1).map(<[i64]>::to_vec) else {
            return match self.shape(1)?.as_slice() {
                [Extent::Size(rank @ 0..=8)] => Some(vec![Extent::Any; from.len().max(usize::try_from(*rank).ok()?)]),
                _ => None,
            };
        };
        let size = |n: &i64| u64::try_from(*n).map_or(Extent::Any, Extent::Size);
        let target: Vec<Extent> = target.iter().map(size).collect();
        let both = broadcast(&from, &target).ok();
        if both.is_none() {
            self.refuse(0, "it does not spread over that shape");
        }
        both
    }

    pub(super) fn flattened(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let at = self.node.attr_int("axis").unwrap_or(1);
        // The cut may stand behind the last axis.
        let cut = if at == i64::try_from(dims.len()).ok()? { dims.len() } else { self.has_axis(at)? };
        let product = |dims: &[Extent]| match dims {
            [one] => *one,
            dims => {
                let size = |all: u64, dim: &Extent| if let Extent::Size(n) = dim { all.checked_mul(*n) } else { None };
                dims.iter().try_fold(1, size).map_or(Extent::Any, Extent::Size)
            }
        };
        Some(vec![product(&dims[..cut]), product(&dims[cut..])])
    }

    pub(super) fn squeezed(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let Some(_) = self.input_ix(1) else {
            // Which dimensions are 1 has to be known of all.
            let known = dims.iter().all(|dim| matches!(dim, Extent::Size(_)));
            return known.then(|| dims.into_iter().filter(|dim| *dim != Extent::Size(1)).collect());
        };
        let axes = self.integers(1)?.to_vec();
        let axes = axes.iter().map(|at| self.has_axis(*at)).collect::<Option<Vec<_>>>()?;
        if let Some(wide) = axes.iter().find(|at| matches!(dims[**at], Extent::Size(n) if n != 1)) {
            self.refuse(0, format!("its axis {wide} is not 1"));
            return None;
        }
        Some(dims.into_iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, dim)| dim).collect())
    }

    pub(super) fn unsqueezed(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let axes = self.integers(1)?.to_vec();
        let rank = dims.len() + axes.len();
        let mut found = Vec::with_capacity(axes.len());
        for at in &axes {
            match axis(*at, rank).filter(|at| !found.contains(at)) {
                Some(at) => found.push(at),
                None => {
                    self.refuse(0, format!("it cannot have an axis {at} of its own"));
                    return None;
                }
            }
        }
        let mut rest = dims.into_iter();
        (0..rank).map(|i| if found.contains(&i) { Some(Extent::Size(1)) } else { rest.next() }).collect()
    }

    pub(super) fn padded(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let any = Some(vec![Extent::Any; dims.len()]);
        let Some(pads) = self.integers(1).map(<[i64]>::to_vec) else { return any };
        let axes = match self.input_ix(3) {
            None => (0..dims.len()).collect(),
            Some(_) => match self.integers(3).map(<[i64]>::to_vec) {
                None => return any,
                Some(axes) => axes.iter().map(|at| self.has_axis(*at)).collect::<Option<Vec<_>>>()?,
            },
        };
        if pads.len() != 2 * axes.len() {
            self.refuse(0, format!("{} pads are not two for each of {} axes", pads.len(), axes.len()));
            return None;
        }
        let mut out = dims;
        for (i, at) in axes.iter().enumerate() {
            let Extent::Size(size) = out[*at] else {
                let same = pads[i] == 0 && pads[i + axes.len()] == 0;
                out[*at] = if same { out[*at] } else { Extent::Any };
                continue;
            };
            let wide = size.checked_add_signed(pads[i]).and_then(|n| n.checked_add_signed(pads[i + axes.len()]));
            let Some(wide) = wide else {
                self.refuse(0, format!("less than nothing of its axis {at} would be left"));
                return None;
            };
            out[*at] = Extent::Size(wide);
        }
        Some(out)
    }

    pub(super) fn tiled(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let Some(times) = self.integers(1).map(<[i64]>::to_vec) else { return Some(vec![Extent::Any; dims.len()]) };
        if times.len() != dims.len() {
            self.refuse(0, format!("{} counts are not one for each of its {} dimensions", times.len(), dims.len()));
            return None;
        }
        let tile = |(dim, times): (&Extent, &i64)| match (dim, u64::try_from(*times)) {
            (dim, Ok(1)) => *dim,
            (Extent::Size(n), Ok(times)) => n.checked_mul(times).map_or(Extent::Any, Extent::Size),
            _ => Extent::Any,
        };
        Some(dims.iter().zip(&times).map(tile).collect())
    }

    /// The shapes of the parts.
    pub(super) fn split(&mut self, parts: usize) -> Vec<Shape> {
        let none = vec![None; parts];
        let Some(dims) = self.shape(0) else { return none };
        let Some(at) = self.has_axis(self.node.attr_int("axis").unwrap_or(0)) else { return none };
        let sizes: Option<Vec<u64>> = match self.input_ix(1) {
            Some(_) => self.integers(1).map(|all| all.iter().filter_map(|n| u64::try_from(*n).ok()).collect()),
            None => match dims[at] {
                Extent::Size(n) => {
                    let each = n.div_ceil(parts.max(1) as u64);
                    Some((0..parts as u64).map(|i| each.min(n.saturating_sub(i.saturating_mul(each)))).collect())
                }
                _ => None,
            },
        };
        if let Some(sizes) = &sizes {
            let sum = sizes.iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
            if sizes.len() != parts || matches!(dims[at], Extent::Size(n) if sum != Some(n)) {
                self.refuse(0, format!("{sizes:?} are not its {parts} parts"));
                return none;
            }
        }
        let part = |i: usize| {
            let mut part = dims.clone();
            part[at] = sizes.as_ref().map_or(Extent::Any, |sizes| Extent::Size(sizes[i]));
            Some(part)
        };
        (0..parts).map(part).collect()
    }

    /// How many dimensions the first input has, from `start` to `end`.
    pub(super) fn shape_vector(&mut self) -> Shape {
        let Some(dims) = self.shape(0) else { return Some(vec![Extent::Any]) };
        let rank = i64::try_from(dims.len()).ok()?;
        let at = |name: &str, otherwise: i64| {
            let at = self.node.attr_int(name).unwrap_or(otherwise);
            (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank)
        };
        let length = (at("end", rank) - at("start", 0)).max(0);
        Some(vec![Extent::Size(u64::try_from(length).ok()?)])
    }
}
