//! How long it takes to record, compile, verify and write programs, pass by pass, and the most memory it takes.
//!
//! Each case runs in a process of its own, as a build script does, so that its peak is its own. One case alone, with the
//! time of every pass: `cargo bench -p bb --bench build -- ring64 100000`. As build scripts are compiled:
//! `CARGO_PROFILE_BENCH_OPT_LEVEL=0 CARGO_PROFILE_BENCH_DEBUG_ASSERTIONS=true CARGO_PROFILE_BENCH_OVERFLOW_CHECKS=true
//! cargo bench -p bb --bench build`.
#![allow(missing_docs)]

#[path = "build/shapes.rs"]
mod shapes;

use bb_compiler::runner::PassTrace;
use std::process::Command;
use std::time::{Duration, Instant};

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match asked.as_slice() {
        [shape, ops] => case(shape, ops.parse().expect("a number of ops")),
        _ => every_case(),
    }
}

fn every_case() {
    let this = std::env::current_exe().expect("a benchmark is a file");
    for shape in shapes::ALL {
        for ops in [1_000, 10_000, 100_000] {
            let ran = Command::new(&this).args([shape.name, &ops.to_string()]).status().expect("it runs again");
            assert!(ran.success(), "{} of {ops} ops", shape.name);
        }
    }
}

fn case(name: &str, ops: usize) {
    let shape = shapes::ALL.iter().find(|shape| shape.name == name).expect("a shape there is");
    let (recorded, recording) = timed(|| (shape.record)(ops));
    assert_eq!(recorded.diagnostics, []);
    let nodes: usize = recorded.model.functions.iter().map(|f| f.node.len()).sum();
    let (output, compiling) =
        timed(|| bb_compiler::Compiler::new().compile_owned(recorded.model).expect("it compiles"));
    let (artifacts, writing) = timed(|| output.artifacts());
    let verifying: Duration = output.trace.iter().map(|pass| pass.verified).sum();
    let bytes: usize = artifacts.iter().map(Vec::len).sum();
    println!(
        "{name:<8} {ops:>7} ops {nodes:>7} nodes {:>3} classes  record {:>6} + compile {:>6} + verify {:>6} + write {:>5} = {:>6} ms \
         {:>6.2} µs/op  {:>5.1} MB written{}",
        output.partitions.len(),
        ms(recording),
        ms(compiling - verifying),
        ms(verifying),
        ms(writing),
        ms(recording + compiling + writing),
        (recording + compiling + writing).as_secs_f64() * 1e6 / ops as f64,
        bytes as f64 / 1e6,
        system().unwrap_or_default(),
    );
    if ops >= 100_000 {
        output.trace.iter().for_each(pass);
    }
}

fn pass(pass: &PassTrace) {
    println!(
        "    {:<32} {:>8} nodes {:>6} ms, verified in {:>6} ms",
        pass.pass,
        pass.nodes,
        ms(pass.took),
        ms(pass.verified)
    );
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = what();
    (made, start.elapsed())
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// The processor's time of this process so far and the most memory that it had, where the system tells: Linux, whose clock
/// for that ticks a hundred times a second.
fn system() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let user = stat.rsplit(')').next()?.split_whitespace().nth(11)?;
    let (peak, user): (f64, f64) = (peak.parse().ok()?, user.parse().ok()?);
    Some(format!("  user {:.2} s  peak {:.0} MB", user / 100.0, peak / 1e3))
}
