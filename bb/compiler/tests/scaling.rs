//! Work grows with the number of ops and no faster. Counted, not timed.

mod support;

use bb_compiler::Compiler;
use bb_compiler::passes::type_solver::TypeSolver;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use rustc_hash::FxHashMap;
use support::*;

/// One op behind another, on one class.
fn chain(ops: usize) -> FunctionProto {
    let mut m = Module::with_graph("chain");
    let mut x = m.input("x", "Server", tensor());
    for _ in 0..ops {
        x = m.op("Relu", &[&x]);
    }
    m.output(&x);
    m.done()
}

/// Round and round over sixteen classes, an op on each.
fn ring(ops: usize) -> FunctionProto {
    let mut m = Module::with_graph("ring");
    let mut x = m.input("x", "C0", tensor());
    let mut peers: Vec<String> = (0..16).map(|i| m.peer(&format!("p{i}"), "C0", &format!("C{i}"))).collect();
    for i in 0..ops / 2 {
        x = m.op("Relu", &[&x]);
        let to = (i + 1) % 16;
        let payloads: Vec<&str> = std::iter::once(&x).chain(&peers).map(String::as_str).collect();
        let wired = m.wire(&payloads, &peers[to]);
        let mut values = wired.values.into_iter();
        x = values.next().expect("the first payload");
        peers = values.collect();
    }
    m.output(&x);
    m.done()
}

/// How many nodes each pass leaves, together.
fn nodes(model: &ModelProto) -> usize {
    let out = Compiler::new().compile(model).unwrap_or_else(|e| panic!("{e}"));
    out.trace.iter().map(|t| t.nodes).sum()
}

fn type_visits(function: &FunctionProto) -> usize {
    let mut faults: Vec<Diagnostic> = Vec::new();
    let visits = TypeSolver::new(function, &FxHashMap::default()).solve(&mut faults).visits;
    assert_eq!(faults, []);
    visits
}

#[test]
fn a_chain_of_ten_times_the_ops_is_ten_times_the_work() {
    let (small, large) = (model(vec![chain(1_000)]), model(vec![chain(10_000)]));
    assert!(nodes(&large) <= 10 * nodes(&small));
    let visits = type_visits(&large.functions[0]);
    assert!(visits <= 3 * 10_000, "{visits} visits of 10,000 ops");
}

#[test]
fn a_ring_of_ten_times_the_ops_is_ten_times_the_work() {
    let (small, large) = (model(vec![ring(200)]), model(vec![ring(2_000)]));
    assert!(nodes(&large) <= 10 * nodes(&small) + 100);
    let visits = type_visits(&large.functions[0]);
    assert!(visits <= 3 * 2_000, "{visits} visits of 2,000 ops");
}

#[test]
fn a_hundred_thousand_ops_compile() {
    assert!(nodes(&model(vec![chain(100_000)])) > 100_000);
}
