//! The campaign: programs under faults drawn from a seed, and what has to hold whatever they are.

mod report;
mod scenario;
mod schedule;

pub use report::Report;
use schedule::Outcome;

/// Runs one schedule; with its trace, if that is asked for.
pub fn one(seed: u64, traced: bool) -> Outcome {
    schedule::run(seed, traced)
}

/// Runs so many schedules. One in a hundred runs twice, and has to be the same to the byte.
pub fn run(schedules: u64, first: u64) -> Report {
    let mut report = Report::default();
    (first..first + schedules).for_each(|seed| add(&mut report, seed));
    report
}
fn add(report: &mut Report, seed: u64) {
    let twice = seed % 100 == 7;
    let mut outcome = one(seed, twice);
    if twice && one(seed, true).trace != outcome.trace {
        outcome.violations.push("another run of the same seed was another".into());
    }
    report.add(&outcome);
}

/// After how many schedules, up to so many, a fault that was built into the engine on purpose shows; and what it breaks. A
/// panic shows it too.
#[cfg(feature = "seeded-bugs")]
pub fn catches(bug: bb_engine::bugs::Bug, schedules: u64) -> Option<(u64, String)> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    bb_engine::bugs::seed(Some(bug));
    let mut report = Report::default();
    let caught = (0..schedules).find_map(|seed| {
        let outcome = catch_unwind(AssertUnwindSafe(|| add(&mut report, seed)));
        let why = match outcome {
            Ok(()) => report.failures().into_iter().next(),
            Err(_) => Some(format!("seed {seed}: it panicked")),
        };
        why.map(|why| (seed + 1, why))
    });
    bb_engine::bugs::seed(None);
    caught
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo run --release -p bb-sim -- campaign` runs many more.
    #[test]
    fn a_small_campaign_holds() {
        let report = run(2_000, 0);
        assert_eq!(report.failures(), Vec::<String>::new(), "{report}");
    }

    /// A campaign that finds nothing has to be one that would.
    #[cfg(feature = "seeded-bugs")]
    #[test]
    fn every_fault_that_was_built_in_is_caught() {
        use bb_engine::bugs::Bug;
        let missed: Vec<&Bug> = Bug::ALL.iter().filter(|bug| catches(**bug, 2_000).is_none()).collect();
        assert!(missed.is_empty(), "not caught: {missed:?}");
    }
}
