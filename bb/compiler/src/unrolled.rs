//! Of how many members cohorts are where a program is written as one graph.

use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::limits::LANES_MAX;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;
use std::collections::{BTreeMap, BTreeSet};

/// What [`Compiler::with_unrolled`](crate::Compiler::with_unrolled) says: members by class. It is for those who read the
/// program: nothing of it is in an artifact, which is for any number of members, nor in the digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrolled(BTreeMap<String, usize>);

impl Unrolled {
    /// How many members a cohort of that class has: one where nothing else is said.
    pub fn members_of(&self, class: &str) -> usize {
        self.0.get(class).copied().unwrap_or(1)
    }

    pub(crate) fn insert(&mut self, class: String, members: usize) {
        self.0.insert(class, members);
    }

    /// What is said of cohorts that `recorded` does not have, and of cohorts of nobody.
    pub(crate) fn faults(&self, recorded: &ModelProto) -> Vec<Diagnostic> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let there = cohorts(recorded);
        let program = recorded.functions.first().map_or("", |root| root.name());
        let fault = |(class, members): (&String, &usize)| {
            let (text, help) = if !there.contains(class.as_str()) {
                let there: Vec<String> = there.iter().map(|class| format!("`{class}`")).collect();
                let help = match there.as_slice() {
                    [] => "it has none: unroll nothing".to_owned(),
                    there => format!("it has cohorts of {}", there.join(", ")),
                };
                (format!("`{program}` has no cohort of `{class}` to unroll"), help)
            } else if *members > LANES_MAX as usize {
                let help =
                    format!("give `unroll` as many members as are to be seen: {LANES_MAX} are the most that run");
                (format!("a cohort of `{class}` is unrolled to {members} members"), help)
            } else if *members == 0 {
                let help = "give `unroll` as many members as are to be seen: 1 is what is there without it";
                (format!("a cohort of `{class}` is unrolled to nobody"), help.to_owned())
            } else {
                return None;
            };
            Some(Diagnostic::new("BB0412", text).in_module(program).help(help))
        };
        self.0.iter().filter_map(fault).collect()
    }
}

/// The classes that a program has cohorts of.
pub fn cohorts(program: &ModelProto) -> BTreeSet<&str> {
    let values = program.functions.iter().flat_map(|function| &function.value_info);
    let cohorts = values.filter(|value| {
        let of = value.r#type.as_ref().and_then(ValueType::from_proto);
        of.is_some_and(|of| of.is_cohort())
    });
    cohorts.filter_map(|value| value.metadata(keys::PEER_CLASS_KEY)).collect()
}
