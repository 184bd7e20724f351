//! What calls that are inlined say of names of dimensions: kept on the caller until the types are solved.

use super::Fact;
use super::dims::Because;
use super::meet::TypeError;
use super::solver::TypeSolver;
use crate::error::source_of;
use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use bb_ir::keys;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::types::Dim;
use bb_ir::views::Metadata;
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// Facts while calls are being inlined: each once, with the first place that says it.
#[derive(Default)]
pub(in crate::passes) struct Facts {
    rows: Vec<String>,
    seen: FxHashSet<Fact>,
}

impl Facts {
    /// The border of `call`, which is gone, says this.
    pub fn note(&mut self, facts: Vec<Fact>, call: &NodeProto) {
        for fact in facts {
            self.add(fact, source_of(call));
        }
    }
    /// What `callee`, which is gone, has noted.
    pub fn take_over(&mut self, callee: &FunctionProto) {
        for (fact, place) in noted(callee) {
            self.add(fact, place);
        }
    }
    fn add(&mut self, fact: Fact, place: Option<SourcePlace>) {
        let is = match &fact.1 {
            Dim::Size(n) => n.to_string(),
            Dim::Named(other) => other.clone(),
            Dim::Unknown => return,
        };
        let place = place.map(|place| place.to_string()).unwrap_or_default();
        let row = format!("{}|{is}|{place}", fact.0);
        if self.seen.insert(fact) {
            self.rows.push(row);
        }
    }
    /// Writes them on the caller.
    pub fn write(self, caller: &mut FunctionProto) {
        let key = |i: usize| format!("{}{i}", keys::DIMENSION_PREFIX);
        caller.set_all_metadata(self.rows.into_iter().enumerate().map(|(i, row)| (key(i), row)));
    }
}

/// The facts on a function, in the order of their numbers.
fn noted(function: &FunctionProto) -> Vec<(Fact, Option<SourcePlace>)> {
    let rows = function.metadata_under(keys::DIMENSION_PREFIX);
    let mut rows: Vec<(usize, &str)> = rows.filter_map(|(number, row)| Some((number.parse().ok()?, row))).collect();
    rows.sort_unstable_by_key(|(number, _)| *number);
    let fact = |(_, row): (usize, &str)| {
        let mut parts = row.splitn(3, '|');
        let (name, is) = parts.next().zip(parts.next())?;
        let is = is.parse().map_or_else(|_| Dim::Named(is.to_owned()), Dim::Size);
        Some(((name.to_owned(), is), parts.next().and_then(SourcePlace::parse)))
    };
    rows.into_iter().filter_map(fact).collect()
}

/// They are in the types now, as is what signatures take.
pub(super) fn forget(function: &mut FunctionProto) {
    function.remove_metadata_under(keys::DIMENSION_PREFIX);
    function.node.iter_mut().for_each(|node| node.remove_metadata(keys::TAKES_KEY));
}

impl TypeSolver<'_, '_> {
    /// Takes up what inlined calls say of names.
    pub(super) fn learn_noted(&mut self, faults: &mut Vec<Diagnostic>) {
        let function = self.index.function();
        for (fact, place) in noted(function) {
            let because = place.clone().map_or(Because::Unsaid, |place| Because::Place(Rc::new(place)));
            if let Err(TypeError::Sizes(clash)) = self.learn(&fact, &because) {
                faults.push(self.named_twice(&clash, place));
            }
        }
    }
}
