//! Work grows with the number of ops and no faster. Counted, not timed.

mod support;

use bb_compiler::Compiler;
use bb_compiler::passes;
use bb_compiler::passes::type_solver::{Callees, TypeSolver};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::types::{Dim, ElementKind, ValueType};
use bb_ir::views::{Attributes, attribute};
use std::num::NonZero;
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
    ring_of(ops / 2, 1)
}

/// The same by so many wires, with so many ops before each.
fn ring_of(wires: usize, ops: usize) -> FunctionProto {
    let mut m = Module::with_graph("ring");
    let mut x = m.input("x", "C0", tensor());
    let mut peers: Vec<String> = (0..16).map(|i| m.peer(&format!("p{i}"), "C0", &format!("C{i}"))).collect();
    for i in 0..wires {
        for _ in 0..ops {
            x = m.op("Relu", &[&x]);
        }
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
    let visits = TypeSolver::new(function, &mut Callees::default()).solve(&mut faults).visits;
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

fn by(threads: usize) -> Compiler {
    Compiler::new().with_threads(NonZero::new(threads).expect("one at least"))
}

/// What several threads make of a program's parts is what one makes of all of them.
#[test]
fn a_large_program_is_the_same_bytes_however_many_threads_compile_it() {
    for (recorded, parts) in [(model(vec![ring_of(1_000, 5)]), 16), (model(vec![chain(8_500)]), 1)] {
        let one = by(1).compile(&recorded).expect("it compiles");
        let nodes = one.program.functions[0].node.len();
        assert!(nodes >= 4_096, "{nodes} nodes are enough for several threads");
        let classes: Vec<&str> = one.partitions.iter().map(|p| p.class.as_str()).collect();
        assert!(classes.iter().copied().eq(one.analysis.per_role.keys()) && classes.len() == parts, "{classes:?}");
        for (partition, bytes) in one.partitions.iter().zip(one.artifacts()) {
            assert!(bytes == bb_ir::artifact::write(&partition.model), "{}", partition.class);
        }
        for threads in [2, 3, 8] {
            let several = by(threads).compile(&recorded).expect("it compiles");
            assert!(several.digest == one.digest && several.program == one.program, "{threads} threads");
            assert!(several.artifacts() == one.artifacts(), "{threads} threads");
        }
    }
}

#[test]
fn what_is_wrong_with_a_large_program_is_told_in_one_order() {
    let mut recorded = model(vec![chain(8_500)]);
    for at in [8_400, 17, 4_300, 2_200] {
        recorded.functions[0].node[at].op_type = Some("Nonsense".into());
    }
    let told = |threads| by(threads).compile(&recorded).map(|_| ()).expect_err("it is refused").to_string();
    let one = told(1);
    assert!(one.contains("Nonsense"), "{one}");
    for threads in [2, 3, 8] {
        assert_eq!(told(threads), one);
    }
}

/// Modules that each call the next one twice, with another shape each: two to the power of `levels` ways down.
fn tower(levels: usize) -> Vec<FunctionProto> {
    let mut root = Module::with_graph("tower");
    let (x, one) = (root.input("x", "Server", shaped(1)), root.input("one", "Server", shaped(1)));
    let call = |m: &mut Module, level: usize, inputs: [&str; 2]| {
        m.push(bb_ir::ops::MODULE_DOMAIN, &format!("level_{level}"), &inputs, &[tensor()]).1.remove(0)
    };
    let top = call(&mut root, 0, [&x, &one]);
    root.output(&top);
    let level = |n: usize| {
        let mut m = Module::new(&format!("level_{n}"));
        let (x, one) = (m.input("x", "Server", tensor()), m.input("one", "Server", tensor()));
        let twice = joined(&mut m, &[&x, &x]);
        let more = joined(&mut m, &[&x, &x, &one]);
        let mut parts = [twice, more];
        if n + 1 < levels {
            parts = parts.map(|part| call(&mut m, n + 1, [&part, &one]));
        }
        let both = joined(&mut m, &[&parts[0], &parts[1]]);
        m.output(&both);
        m.done()
    };
    std::iter::once(root.done()).chain((0..levels).map(level)).collect()
}

fn shaped(size: u64) -> ValueType {
    ValueType::Tensor { element: Some(ElementKind::F32), shape: Some(vec![Dim::Size(size)]) }
}
fn joined(m: &mut Module, parts: &[&str]) -> String {
    let out = m.op("Concat", parts);
    let at = m.line() - 1;
    m.node(at).set_attr(attribute::int("axis", 0));
    out
}

/// How often the solver looks at a node of a program whose functions call those behind them.
fn visits_of_all(model: &ModelProto) -> usize {
    let callees_first: Vec<usize> = (0..model.functions.len()).rev().collect();
    let mut callees = Callees::of(model, &callees_first);
    TypeSolver::new(&model.functions[0], &mut callees).solve(&mut Vec::new());
    callees.visits()
}

#[test]
fn a_tower_of_calls_is_not_climbed_on_every_way() {
    let tower = model(tower(30));
    let visits = visits_of_all(&tower);
    assert!(visits <= 20 * 30 * 5, "{visits} visits in a tower of 30 levels");
    assert!(nodes(&tower) > 0, "it compiles");
}

#[test]
fn calls_may_be_as_deep_as_there_are_functions() {
    let found = passes::type_solver(model(tower(300))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found.functions.len(), 301);
}

#[test]
fn a_hundred_thousand_ops_compile() {
    assert!(nodes(&model(vec![chain(100_000)])) > 100_000);
}
