//! Dead ends: for each a program that is refused or warned of, and one almost the same that is not.
#![allow(missing_docs)]

mod support;

use bb_compiler::{CompileError, Compiler};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::views::{Attributes, attribute};
use support::*;

const SECOND: i64 = 1_000_000_000;

/// What is said of a program, errors and warnings.
fn said(functions: Vec<FunctionProto>) -> Vec<Diagnostic> {
    match Compiler::new().compile(&model(functions)) {
        Ok(output) => output.warnings,
        Err(e @ CompileError::Broken { .. }) => panic!("{e}"),
        Err(e) => e.into(),
    }
}

fn brief(of: &[Diagnostic]) -> Vec<String> {
    of.iter().map(|d| format!("{}:{} {}", d.code, d.at.as_ref().map_or(0, |at| at.line), d.message)).collect()
}

/// A row: what it is about, a program, what is said of it, and the one beside it of which nothing is said.
fn differ(what: &str, wrong: Vec<FunctionProto>, expected: &str, right: Vec<FunctionProto>) {
    assert_eq!(brief(&said(wrong)), [expected], "{what}");
    assert_eq!(brief(&said(right)), [""; 0], "{what}, mended");
}

/// The value, so many seconds later.
fn after(m: &mut Module, value: &str, seconds: i64) -> String {
    let (at, time) = m.push(ops::ONNX_DOMAIN, "Constant", &[], &[ValueType::Duration]);
    let nanoseconds = bb_ir::proto::onnx::TensorProto {
        data_type: Some(ElementKind::I64 as i32),
        raw_data: Some((seconds * SECOND).to_le_bytes().to_vec().into()),
        ..Default::default()
    };
    m.node(at).set_attr(attribute::tensor("value", nanoseconds));
    m.push(ops::SYSCALL_DOMAIN, ops::SYSCALL_AFTER, &[value, &time[0]], &[tensor()]).1.remove(0)
}

/// Broadcast and gather; `body` is what each client does, `policy` what is said of the gather.
fn asked(body: impl FnOnce(&mut Module, &str) -> String, policy: impl FnOnce(&mut Module)) -> Vec<FunctionProto> {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let y = body(&mut m, &there.values[0]);
    let back = m.wire(&[&y], &there.sender);
    let all = m.gather(back.id, &[&back.values[0]], "all", None);
    policy(&mut m);
    m.output(&all[0]);
    vec![m.done()]
}

fn relu(m: &mut Module, x: &str) -> String {
    m.op("Relu", &[x])
}

fn need(kind: &'static str, of: impl Into<f64>) -> impl FnOnce(&mut Module) {
    let of = of.into();
    move |m| {
        let at = m.line() - 1;
        m.node(at).set_attr(attribute::string(ops::gather::NEED_KIND, kind));
        m.node(at).set_attr(match kind {
            ops::gather::FRACTION => attribute::float(ops::gather::NEED, of as f32),
            _ => attribute::int(ops::gather::NEED, of as i64),
        });
    }
}

fn within(seconds: i64) -> impl FnOnce(&mut Module) {
    move |m| {
        let at = m.line() - 1;
        m.node(at).set_attr(attribute::int(ops::gather::WITHIN_NS, seconds * SECOND));
    }
}

#[test]
fn a_gather_no_sender_can_fill() {
    let (count, first, part) = (ops::gather::COUNT, ops::gather::FIRST, ops::gather::FRACTION);
    differ(
        "a part of more than all",
        asked(relu, need(part, 1.5)),
        "BB0601:4 this gather needs 1.5 of its senders, and a part of them is above 0 and at most 1",
        asked(relu, need(part, 1.0)),
    );
    differ(
        "a part of none",
        asked(relu, need(part, 0.0)),
        "BB0601:4 this gather needs 0 of its senders, and a part of them is above 0 and at most 1",
        asked(relu, need(part, 0.01)),
    );
    for kind in [count, first] {
        differ(
            "more than a cohort has",
            asked(relu, need(kind, 65_537)),
            "BB0601:4 this gather needs 65537 senders, and no cohort has more than 65536",
            asked(relu, need(kind, 65_536)),
        );
        differ(
            "nobody (a warning: it means one)",
            asked(relu, need(kind, 0)),
            "BB0704:4 this gather needs 0 senders, but it waits for one at least",
            asked(relu, need(kind, 1)),
        );
    }
    differ(
        "no time",
        asked(relu, within(0)),
        "BB0601:4 this gather leaves its senders no time",
        asked(relu, within(1)),
    );
}

