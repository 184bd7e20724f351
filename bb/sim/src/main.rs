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
