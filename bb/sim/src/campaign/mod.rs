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
    for seed in first..first + schedules {
        let twice = seed % 100 == 7;
        let mut outcome = one(seed, twice);
        if twice && one(seed, true).trace != outcome.trace {
            outcome.violations.push("another run of the same seed was another".into());
        }
        report.add(&outcome);
    }
    report
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
}
