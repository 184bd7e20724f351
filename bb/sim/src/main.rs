//! `bb-sim campaign [schedules] [first seed]`: many programs under many faults.

mod campaign;
pub mod programs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let numbers =
        |args: &mut dyn Iterator<Item = String>| -> Option<Vec<u64>> { args.map(|a| a.parse().ok()).collect() };
    match (args.next().as_deref(), numbers(&mut args).as_deref()) {
        (Some("campaign"), Some([])) => run(100_000, 0),
        (Some("campaign"), Some([schedules])) => run(*schedules, 0),
        (Some("campaign"), Some([schedules, first])) => run(*schedules, *first),
        (Some("trace"), Some([seed])) => {
            let outcome = campaign::one(*seed, true);
            outcome.trace.iter().for_each(|row| println!("{row}"));
            println!("{outcome}");
            ExitCode::from(u8::from(!outcome.violations.is_empty()))
        }
        #[cfg(feature = "seeded-bugs")]
        (Some("bugs"), Some([])) => bugs(2_000),
        _ => {
            eprintln!("usage: bb-sim campaign [schedules, 100000] [first seed, 0]\n       bb-sim trace <seed>");
            ExitCode::from(2)
        }
    }
}

fn run(schedules: u64, first: u64) -> ExitCode {
    let report = campaign::run(schedules, first);
    println!("{report}");
    ExitCode::from(u8::from(!report.failures().is_empty()))
}

/// Switches on one fault after the other, and tells what finds it.
#[cfg(feature = "seeded-bugs")]
fn bugs(schedules: u64) -> ExitCode {
    std::panic::set_hook(Box::new(|_| ()));
    let mut missed = 0;
    for bug in bb_engine::bugs::Bug::ALL {
        match campaign::catches(*bug, schedules) {
            Some((after, why)) => {
                let first =
                    why.lines().map(str::trim).find(|line| !line.starts_with("seed") || why.lines().count() == 1);
                let name = format!("{bug:?}");
                println!(
                    "{name:<24} after {after:>4}: {}",
                    first.unwrap_or(&why).chars().take(150).collect::<String>()
                );
            }
            None => {
                missed += 1;
                println!("{bug:?} is not caught in {schedules} schedules");
            }
        }
    }
    ExitCode::from(u8::from(missed > 0))
}
