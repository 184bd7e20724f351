//! What runs once per start: cut into each class's part, on the slots of the root.
#![allow(missing_docs)]

mod support;

use bb_compiler::{Partition, passes};
use bb_ir::bindings::{is_bootstrap, read_function_module_phase};
use bb_ir::keys;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::views::Metadata;
use support::*;

/// Loads on the clients, with a rate that both classes are told. Its slots have numbers of their own.
fn bootstrap() -> FunctionProto {
    let mut m = bootstrap_of("round");
    m.slot("Server", "average", "Aggregator", 0);
    m.slot("Client", "trainer", "user.Trainer", 1);
    let rate = m.constant(0.5);
    let loaded = m.role("user.Trainer", "load", 1, &[], &[tensor()]).remove(0);
    m.role("user.Trainer", "warm", 1, &[&loaded, &rate], &[]);
    m.role("Aggregator", "reset", 0, &[&rate], &[]);
    m.done()
}

fn part(partition: &Partition) -> Option<&FunctionProto> {
    partition.model.functions.iter().find(|f| is_bootstrap(f))
}
fn op<'a>(function: &'a FunctionProto, op: &str) -> &'a NodeProto {
    function.node.iter().find(|n| n.op_type() == op).expect("it holds that op")
}
fn ops_in(function: &FunctionProto) -> Vec<&str> {
    function.node.iter().map(|n| n.op_type()).collect()
}

#[test]
fn each_class_gets_its_part_and_the_constants_that_are_read_there() {
    let out = compile(vec![round(), bootstrap()]);
    let [server, client] = ["Server", "Client"].map(|class| part(out.part(class)).expect("a part"));
    assert_eq!(ops_in(client), ["Constant", "load", "warm"]);
    assert_eq!(ops_in(server), ["Constant", "reset"]);
    for (class, part) in [("Server", server), ("Client", client)] {
        assert_eq!((part.name(), &*part.input), ("round__bootstrap", &["start".to_owned()][..]));
        assert_eq!(read_function_module_phase(part), Some(keys::MODULE_PHASE_BOOTSTRAP));
        assert!(part.node.iter().all(|n| n.metadata(keys::HOME_CLASS_KEY) == Some(class)));
        assert!(part.props().iter().all(|row| !row.key().starts_with(keys::BINDING_KEY_PREFIX)));
    }
    assert_eq!(out.part("Client").main().name(), "round_Client");
}

#[test]
fn components_are_the_roots_by_name() {
    let out = compile(vec![round(), bootstrap()]);
    let slot = |class: &str, method: &str| {
        let part = part(out.part(class)).expect("a part");
        op(part, method).metadata(keys::SLOT_ID_KEY).map(str::to_owned)
    };
    assert_eq!(slot("Client", "load").as_deref(), Some("2"));
    assert_eq!(slot("Client", "warm").as_deref(), Some("2"));
    assert_eq!(slot("Server", "reset").as_deref(), Some("3"));
}

#[test]
fn a_class_it_does_nothing_on_has_no_part() {
    let mut m = bootstrap_of("round");
    m.slot("Server", "average", "Aggregator", 0);
    m.role("Aggregator", "reset", 0, &[], &[]);
    let out = compile(vec![round(), m.done()]);
    assert!(part(out.part("Server")).is_some());
    assert_eq!(part(out.part("Client")), None);
}

#[test]
fn it_is_part_of_the_program() {
    let [without, with] = [vec![round()], vec![round(), bootstrap()]].map(|functions| compile(functions).digest);
    assert_ne!(without, with);
}

/// Loads, and warms with what was loaded, on the component it is given.
fn prepare() -> FunctionProto {
    let mut m = Module::new("prepare");
    m.slot("Client", "trainer", "user.Trainer", 1);
    let x = m.input("x", "Client", tensor());
    let y = m.op("Relu", &[&x]);
    m.role("user.Trainer", "warm", 1, &[&y], &[]);
    m.done()
}

#[test]
fn modules_it_calls_come_along_with_its_slots() {
    let mut m = bootstrap_of("round");
    m.slot("Client", "trainer", "user.Trainer", 0);
    let loaded = m.role("user.Trainer", "load", 0, &[], &[tensor()]).remove(0);
    m.call(&prepare(), &[&loaded], "1=0");
    let out = compile(vec![round(), m.done(), prepare()]);
    let client = out.part("Client");
    let names: Vec<_> = client.model.functions.iter().map(|f| f.name()).collect();
    assert_eq!(names, ["round_Client", "round__bootstrap", "prepare"]);
    assert_eq!(op(&client.model.functions[2], "warm").metadata(keys::SLOT_ID_KEY), Some("2"));
    assert_eq!(out.part("Server").model.functions.len(), 1);
}

