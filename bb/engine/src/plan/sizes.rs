//! Names of dimensions at a place: each is one size in an execution.

use super::{PlacePlan, SiteIx};
use bb_ir::types::{Dim, ValueType};
use bb_ir::value::Value;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A name of a dimension, by its number at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameIx(u32);

/// The names of a place while it is being built.
#[derive(Default)]
pub(super) struct Names {
    pub all: Vec<Arc<str>>,
    by_name: FxHashMap<Arc<str>, NameIx>,
}

impl Names {
    /// Which axes of a tensor, or of the tensors in a sequence, have names.
    pub fn of(&mut self, ty: &ValueType) -> Vec<(usize, NameIx)> {
        match ty {
            ValueType::Tensor { shape: Some(dims), .. } => {
                let named = dims.iter().enumerate().filter_map(|(axis, dim)| match dim {
                    Dim::Named(name) => Some((axis, name.as_str())),
                    Dim::Size(_) | Dim::Unknown => None,
                });
                named.map(|(axis, name)| (axis, self.number(name))).collect()
            }
            ValueType::Seq(of) => self.of(of),
            _ => Vec::new(),
        }
    }
    fn number(&mut self, name: &str) -> NameIx {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let (name, ix) = (Arc::<str>::from(name), NameIx(self.all.len() as u32));
        self.all.push(name.clone());
        self.by_name.insert(name, ix);
        ix
    }
}

/// What a frame knows of the names at its place: the sizes of those that a value from outside has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes(Vec<Option<u64>>);

impl Sizes {
    /// Nothing yet.
    pub fn of(plan: &PlacePlan) -> Self {
        Sizes(vec![None; plan.names.len()])
    }
    /// Nothing any more, at that place.
    pub fn forget(&mut self, plan: &PlacePlan) {
        self.0.clear();
        self.0.resize(plan.names.len(), None);
    }

    /// Takes down what a value at `site` says.
    ///
    /// # Errors
    /// Says which name is of another size.
    pub fn learn(&mut self, plan: &PlacePlan, site: SiteIx, value: &Value) -> Result<(), String> {
        let named = &plan.site(site).named;
        if named.is_empty() { Ok(()) } else { self.learn_of(plan, named, value) }
    }

    fn learn_of(&mut self, plan: &PlacePlan, named: &[(usize, NameIx)], value: &Value) -> Result<(), String> {
        match value {
            Value::Tensor(tensor) => {
                for (axis, name) in named {
                    let (Some(here), at) = (tensor.shape().get(*axis).copied(), name.0 as usize) else { continue };
                    let known = *self.0[at].get_or_insert(here);
                    if known != here {
                        return Err(format!("`{}` is {known} in this execution, and here {here}", plan.names[at]));
                    }
                }
                Ok(())
            }
            // What one of several says of a name that is not known is its own.
            Value::Seq(values) => values.iter().try_for_each(|one| self.clone().learn_of(plan, named, one)),
            _ => Ok(()),
        }
    }

    /// For a checkpoint: 0 where nothing is known, else the size and one more.
    pub fn image(&self) -> Vec<u64> {
        self.0.iter().map(|size| size.map_or(0, |n| n.saturating_add(1))).collect()
    }
    /// What [`Sizes::image`] gave; `None` where it is of another place.
    pub fn from_image(image: &[u64], plan: &PlacePlan) -> Option<Self> {
        (image.len() == plan.names.len()).then(|| Sizes(image.iter().map(|n| n.checked_sub(1)).collect()))
    }
}
