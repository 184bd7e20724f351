//! Nanoseconds and allocations per op: a chain of trivial ops in an installed engine.
#![allow(missing_docs)]

use bb::engine::{Arg, CallId, Config, Engine, EngineStep, GraphId, Input, Time, Value};
use bb::prelude::*;
use bb::{PeerId, kernels};
use bb_components as _;
use std::time::{Duration, Instant};

#[derive(bb::Peer)]
pub struct Here;

/// Hands its value on.
#[bb::op]
fn same(x: f32) -> f32 {
    x
}

fn installed(ops: usize) -> (Engine, GraphId) {
    let program = bb::compile(move |_: &Graph, x: On<Here, f32>| (0..ops).fold(x, |x, _| same(x)));
    assert_eq!(program.diagnostics, []);
    let peer = PeerId::from_bytes(vec![1]).expect("short");
    let mut engine = Engine::new(Config::new(peer, 1));
    let artifact = &program.artifact("Here").expect("one class").bytes;
    let graph = engine.install(artifact, &kernels(), &[]).expect("it installs").graph;
    (engine, graph)
}

/// One call, until it has resolved.
fn call(engine: &mut Engine, graph: GraphId, n: u64) {
    let now = Time(n);
    let args = vec![Arg::Value(Value::scalar(1.0f32))];
    engine.handle(now, Input::Call { call: CallId(n), graph, args, budget: Duration::from_secs(60) });
    let mut resolved = false;
    while let Some(step) = engine.poll(now) {
        resolved |= matches!(step, EngineStep::CallResolved { result: Ok(_), .. });
    }
    assert!(resolved);
}

fn main() {
    for ops in [1, 1_000, 10_000] {
        let (mut engine, graph) = installed(ops);
        let mut n = 0;
        let mut calls = |calls: u64| {
            for _ in 0..calls {
                n += 1;
                call(&mut engine, graph, n);
            }
        };
        let rounds = (2_000_000 / ops as u64).clamp(100, 200_000);
        calls(rounds / 10);
        // The best of five: what else the machine does only ever makes it slower.
        let best = (0..5).map(|_| {
            let start = Instant::now();
            calls(rounds);
            start.elapsed()
        });
        let best = best.min().expect("five");
        let allocations = allocation_counter::measure(|| calls(100)).count_total as f64 / 100.0;
        let per_call = best.as_nanos() as f64 / rounds as f64;
        println!(
            "chain of {ops:>6} ops: {:>8.1} ns/op, {per_call:>11.0} ns/call, {:>7.4} allocations/op, {allocations:>6.1} allocations/call",
            per_call / ops as f64,
            allocations / ops as f64,
        );
    }
}
