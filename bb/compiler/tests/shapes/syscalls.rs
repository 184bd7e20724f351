//! Every op that the engine itself runs: its inputs, and the type of its result.

use crate::notation::{read, solved, value, write};
use crate::support::Module;
use bb_ir::ops::{self, OWN_OPS, SYSCALL_DOMAIN};
use bb_ir::types::ValueType;
use std::collections::BTreeSet;

/// Op, inputs, result where one is declared, result.
type Row = (&'static str, &'static [&'static str], fn() -> ValueType, &'static str);

fn unsaid() -> ValueType {
    read("any")
}

const ROWS: &[Row] = &[
    (ops::SYSCALL_PASS_THROUGH, &["f32(N,4)"], unsaid, "f32(N,4)"),
    (ops::SYSCALL_LIMIT, &["i64(3)"], unsaid, "i64(3)"),
    (ops::SYSCALL_ANY, &["f32(N,4)", "f32(N,4)"], unsaid, "f32(N,4)"),
    (ops::SYSCALL_CLOCK, &[], unsaid, "i64()"),
    (ops::SYSCALL_RANDOM, &[], unsaid, "u64()"),
    (ops::SYSCALL_INTERVAL, &[], unsaid, "u64()"),
    (ops::SYSCALL_ORIGIN, &[], ValueType::peer, "bb.peer"),
    (ops::SYSCALL_EMIT, &["f32(N)"], || ValueType::Trigger, "bb.trigger"),
    (ops::SYSCALL_METRIC, &["f32()"], || ValueType::Trigger, "bb.trigger"),
];

#[test]
fn every_op_of_the_engine_says_what_its_result_is() {
    for (op, inputs, declared, result) in ROWS {
        let mut m = Module::with_graph("f");
        let names: Vec<String> =
            inputs.iter().enumerate().map(|(i, text)| value(&mut m, &format!("x{i}"), text)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (_, out) = m.push(SYSCALL_DOMAIN, op, &names, &[declared()]);
        m.output(&out[0]);
        assert_eq!(solved(vec![m.done()]).expect("it fits")(&out[0]), *result, "{op} of {inputs:?}");
    }
}

#[test]
fn what_comes_after_a_time_is_what_it_was() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(N,4)"));
    let time = m.input("time", "Server", ValueType::Duration);
    let (_, out) = m.push(SYSCALL_DOMAIN, ops::SYSCALL_AFTER, &[&x, &time], &[unsaid()]);
    m.output(&out[0]);
    let found = solved(vec![m.done()]).expect("it fits");
    assert_eq!((found(&out[0]), found("time")), ("f32(N,4)".into(), write(&ValueType::Duration)));
}

#[test]
fn no_op_of_the_engine_is_left_out() {
    // A constant's type stands beside it.
    let told: BTreeSet<&str> =
        ROWS.iter().map(|row| row.0).chain([ops::SYSCALL_AFTER, ops::SYSCALL_CONSTANT]).collect();
    let ours = OWN_OPS.iter().filter(|row| row.domain == SYSCALL_DOMAIN).map(|row| row.name);
    assert_eq!(ours.collect::<BTreeSet<_>>(), told);
}
