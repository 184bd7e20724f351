//! Modules that call modules: what is inlined, under which names, and whose slots serve it.
#![allow(missing_docs)]

mod support;

use bb_compiler::Output;
use bb_ir::bindings::binding_key;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::read_wire_id;
use std::collections::BTreeSet;
use support::*;

/// There and back.
fn echo() -> FunctionProto {
    let mut m = Module::with_graph("echo");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let y = m.op("Relu", &[&there.values[0]]);
    let back = m.wire(&[&y], &there.sender);
    m.output(&back.values[0]);
    m.done()
}

/// A function that sends nothing, around this op.
fn pure(name: &str, op: &str) -> Module {
    let mut m = Module::new(name);
    let x = m.input("x", "Server", tensor());
    let y = m.op(op, &[&x]);
    m.output(&y);
    m
}

fn functions(out: &Output, class: &str) -> Vec<String> {
    let names = out.part(class).model.functions.iter();
    names
        .map(|f| if f.overload().is_empty() { f.name().into() } else { format!("{}:{}", f.name(), f.overload()) })
        .collect()
}

#[test]
fn names_of_two_calls_never_meet_and_wires_are_numbered_anew() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let first = m.call(&echo(), &["start", &x, &to], "").remove(0);
    let second = m.call(&echo(), &["start", &first, &to], "").remove(0);
    m.output(&second);
    let out = compile(vec![m.done(), echo()]);
    let nodes = || out.partitions.iter().flat_map(|p| &p.main().node);
    let names: BTreeSet<_> = nodes().map(|n| n.name()).collect();
    assert_eq!(names.len(), nodes().count());
    assert_eq!(nodes().filter_map(read_wire_id).collect::<BTreeSet<_>>(), (0..4).collect());
    let instances: BTreeSet<_> = nodes().filter_map(|n| n.metadata(keys::MODULE_INSTANCE_KEY)).collect();
    assert_eq!(instances, BTreeSet::from(["f/echo", "f/echo#1"]));
    assert_eq!(functions(&out, "Client"), ["f_Client"]);
    assert_eq!(out.analysis.wire_edges.len(), 4);
}

#[test]
fn a_call_that_comes_after_a_value_waits_for_it() {
    let mut state = Module::with_graph("get");
    state.slot("Server", "state", "State", 0);
    let x = state.input("x", "Server", tensor());
    let y = state.role("State", "get", 0, &[], &[tensor()]).remove(0);
    let z = state.op("Add", &[&x, &y]);
    state.output(&z);
    let get = state.done();
    let mut m = Module::with_graph("f");
    m.slot("Server", "mine", "State", 7);
    let x = m.input("x", "Server", tensor());
    let first = m.call(&get, &["start", &x], "0=7").remove(0);
    let second = m.call(&get, &[&first, &x], "0=7").remove(0);
    m.output(&second);
    let out = compile(vec![m.done(), get]);
    let main = out.part("Server").main();
    let gets: Vec<_> = main.node.iter().filter(|n| n.op_type() == "get").collect();
    assert_eq!(gets[0].input, ["start"]);
    assert_eq!(gets[1].input, main.node[1].output, "the second starts when the first result is there");
    assert!(gets.iter().all(|n| n.metadata(keys::SLOT_ID_KEY) == Some("7")));
}

#[test]
fn same_named_functions_of_different_content_stay_two() {
    let (relu, tanh) = (pure("act", "Relu").done(), pure("act", "Tanh").overload("1").done());
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let a = m.call(&relu, &[&x], "").remove(0);
    let b = m.call(&tanh, &[&a], "").remove(0);
    m.output(&b);
    let out = compile(vec![m.done(), relu, tanh]);
    assert_eq!(functions(&out, "Server"), ["f", "act", "act:1"]);
    let ops: Vec<_> = out.part("Server").model.functions[1..].iter().map(|f| f.node[0].op_type()).collect();
    assert_eq!(ops, ["Relu", "Tanh"]);
}

#[test]
fn wires_of_same_named_modules_of_different_content_do_not_meet() {
    let mut other = Module::with_graph("echo").overload("1");
    let x = other.input("x", "Server", tensor());
    let to = other.peer("to", "Server", "Client");
    let there = other.wire(&[&x], &to);
    let back = other.wire(&[&there.values[0]], &there.sender);
    other.output(&back.values[0]);
    let other = other.done();
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let a = m.call(&echo(), &["start", &x, &to], "").remove(0);
    let b = m.call(&other, &["start", &a, &to], "").remove(0);
    m.output(&b);
    let out = compile(vec![m.done(), echo(), other]);
    assert_eq!(sends(out.part("Server")).len(), 2);
    assert_eq!(ops_of(out.part("Client")), ["Recv", "Relu", "Send", "Recv", "Send"]);
}

