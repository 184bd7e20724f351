//! How programs are compiled.

use bb_compiler::Compiler;
use std::time::Duration;

/// How `bb::build!` and [`compile_with`](crate::compile_with) compile a program. Nodes of one program are built with the
/// same options: they are part of its digest.
///
/// ```
/// let slow = bb::Options::default().per_hop_budget(std::time::Duration::from_secs(300));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    per_hop_budget: Option<Duration>,
}

impl Options {
    /// How long a message may be under way per wire on its path back, the work in between included; 30 s where nothing is
    /// said. A question and its answer have twice that. A call's own budget may end it sooner, never later.
    ///
    /// A budget of nothing, or of more than 292 years on one path, is refused when a program is compiled.
    pub fn per_hop_budget(self, budget: Duration) -> Self {
        Options { per_hop_budget: Some(budget) }
    }

    pub(super) fn compiler(&self) -> Compiler {
        match self.per_hop_budget {
            None => Compiler::new(),
            Some(budget) => {
                Compiler::new().with_per_hop_budget_ns(u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX))
            }
        }
    }
}