#[test]
fn a_gather_that_is_over_before_any_answer() {
    let slow = |m: &mut Module, x: &str| after(m, x, 3);
    differ(
        "each client waits longer than the gather",
        asked(slow, within(2)),
        "BB0602:5 this gather waits 2 s, and every answer takes 3 s at least",
        asked(slow, within(4)),
    );
    let found = said(asked(slow, within(2)));
    assert_eq!(notes(&found[0]), ["what answers waits here --> src/f.rs:3:1"]);
    let one_of_two = |m: &mut Module, x: &str| {
        let late = after(m, x, 3);
        m.push(ops::SYSCALL_DOMAIN, ops::SYSCALL_ANY, &[&late, x], &[tensor()]).1.remove(0)
    };
    assert_eq!(brief(&said(asked(one_of_two, within(2)))), [""; 0], "the first of two may be there in time");
}

/// Two messages to each client: what is waited for between them does not count for the answer to the second.
#[test]
fn a_gather_counts_from_the_last_message_to_its_cohort() {
    let twice = |between: i64, there: i64| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let cohort = m.cohort("cohort", "Server", "Client");
        let first = m.wire(&[&x], &cohort);
        let later = after(&mut m, &x, between);
        let second = m.wire(&[&later], &cohort);
        let both = m.op("Add", &[&first.values[0], &second.values[0]]);
        let both = after(&mut m, &both, there);
        let back = m.wire(&[&both], &second.sender);
        let all = m.gather(back.id, &[&back.values[0]], "all", None);
        within(2)(&mut m);
        m.output(&all[0]);
        vec![m.done()]
    };
    differ(
        "after the second",
        twice(5, 3),
        "BB0602:9 this gather waits 2 s, and every answer takes 3 s at least",
        twice(5, 1),
    );
}

#[test]
fn a_wait_that_outlives_its_frame() {
    let asks = |seconds: i64| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let to = m.peer("to", "Server", "Client");
        let there = m.wire(&[&x], &to);
        let half = after(&mut m, &there.values[0], seconds);
        let y = after(&mut m, &half, seconds);
        let back = m.wire(&[&y], &there.sender);
        m.output(&back.values[0]);
        vec![m.done()]
    };
    let found = said(asks(40));
    let text = "BB0602:5 this value is there 80 s after its message, but `Client` gives up after 60 s";
    assert_eq!((brief(&found), notes(&found[0])), (vec![text.into()], vec!["the message --> src/f.rs:1:1".into()]));
    differ("two waits of one frame", asks(40), text, asks(30));
    let longer = Compiler::new().with_per_hop_budget_ns(50_000_000_000).compile(&model(asks(40)));
    assert!(longer.is_ok_and(|output| output.warnings.is_empty()), "the budget is the cure that is named");

    let at_entry = |seconds: i64| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let y = after(&mut m, &x, seconds);
        m.output(&y);
        vec![m.done()]
    };
    differ(
        "longer than any call",
        at_entry(86_401),
        "BB0602:2 this value is there 86401 s after the call has started, and no call lives longer than 86400 s",
        at_entry(86_400),
    );
}

/// A class that a wire leads to gets a part of the program, whatever it does there: none is hosted by nobody.
#[test]
fn a_wire_to_a_class_that_does_nothing() {
    let sent = |reads: bool| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let to = m.peer("to", "Server", "Client");
        let there = m.wire(&[&x], &to);
        m.output(if reads { &there.values[0] } else { &x });
        vec![m.done()]
    };
    let text = "BB0401:1 nobody reads what this wire brings, nor asks who sent it";
    differ("a class that reads nothing", sent(false), text, sent(true));
    assert_eq!(ops_of(compile(sent(true)).part("Client")), ["Recv"]);
}