#[test]
fn a_function_called_with_two_maps_of_slots_becomes_two() {
    let mut scale = Module::new("scale");
    scale.slot("Server", "by", "Model", 1);
    let x = scale.input("x", "Server", tensor());
    let y = scale.role("Model", "forward", 1, &[&x], &[tensor()]).remove(0);
    scale.output(&y);
    let scale = scale.done();
    let mut outer = Module::new("outer");
    outer.slot("Server", "by", "Model", 1);
    let x = outer.input("x", "Server", tensor());
    let y = outer.call(&scale, &[&x], "1=1").remove(0);
    outer.output(&y);
    let outer = outer.done();
    let mut m = Module::with_graph("f");
    m.slot("Server", "first", "Model", 3);
    m.slot("Server", "second", "Model", 4);
    let x = m.input("x", "Server", tensor());
    let a = m.call(&outer, &[&x], "1=3").remove(0);
    let b = m.call(&outer, &[&a], "1=4").remove(0);
    let c = m.call(&scale, &[&b], "1=3").remove(0);
    m.output(&c);
    let out = compile(vec![m.done(), outer, scale]);
    assert_eq!(functions(&out, "Server"), ["f", "outer", "outer:1", "scale", "scale:1"]);
    let slots: Vec<_> =
        out.part("Server").model.functions[3..].iter().map(|f| f.node[0].metadata(keys::SLOT_ID_KEY)).collect();
    assert_eq!(slots, [Some("3"), Some("4")]);
    let row = |slot: &str| out.part("Server").model.metadata(&binding_key("f", slot)).map(str::to_owned);
    assert_eq!((row("first").as_deref(), row("second").as_deref()), (Some("Model||3"), Some("Model||4")));
}

#[test]
fn a_module_whose_inputs_live_at_two_places_is_inlined_without_taking_graph() {
    let mut both = Module::new("both");
    let a = both.input("a", "Server", tensor());
    let b = both.input("b", "Client", tensor());
    let (a, b) = (both.op("Relu", &[&a]), both.op("Tanh", &[&b]));
    both.output(&a);
    both.output(&b);
    let both = both.done();
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let results = m.call(&both, &[&x, &there.values[0]], "");
    results.iter().for_each(|r| m.output(r));
    let out = compile(vec![m.done(), both]);
    assert_eq!(ops_of(out.part("Server")), ["Send", "Relu"]);
    assert_eq!(ops_of(out.part("Client")), ["Recv", "Tanh"]);
}

#[test]
fn a_peer_that_a_function_hands_through_is_the_same_peer() {
    let mut same = Module::new("same");
    let p = same.peer("p", "Server", "Client");
    same.output(&p);
    let same = same.done();
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let again = m.call(&same, &[&to], "").remove(0);
    m.points_at(&again, "Client");
    let (a, b) = (m.wire(&[&x], &to), m.wire(&[&x], &again));
    let sum = m.op("Add", &[&a.values[0], &b.values[0]]);
    m.output(&sum);
    assert_eq!(compile(vec![m.done(), same]).place_of(&sum), "Client|one|to");
}

#[test]
fn functions_nobody_calls_and_gathers_nobody_reads_are_gone() {
    let out = compile(vec![round(), pure("unused", "Relu").done()]);
    assert_eq!(out.program.functions.len(), 1);
    let gathers = out.program.functions[0]
        .node
        .iter()
        .filter(|n| n.domain() == ops::WIRE_DOMAIN && n.op_type() == ops::OP_GATHER);
    assert_eq!(gathers.count(), 1);
}

#[test]
fn what_a_call_in_a_lane_runs_is_in_that_lane() {
    let mut inner = Module::with_graph("inner");
    let x = inner.input_at("x", "Server", "lane", tensor());
    let y = inner.op("Relu", &[&x]);
    inner.output(&y);
    let inner = inner.done();
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    m.in_lane(Some(back.id));
    let y = m.call(&inner, &["start", &back.values[0]], "").remove(0);
    m.in_lane(None);
    let all = m.gather(back.id, &[&y], "all", None);
    m.output(&all[0]);
    let out = compile(vec![m.done(), inner]);
    let relu = out.part("Server").main().node.iter().find(|n| n.op_type() == "Relu").expect("inlined");
    assert_eq!(relu.metadata(keys::LANE_KEY), Some("1"));
}

/// A tower of modules, each of which calls the next: no pass, no rule of the verifier and no picture recurses over it.
#[test]
fn a_tower_of_five_thousand_calls_is_no_stack_overflow() {
    // Names of what is inlined grow with the floors, so those that are inlined are fewer.
    for (takes_graph, floors) in [(false, 5_000), (true, 1_000)] {
        let new = |name: &str| if takes_graph { Module::with_graph(name) } else { Module::new(name) };
        let start = takes_graph.then_some("start");
        let mut tower: Vec<FunctionProto> = Vec::new();
        for floor in 0..floors {
            let mut m = new(&format!("floor{floor}"));
            let x = m.input("x", "Server", tensor());
            let to = m.peer("to", "Server", "Client");
            let inputs: Vec<&str> = start.into_iter().chain([x.as_str(), to.as_str()]).collect();
            let (y, to) = match tower.last() {
                Some(below) => {
                    let mut given = m.call(below, &inputs, "");
                    (given.remove(0), given.remove(0))
                }
                None => (m.op("Relu", &[&x]), to),
            };
            m.output(&y);
            m.output(&to);
            tower.push(m.done());
        }
        let mut m = Module::with_graph("root");
        let x = m.input("x", "Server", tensor());
        let to = m.peer("to", "Server", "Client");
        let inputs: Vec<&str> = start.into_iter().chain([x.as_str(), to.as_str()]).collect();
        let given = m.call(tower.last().expect("it has floors"), &inputs, "");
        m.points_at(&given[1], "Client");
        let there = m.wire(&[&given[0]], &given[1]);
        m.output(&there.values[0]);
        let functions = [m.done()].into_iter().chain(tower.into_iter().rev()).collect();
        let output = compile(functions);
        assert_eq!(output.partitions.len(), 2, "what is handed through every floor is one peer");
        let parts = output.partitions.iter().map(|part| &part.model);
        assert!(bb_compiler::Picture::of(parts, bb_compiler::Gates::Folded).svg().ends_with("</svg>\n"));
    }
}
