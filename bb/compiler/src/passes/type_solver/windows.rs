//! What looks at a tensor through windows: convolutions and pools. `(batch, channels, size, …)` in, the same out.

use super::dims::Extent;
use super::relations::{Relation, Shape};
use bb_ir::views::Attributes;

impl Relation<'_, '_> {
    /// The channels of the filters come first, then those of a group of the input, then the window.
    pub(super) fn convolved(&mut self) -> Shape {
        let filters = self.shape(1)?;
        if filters.len() < 3 {
            self.refuse(1, "filters have at least three dimensions");
            return None;
        }
        let rank = filters.len();
        self.input_shape(0, Some(vec![Extent::Any; rank]));
        let groups = self.node.attr_int("group").and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
        let dims = self.shape(0).filter(|dims| dims.len() == rank)?;
        match (dims[1], filters[1]) {
            _ if groups == 1 => self.same((0, 1), (1, 1)),
            (Extent::Size(has), Extent::Size(takes)) if takes.checked_mul(groups) != Some(has) => {
                self.refuse_together(0, 1);
                return None;
            }
            _ => {}
        }
        let window = filters[2..].iter().map(|dim| if let Extent::Size(n) = dim { Some(*n) } else { None }).collect();
        self.windows(vec![dims[0], filters[0]], &dims[2..], window)
    }

    pub(super) fn pooled(&mut self) -> Shape {
        let dims = self.shape(0)?;
        let window: Vec<Option<u64>> =
            self.node.attr_ints("kernel_shape")?.iter().map(|n| u64::try_from(*n).ok()).collect();
        if dims.len() != window.len() + 2 {
            self.refuse(
                0,
                format!("a window of {} dimensions looks at a tensor of {}", window.len(), window.len() + 2),
            );
            return None;
        }
        self.windows(dims[..2].to_vec(), &dims[2..], window)
    }

    pub(super) fn pooled_whole(&mut self) -> Shape {
        let mut dims = self.shape(0)?;
        if dims.len() < 3 {
            self.refuse(0, "it has nothing behind batch and channels");
            return None;
        }
        dims[2..].fill(Extent::Size(1));
        Some(dims)
    }

    /// `front`, and behind it how often each window fits.
    fn windows(&mut self, front: Vec<Extent>, sizes: &[Extent], window: Vec<Option<u64>>) -> Shape {
        let count = sizes.len();
        let attribute = |name: &str, otherwise: u64, length: usize| -> Option<Vec<u64>> {
            match self.node.attr_ints(name) {
                None => Some(vec![otherwise; length]),
                Some(given) if given.len() == length => given.iter().map(|n| u64::try_from(*n).ok()).collect(),
                Some(_) => None,
            }
        };
        let (strides, steps) = (attribute("strides", 1, count), attribute("dilations", 1, count));
        let pads = attribute("pads", 0, 2 * count);
        let (Some(strides), Some(steps), Some(pads)) = (strides, steps, pads) else {
            self.refuse(0, "its strides, dilations or pads are not one for each dimension");
            return None;
        };
        if strides.contains(&0) {
            self.refuse(0, "a stride is 0");
            return None;
        }
        let auto = self.node.attr_str("auto_pad").unwrap_or("NOTSET").to_owned();
        let up = self.node.attr_int("ceil_mode").unwrap_or(0) != 0;
        let mut out = front;
        for i in 0..count {
            let (Extent::Size(size), Some(window)) = (sizes[i], window[i]) else {
                out.push(Extent::Any);
                continue;
            };
            if auto.starts_with("SAME") {
                out.push(Extent::Size(size.div_ceil(strides[i])));
                continue;
            }
            let pad = if auto == "VALID" { 0 } else { pads[i].saturating_add(pads[i + count]) };
            let spans = window.saturating_sub(1).saturating_mul(steps[i]).saturating_add(1);
            let Some(room) = size.saturating_add(pad).checked_sub(spans).filter(|_| window > 0) else {
                let reach = if spans > window { format!(" that spans {spans}") } else { String::new() };
                let padded = if pad > 0 { format!(" padded by {pad}") } else { String::new() };
                self.refuse(0, format!("a window of {window}{reach} does not fit into {size}{padded}"));
                return None;
            };
            let mut fits = if up { room.div_ceil(strides[i]) } else { room / strides[i] } + 1;
            // A last window that begins behind the tensor and its padding in front is none.
            if up && (fits - 1).saturating_mul(strides[i]) >= size.saturating_add(pads[i]) {
                fits -= 1;
            }
            out.push(Extent::Size(fits));
        }
        Some(out)
    }
}
