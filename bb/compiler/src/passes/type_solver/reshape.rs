//! Reshape: as many elements as before.

use super::dims::Extent;
use super::relations::{Relation, Shape};
use bb_ir::views::Attributes;

/// A product of sizes: a number, and what is not known as one.
struct Product {
    number: Option<u64>,
    symbols: Vec<Extent>,
}

/// One product over another: what is left of both, and the one size that is not known, if there is one.
struct Quotient {
    whole: u64,
    part: u64,
    unknown: Option<Extent>,
    /// Unknown sizes stood on both sides; nothing is divided by one that is 0.
    cancelled: bool,
}

impl Product {
    fn of<'d>(dims: impl IntoIterator<Item = &'d Extent>) -> Self {
        let mut product = Product { number: Some(1), symbols: Vec::new() };
        for dim in dims {
            match dim {
                Extent::Size(n) => product.number = product.number.and_then(|all| all.checked_mul(*n)),
                unknown => product.symbols.push(*unknown),
            }
        }
        product
    }

    /// This over the other; `None` where more than one size is not known.
    fn over(mut self, other: &Product) -> Option<Quotient> {
        for symbol in &other.symbols {
            let at = self.symbols.iter().position(|s| s == symbol && *s != Extent::Any)?;
            self.symbols.swap_remove(at);
        }
        let unknown = match self.symbols.as_slice() {
            [] => None,
            [one] => Some(*one),
            _ => return None,
        };
        let cancelled = !other.symbols.is_empty();
        Some(Quotient { whole: self.number?, part: other.number?, unknown, cancelled })
    }
}

impl Relation<'_, '_> {
    pub(super) fn reshaped(&mut self) -> Shape {
        let from = self.shape(0);
        let Some(target) = self.integers(1).map(<[i64]>::to_vec) else {
            // How many dimensions there are may be known all the same.
            return match self.shape(1)?.as_slice() {
                [Extent::Size(rank @ 0..=8)] => Some(vec![Extent::Any; usize::try_from(*rank).ok()?]),
                _ => None,
            };
        };
        let copies = self.node.attr_int("allowzero").unwrap_or(0) == 0;
        let mut out = Vec::with_capacity(target.len());
        let mut open = None;
        for (i, size) in target.iter().enumerate() {
            out.push(match (size, &from) {
                (-1, _) if open.replace(i).is_none() => Extent::Any,
                (0, Some(from)) if copies => match from.get(i) {
                    Some(dim) => *dim,
                    None => return self.refuse_shape(&target),
                },
                (0, None) if copies => Extent::Any,
                (n, _) => match u64::try_from(*n) {
                    Ok(n) => Extent::Size(n),
                    Err(_) => return self.refuse_shape(&target),
                },
            });
        }
        let Some(from) = from else { return Some(out) };
        let whole = Product::of(&from);
        let parts = out.iter().enumerate().filter(|(i, _)| Some(*i) != open).map(|(_, dim)| dim);
        let Some(Quotient { whole, part, unknown, cancelled }) = whole.over(&Product::of(parts)) else {
            return Some(out);
        };
        match (open, unknown) {
            (Some(_), _) if part == 0 => return self.refuse_shape(&target),
            (Some(open), None) if whole % part == 0 => out[open] = Extent::Size(whole / part),
            (Some(open), Some(one)) if whole == part => out[open] = one,
            (Some(_), Some(_)) => {}
            (None, None) if whole == part => {}
            // The one size that is not known has to be what is missing.
            (None, Some(one)) if whole > 0 && part % whole == 0 => {
                if let (false, Some(value)) = (cancelled, self.input_ix(0)) {
                    self.said.equal.push((one, Extent::Size(part / whole), value, value));
                }
            }
            (None, Some(_)) if whole == 0 => {}
            _ => return self.refuse_shape(&target),
        }
        Some(out)
    }

    fn refuse_shape(&mut self, target: &[i64]) -> Shape {
        let target: Vec<String> = target.iter().map(i64::to_string).collect();
        self.refuse(0, format!("it cannot become ({})", target.join(", ")));
        None
    }
}