/// A value of a lane that would be waited for outside of it; in Rust its type forbids it (`ui-tests`, `lane_leaks`).
#[test]
fn an_op_that_waits_for_a_lane_that_never_joins() {
    let lanes = |cohorts: [usize; 2], both: bool| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let all = [m.cohort("a", "Server", "Client"), m.cohort("b", "Server", "Client")];
        let back = |m: &mut Module, cohort: &str| {
            let there = m.wire(&[&x], cohort);
            m.wire(&[&there.values[0]], &there.sender)
        };
        let (one, other) = (back(&mut m, &all[cohorts[0]]), back(&mut m, &all[cohorts[1]]));
        m.in_lane(Some(one.id));
        let sum = m.op("Add", &[&one.values[0], if both { &other.values[0] } else { &one.values[0] }]);
        m.in_lane(None);
        let rest = m.gather(other.id, &[&other.values[0]], "all", None);
        m.output(&rest[0]);
        m.in_lane(Some(one.id));
        m.in_lane(None);
        let all = m.gather(one.id, &[&sum], "all", None);
        m.output(&all[0]);
        vec![m.done()]
    };
    let text = "BB0211:5 a value of one lane is used outside of it";
    differ("lanes of two cohorts", lanes([0, 1], true), text, lanes([0, 1], false));
    // The engine runs an op in the lanes of one wire.
    differ("lanes of two wires", lanes([0, 0], true), text, lanes([0, 0], false));
}

#[test]
fn an_interval_with_arguments() {
    let interval = |input: ValueType| {
        let mut m = Module::with_graph("f");
        m.input("x", "Server", input);
        let number = ValueType::scalar(ElementKind::U64);
        let (at, tick) = m.push(ops::SYSCALL_DOMAIN, ops::SYSCALL_INTERVAL, &["start"], &[number]);
        m.node(at).set_attr(attribute::int(ops::syscall::PERIOD_NS, SECOND));
        bb_ir::views::Metadata::set_metadata(m.node(at), bb_ir::keys::CONTROL_KEY, "1");
        m.output(&tick[0]);
        vec![m.done()]
    };
    differ(
        "somebody would have to pass `x`",
        interval(tensor()),
        "BB0215:1 an interval calls `f`, and there is nobody who would pass `x`",
        interval(ValueType::Trigger),
    );
}

#[test]
fn a_value_nobody_reads() {
    let op = |domain: String, op: &'static str, read: bool| {
        let mut m = Module::with_graph("f");
        m.slot("Server", "state", "State", 0);
        let x = m.input("x", "Server", tensor());
        let (at, y) = m.push(&domain, op, &[&x], &[tensor()]);
        if domain.starts_with(ops::ROLE_DOMAIN_PREFIX) {
            bb_ir::views::Metadata::set_metadata(m.node(at), bb_ir::keys::REQUIRED_TRAIT_KEY, "State");
            bb_ir::views::Metadata::set_metadata(m.node(at), bb_ir::keys::SLOT_ID_KEY, "0");
        }
        m.output(if read { &y[0] } else { &x });
        vec![m.done()]
    };
    let onnx = |read| op(ops::ONNX_DOMAIN.into(), "Relu", read);
    differ("an operator", onnx(false), "BB0701:1 nobody reads what `Relu` gives", onnx(true));
    let own = |read| op(format!("{}user", ops::OP_DOMAIN_PREFIX), "clip", read);
    differ("an op", own(false), "BB0701:1 nobody reads what `clip` gives", own(true));
    let role = op(format!("{}State", ops::ROLE_DOMAIN_PREFIX), "update", false);
    assert_eq!(brief(&said(role)), [""; 0], "a component may be told something");

    let sent = |both: bool| {
        let mut m = Module::with_graph("f");
        let (x, y) = (m.input("x", "Server", tensor()), m.input("y", "Server", tensor()));
        let to = m.peer("to", "Server", "Client");
        let there = m.wire(&[&x, &y], &to);
        m.output(&there.values[0]);
        if both {
            m.output(&there.values[1]);
        }
        vec![m.done()]
    };
    differ(
        "half of a message",
        sent(false),
        "BB0701:1 nobody reads the second of the 2 values that this wire brings",
        sent(true),
    );
}