#[test]
fn what_it_calls_has_to_be_there_and_may_not_be_itself() {
    let mut m = bootstrap_of("round");
    let inner = Module::new("gone").done();
    m.call(&inner, &[], "");
    let gone = fault(vec![round(), m.done()]);
    assert_eq!((gone.code, gone.message.contains("`gone`, which is not there")), ("BB0901", true), "{gone}");

    let mut m = bootstrap_of("round");
    m.call(&Module::new("again").done(), &[], "");
    let mut again = Module::new("again");
    again.call(&Module::new("again").done(), &[], "");
    let faults = faults(vec![round(), m.done(), again.done()]);
    assert_eq!(faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["BB0502"]);
}

#[test]
fn it_sends_nothing_not_even_in_what_it_calls() {
    let mut far = Module::with_graph("far");
    let x = far.input("x", "Client", tensor());
    let origin = far.origin("Server");
    far.wire(&[&x], &origin);
    let far = far.done();
    let mut m = bootstrap_of("round");
    m.slot("Client", "trainer", "user.Trainer", 0);
    let loaded = m.role("user.Trainer", "load", 0, &[], &[tensor()]).remove(0);
    m.call(&far, &["start", &loaded], "");
    let fault = fault(vec![round(), m.done(), far]);
    assert_eq!((fault.code, fault.at.map(|at| at.to_string())), ("BB0214", Some("src/far.rs:2:1".into())));
}

#[test]
fn it_starts_nothing_again_and_again_and_says_where_it_starts() {
    let mut m = bootstrap_of("round");
    let of = bb_ir::types::ValueType::scalar(bb_ir::types::ElementKind::U64);
    m.push(bb_ir::ops::SYSCALL_DOMAIN, bb_ir::ops::SYSCALL_INTERVAL, &["start"], std::slice::from_ref(&of));
    assert_eq!(fault(vec![round(), m.done()]).code, "BB0214");
    let mut m = bootstrap_of("round");
    let (at, _) = m.push(bb_ir::ops::SYSCALL_DOMAIN, bb_ir::ops::SYSCALL_RANDOM, &["start"], &[of]);
    m.node(at).set_metadata(keys::CONTROL_KEY, "1");
    assert!(fault(vec![round(), m.done()]).message.contains("on which class this runs"));
}

#[test]
fn nothing_gets_from_one_class_to_another() {
    let mut m = bootstrap_of("round");
    m.slot("Server", "average", "Aggregator", 0);
    m.slot("Client", "trainer", "user.Trainer", 1);
    let loaded = m.role("user.Trainer", "load", 1, &[], &[tensor()]).remove(0);
    m.role("Aggregator", "reset", 0, &[&loaded], &[]);
    let fault = fault(vec![round(), m.done()]);
    assert!(fault.message.contains("this is about `Client` and `Server`"), "{fault}");
}

#[test]
fn each_part_takes_what_is_staged_on_its_class() {
    let mut m = bootstrap_of("round");
    m.slot("Server", "average", "Aggregator", 0);
    m.slot("Client", "trainer", "user.Trainer", 1);
    let rate = m.input("rate", "Client", tensor());
    let first = m.input("first", "Server", tensor());
    m.role("user.Trainer", "warm", 1, &[&rate], &[]);
    m.role("Aggregator", "reset", 0, &[&first], &[]);
    let out = compile(vec![round(), m.done()]);
    let takes = |class: &str| part(out.part(class)).expect("a part").input.clone();
    assert_eq!(
        (takes("Server"), takes("Client")),
        (vec!["start".into(), "first".into()], vec!["start".into(), "rate".into()])
    );

    let mut m = bootstrap_of("round");
    m.slot("Server", "average", "Aggregator", 0);
    let rate = m.input("rate", "Client", tensor());
    m.role("Aggregator", "reset", 0, &[&rate], &[]);
    let fault = fault(vec![round(), m.done()]);
    assert!(fault.message.contains("this is about `Client` and `Server`"), "{fault}");
}

#[test]
fn where_no_call_does_anything_nothing_is_prepared() {
    let mut m = bootstrap_of("round");
    m.slot("Logger", "log", "user.Log", 0);
    m.role("user.Log", "open", 0, &[], &[]);
    let fault = fault(vec![round(), m.done()]);
    assert_eq!((fault.code, fault.message.contains("no such peer is started")), ("BB0406", true), "{fault}");
}

#[test]
fn there_is_one_and_it_is_the_roots() {
    let model = model(vec![round(), bootstrap_of("another").done()]);
    let error = passes::validate_bootstrap_composition(&model).expect_err("it is another's");
    assert!(error.to_string().contains("`another__bootstrap` is not the one bootstrap, `round__bootstrap`"), "{error}");
}

#[test]
fn types_are_found_out_in_it_as_in_the_body() {
    let mut m = bootstrap_of("round");
    m.slot("Client", "trainer", "user.Trainer", 0);
    let any = bb_ir::types::ValueType::Tensor { element: None, shape: None };
    let loaded = m.role("user.Trainer", "load", 0, &[], &[any]).remove(0);
    m.role("user.Trainer", "warm", 0, &[&loaded], &[]);
    assert_eq!(fault(vec![round(), m.done()]).code, "BB0303");
}
