//! How far a wire's way back is, and how long its message may take.
#![allow(missing_docs)]

mod support;

use bb_compiler::{Compiler, passes};
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::views::{Attributes, Metadata, attribute};
use bb_ir::wire_shape::{Send, is_send};
use support::*;

const HOP: u64 = 1_000;

/// Depth, classes and deadline of every wire, by its id; the pass alone.
fn ways(function: FunctionProto) -> Vec<(u32, String, u64)> {
    let program = compile(vec![function]).program;
    read(&passes::derive_wire_deadlines(program, HOP).unwrap_or_else(|e| panic!("{e}")))
}

fn read(model: &ModelProto) -> Vec<(u32, String, u64)> {
    let sends = model.functions[0].node.iter().filter(|n| is_send(n)).map(|n| Send::cast(n).expect("a Send"));
    let mut ways: Vec<_> = sends
        .map(|send| {
            let classes = send.chain_targets().collect::<Vec<_>>().join(",");
            (send.wire_id(), send.chain_depth().expect("a depth"), classes, send.deadline_ns().expect("a deadline"))
        })
        .collect();
    ways.sort();
    ways.into_iter().map(|(_, depth, classes, ns)| (depth, classes, ns)).collect()
}

fn way(depth: u32, classes: &str) -> (u32, String, u64) {
    (depth, classes.to_owned(), u64::from(depth) * HOP)
}

#[test]
fn a_question_goes_there_and_back_and_its_answer_one_way() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let y = m.op("Relu", &[&there.values[0]]);
    let back = m.wire(&[&y], &there.sender);
    m.output(&back.values[0]);
    assert_eq!(ways(m.done()), [way(2, "Client"), way(1, "Server")]);
}

#[test]
fn the_longest_way_back_counts_and_ends_where_it_is_back_first() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "A", tensor());
    let (b, c) = (m.peer("b", "A", "B"), m.peer("c", "A", "C"));
    let at_b = m.wire(&[&x, &c], &b);
    let short = m.wire(&[&at_b.values[0]], &at_b.sender);
    let at_c = m.wire(&[&at_b.values[0]], &at_b.values[1]);
    let origin = m.origin("A");
    let long = m.wire(&[&at_c.values[0]], &origin);
    let both = m.op("Add", &[&short.values[0], &long.values[0]]);
    let again = m.wire(&[&both], &b);
    let last = m.wire(&[&again.values[0]], &again.sender);
    m.output(&last.values[0]);
    let expected = [
        way(3, "B,C"), // A, B, C, A; the second turn is another wire's
        way(2, "A"),   // B, A, B
        way(3, "C,A"), // B, C, A, B
        way(1, "A"),   // C, A: nothing comes back to C
        way(2, "B"),
        way(1, "A"),
    ];
    assert_eq!(ways(m.done()), expected);
}

#[test]
fn a_handle_leads_on_from_where_the_message_left() {
    let mut m = Module::with_graph("f");
    m.slot("Server", "state", "State", 0);
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let gone = m.wire(&[&x], &to);
    m.output(&gone.values[0]);
    let y = m.role_after("State", "get", 0, &[&gone.handle], true, &[tensor()]).remove(0);
    let there = m.wire(&[&y], &to);
    let back = m.wire(&[&there.values[0]], &there.sender);
    m.output(&back.values[0]);
    assert_eq!(ways(m.done()), [way(1, "Client"), way(2, "Client"), way(1, "Server")]);
}

#[test]
fn peers_of_one_class_leave_no_class_to_name() {
    let mut m = Module::with_graph("gossip");
    let mine = m.input("mine", "Node", tensor());
    let to = m.peer("neighbour", "Node", "Node");
    let there = m.wire(&[&mine], &to);
    let back = m.wire(&[&there.values[0]], &there.sender);
    m.output(&back.values[0]);
    let done = m.done();
    assert_eq!(ways(done.clone()), [way(2, ""), way(1, "")]);
    let program = compile(vec![done]).program;
    assert!(program.functions[0].node.iter().all(|n| n.metadata(keys::CHAIN_TARGETS_KEY).is_none()));
}

/// A broadcast that is gathered, with what `limit` does to the gather; then another one without a limit.
fn gathered(limit: impl FnOnce(&mut Module, usize)) -> FunctionProto {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    m.input("patience", "Server", bb_ir::types::ValueType::scalar(bb_ir::types::ElementKind::I64));
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    let all = m.gather(back.id, &[&back.values[0]], "all", None).remove(0);
    let at = m.line() - 1;
    limit(&mut m, at);
    let first = m.input("first", "Server", ValueType::scalar(ElementKind::I64));
    let sum = m.op("SequenceAt", &[&all, &first]);
    let again = m.wire(&[&sum], &cohort);
    let home = m.wire(&[&again.values[0]], &again.sender);
    let last = m.gather(home.id, &[&home.values[0]], "all", None).remove(0);
    m.output(&last);
    m.done()
}

fn within(ns: u64) -> FunctionProto {
    gathered(|m, at| m.node(at).set_attr(attribute::int(ops::gather::WITHIN_NS, ns as i64)))
}

#[test]
fn a_gather_that_waits_longer_gives_every_wire_it_waits_for_that_long() {
    let deadlines = |f| ways(f).into_iter().map(|(depth, _, ns)| (depth, ns)).collect::<Vec<_>>();
    let without = [(2, 2 * HOP), (2, 2 * HOP), (2, 2 * HOP), (1, HOP)];
    assert_eq!(deadlines(within(HOP)), without, "shorter than the hops");
    let longer = [(2, 5 * HOP), (2, 5 * HOP), (2, 2 * HOP), (1, HOP)];
    assert_eq!(deadlines(within(5 * HOP)), longer, "there and back, and no wire behind the gather");
    let value = gathered(|m, at| m.node(at).input.push("patience".into()));
    assert_eq!(deadlines(value), without, "a limit that is a value is known too late");
}

#[test]
fn a_hop_is_half_a_minute_unless_the_compiler_is_told() {
    let model = model(vec![round()]);
    let of = |compiler: Compiler| compiler.compile(&model).unwrap_or_else(|e| panic!("{e}"));
    let (usual, short) = (of(Compiler::new()), of(Compiler::new().with_per_hop_budget_ns(20_000_000_000)));
    let deadlines = |out: &bb_compiler::Output| read(&out.program).into_iter().map(|way| way.2).collect::<Vec<_>>();
    assert_eq!(deadlines(&usual), [60_000_000_000, 30_000_000_000]);
    assert_eq!(deadlines(&short), [40_000_000_000, 30_000_000_000], "the gather waits 30 s");
    assert_ne!(usual.digest, short.digest);
}

#[test]
fn bb0404_a_deadline_that_is_no_duration() {
    let faults = |ns: u64| match Compiler::new().with_per_hop_budget_ns(ns).compile(&model(vec![round()])) {
        Ok(_) => panic!("{ns} is taken"),
        Err(e) => Vec::<bb_ir::diagnostics::Diagnostic>::from(e),
    };
    let zero = faults(0);
    assert_eq!((zero.len(), zero[0].code), (1, "BB0404"));
    let half = faults(u64::MAX / 4 + 1);
    assert_eq!((half.len(), half[0].code), (1, "BB0404"), "twice that is too long, once is not");
    assert_eq!(half[0].at.as_ref().map(|at| at.line), Some(2), "the wire that comes back");
    assert_eq!(faults(u64::MAX).len(), 2);
}