#[test]
fn an_output_nobody_reads() {
    let called = |reads: &[usize], acts: bool| {
        let mut callee = Module::new("halves");
        callee.slot("Server", "state", "State", 0);
        let x = callee.input("x", "Server", tensor());
        let (a, b) = (callee.op("Relu", &[&x]), callee.op("Tanh", &[&x]));
        if acts {
            callee.role("State", "mix", 0, &[&a], &[tensor()]);
        }
        callee.output(&a);
        callee.output(&b);
        let callee = callee.done();
        let mut m = Module::with_graph("f");
        m.slot("Server", "state", "State", 0);
        let x = m.input("x", "Server", tensor());
        let halves = m.call(&callee, &[&x], "0=0");
        m.output(&x);
        reads.iter().for_each(|i| m.output(&halves[*i]));
        vec![m.done(), callee]
    };
    let text = "BB0702:1 nobody reads the second of the 2 values that `halves` gives";
    differ("one of two", called(&[0], false), text, called(&[0, 1], false));
    let text = "BB0702:1 nobody reads any of the 2 values that `halves` gives";
    differ("none of two", called(&[], false), text, called(&[], true));
}

#[test]
fn a_large_constant_on_a_wire() {
    let sent = |elements: usize, at_home: bool| {
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", tensor());
        let to = m.peer("to", "Server", "Client");
        let of = ValueType::Tensor {
            element: Some(ElementKind::F32),
            shape: Some(vec![bb_ir::types::Dim::Size(elements as u64)]),
        };
        let (at, table) = m.push(ops::ONNX_DOMAIN, "Constant", &[], std::slice::from_ref(&of));
        let value = bb_ir::proto::onnx::TensorProto {
            data_type: Some(ElementKind::F32 as i32),
            dims: vec![elements as i64],
            raw_data: Some(vec![0; 4 * elements].into()),
            ..Default::default()
        };
        m.node(at).set_attr(attribute::tensor("value", value));
        let table = m.op_of("Relu", &[&table[0]], of.clone());
        let y = if at_home {
            let there = m.wire(&[&x], &to);
            m.op_of("Add", &[&there.values[0], &table], tensor())
        } else {
            let there = m.wire(&[&x, &table], &to);
            m.op_of("Add", &[&there.values[0], &there.values[1]], tensor())
        };
        m.output(&y);
        vec![m.done()]
    };
    let text = "BB0703:3 this wire carries a constant of 65540 bytes in every call";
    differ("64 KiB and an element", sent(16_385, false), text, sent(16_384, false));
    differ("used where it is needed", sent(16_385, false), text, sent(16_385, true));
}

/// Of two passes, and of a check behind the cut's: what is wrong is told at once.
#[test]
fn all_errors_of_a_build_at_once() {
    let mut m = Module::with_graph("f");
    let (x, cohort) = (m.input("x", "Server", tensor()), m.cohort("cohort", "Server", "Client"));
    let unknown = m.op("Conv3D", &[&x]); // validate
    let wide = m.op_of("Cast", &[&x], ValueType::tensor(ElementKind::I64));
    let at = m.line() - 1;
    m.node(at).set_attr(attribute::int("to", ElementKind::I64 as i64));
    let mixed = m.op("Add", &[&x, &wide]); // type_solver
    let there = m.wire(&[&mixed], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    let all = m.gather(back.id, &[&back.values[0]], "all", None);
    need(ops::gather::FRACTION, 2.0)(&mut m); // find_dead_ends
    m.wire(&[&x], &cohort); // analyze_wire_edges
    m.output(&unknown);
    m.output(&all[0]);
    let found = said(vec![m.done()]);
    let codes: Vec<(&str, u32)> = found.iter().map(|d| (d.code, d.at.as_ref().expect("a place").line)).collect();
    assert_eq!(codes, [("BB0501", 1), ("BB0301", 3), ("BB0601", 6), ("BB0401", 7)]);

    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
    let (at_a, at_b) = (m.wire(&[&x], &a), m.wire(&[&x], &b));
    let wide = m.op_of("Cast", &[&at_a.values[0]], ValueType::tensor(ElementKind::I64));
    let at = m.line() - 1;
    m.node(at).set_attr(attribute::int("to", ElementKind::I64 as i64));
    let mixed = m.op("Add", &[&at_a.values[0], &wide]); // type_solver
    let apart = m.op("Add", &[&at_a.values[0], &at_b.values[0]]); // infer_peer_classes
    m.output(&mixed);
    m.output(&apart);
    let codes: Vec<&str> = said(vec![m.done()]).iter().map(|d| d.code).collect();
    assert_eq!(codes, ["BB0301", "BB0210"]);
}
