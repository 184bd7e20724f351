//! A pass that says it changed nothing has changed nothing: the verifier does not look at the program behind it. One that
//! says that it changes wires alone has left the rest: there the verifier does not look again.
#![allow(missing_docs)]

mod support;

use bb_compiler::Compiler;
use bb_compiler::pipeline::PASSES;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::verify::Part;
use std::cell::RefCell;
use std::rc::Rc;
use support::*;

/// The passes that say they changed something. Whoever says no has left every byte, and whoever says what has left the
/// rest.
fn changing(functions: Vec<FunctionProto>) -> Vec<&'static str> {
    let seen: Rc<RefCell<Vec<Vec<ModelProto>>>> = Rc::default();
    let sees = Rc::clone(&seen);
    let compiler = Compiler::new()
        .with_observer(move |_, models| sees.borrow_mut().push(models.iter().map(|m| (*m).clone()).collect()));
    let out = compiler.compile(&model(functions)).unwrap_or_else(|e| panic!("{e}"));
    let seen = seen.borrow();
    assert_eq!(seen.len(), out.trace.len() + 1);
    for (pass, states) in out.trace.iter().zip(seen.windows(2)) {
        assert!(pass.changed || states[0] == states[1], "`{}` says nothing of what it did", pass.pass);
        let row = PASSES.iter().find(|row| row.name == pass.pass).expect("it is in the table");
        if row.touches != Part::All {
            assert_eq!(states[0].len(), states[1].len(), "`{}`", pass.pass);
            let mut models = states[0].iter().zip(&states[1]);
            let found = models.try_for_each(|(before, after)| row.touches.is_all_between(before, after));
            assert_eq!(found, Ok(()), "`{}` changed more than it says", pass.pass);
        }
    }
    out.trace.iter().filter(|pass| pass.changed).map(|pass| pass.pass).collect()
}

#[test]
fn a_program_without_wires_is_changed_by_few_passes() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let y = m.op("Relu", &[&x]);
    m.output(&y);
    let changing = changing(vec![m.done()]);
    let few = [
        "inline_for_partition",
        "type_solver",
        "infer_peer_classes",
        "synthesize_wire_recvs",
        "partition_by_wire_ops",
        "stamp_compilation_metadata",
    ];
    assert_eq!(changing, few);
}

#[test]
fn passes_tell_the_truth_of_wires_and_roles() {
    let round = changing(vec![round()]);
    for pass in ["derive_wire_deadlines", "analyze_wire_edges", "insert_dedup_gate_rx", "insert_async_deadlines"] {
        assert!(round.contains(&pass), "{round:?}");
    }
    for pass in ["resolve_slots", "resolve_component_dependencies", "verify_no_dangling_calls"] {
        assert!(!round.contains(&pass), "{round:?}");
    }
    changing(vec![split_inference()]);
}

/// A fragment that sends is called twice, another module once with a slot, an operator lacks its defaults, an output is read
/// and a function is called by nobody.
#[test]
fn passes_tell_the_truth_of_calls() {
    let mut there = Module::with_graph("there");
    let (x, to) = (there.input("x", "Server", tensor()), there.peer("to", "Server", "Client"));
    let wired = there.wire(&[&x], &to);
    let back = there.wire(&[&wired.values[0]], &wired.sender);
    there.output(&back.values[0]);
    let there = there.done();
    let mut trains = Module::new("trains");
    let x = trains.input("x", "Server", tensor());
    trains.slot("Server", "model", "Model", 1);
    let y = trains.role("Model", "forward", 1, &[&x], &[tensor()]).remove(0);
    trains.output(&y);
    let trains = trains.done();
    let mut idle = Module::new("idle");
    let x = idle.input("x", "Server", tensor());
    idle.output(&x);

    let mut m = Module::with_graph("f");
    let (x, to) = (m.input("x", "Server", tensor()), m.peer("to", "Server", "Client"));
    m.slot("Server", "model", "Model", 2);
    let once = m.call(&there, &["start", &x, &to], "").remove(0);
    let twice = m.call(&there, &["start", &once, &to], "").remove(0);
    let trained = m.call(&trains, &[&twice], "1=2").remove(0);
    let soft = m.op("Softmax", &[&trained]);
    let read = m.op("Relu", &[&soft]);
    m.output(&soft);
    m.output(&read);
    let changing = changing(vec![m.done(), there, trains, idle.done()]);
    for pass in ["inline_for_partition", "expand_ops", "resolve_slots"] {
        assert!(changing.contains(&pass), "{changing:?}");
    }
}
