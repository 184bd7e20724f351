//! What a campaign showed.

use super::schedule::{Kind, Mild, Outcome};
use bb::engine::Counters;
use std::collections::BTreeMap;
use std::fmt;

/// How many schedules have to have chosen a kind of fault before it is an error that it never struck.
const CHOSEN_MIN: u64 = 20;
/// How many calls there have to be before it is an error that few have an answer.
const CALLS_MIN: u64 = 100;
/// How many violations are kept.
const KEPT_MAX: usize = 50;

#[derive(Debug, Default)]
pub struct Report {
    schedules: u64,
    programs: BTreeMap<&'static str, u64>,
    /// By kind: how many schedules chose it, and how often it struck.
    kinds: BTreeMap<Kind, (u64, u64)>,
    calls: u64,
    right: u64,
    clean: u64,
    clean_right: u64,
    /// Calls and right answers where only such faults strike.
    mild: BTreeMap<Mild, (u64, u64)>,
    events: u64,
    counters: Counters,
    violations: Vec<String>,
}

impl Report {
    pub fn add(&mut self, outcome: &Outcome) {
        self.schedules += 1;
        *self.programs.entry(outcome.program).or_default() += 1;
        for (kind, struck) in &outcome.struck {
            let (chosen, all) = self.kinds.entry(*kind).or_default();
            *chosen += 1;
            *all += struck;
        }
        self.calls += outcome.calls;
        self.right += outcome.right;
        self.clean += outcome.clean;
        self.clean_right += outcome.clean_right;
        if let Some(mild) = outcome.mild {
            let (calls, right) = self.mild.entry(mild).or_default();
            *calls += outcome.mild_calls;
            *right += outcome.mild_right;
        }
        self.events += outcome.events;
        self.counters += outcome.counters;
        if !outcome.violations.is_empty() && self.violations.len() < KEPT_MAX {
            self.violations.push(outcome.to_string());
        }
    }

    /// What must not be.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = self.violations.clone();
        for (kind, (chosen, struck)) in &self.kinds {
            if *chosen >= CHOSEN_MIN && *struck == 0 {
                failures.push(format!("{kind:?} was chosen {chosen} times and never struck"));
            }
        }
        if self.clean > 0 && self.clean_right * 10 < self.clean * 9 {
            failures
                .push(format!("of {} calls that no fault came near, {} have an answer", self.clean, self.clean_right));
        }
        for (mild, (calls, right)) in &self.mild {
            if right * 100 < calls * mild.right_min() && *calls >= CALLS_MIN {
                failures.push(format!("of {calls} calls under nothing worse than {mild:?}, {right} have an answer"));
            }
        }
        failures
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} schedules, {} events", self.schedules, self.events)?;
        for (program, count) in &self.programs {
            writeln!(f, "{count:>12}  {program}")?;
        }
        writeln!(f, "faults struck (in so many schedules)")?;
        for (kind, (chosen, struck)) in &self.kinds {
            writeln!(f, "{struck:>12}  {kind:?} ({chosen})")?;
        }
        writeln!(f, "calls")?;
        writeln!(f, "{:>12}  made, {} with a right answer", self.calls, self.right)?;
        writeln!(f, "{:>12}  that no fault came near, {} with a right answer", self.clean, self.clean_right)?;
        for (mild, (calls, right)) in &self.mild {
            writeln!(f, "{calls:>12}  under {mild:?} at most, {right} with a right answer")?;
        }
        write!(f, "messages\n{}", self.counters)?;
        match self.failures().as_slice() {
            [] => write!(f, "everything held"),
            all => all.iter().try_for_each(|failure| writeln!(f, "FAILED: {failure}")),
        }
    }
}
