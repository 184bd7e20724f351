//! Where things run: places, their anchors, lanes, and what may stand anywhere.
#![allow(missing_docs)]

mod support;

use bb_compiler::passes;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::read_wire_id;
use support::*;

#[test]
fn one_peer_value_that_travelled_is_one_place_and_two_peer_values_are_two() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
    let first = m.wire(&[&x], &a);
    let again = m.op_of("Identity", &[&a], bb_ir::types::ValueType::peer());
    m.points_at(&again, "Client");
    let second = m.wire(&[&x], &again);
    let other = m.wire(&[&x], &b);
    let sum = m.op("Add", &[&first.values[0], &second.values[0]]);
    let alone = m.op("Relu", &[&other.values[0]]);
    m.output(&sum);
    m.output(&alone);
    let out = compile(vec![m.done()]);
    assert_eq!(out.place_of(&sum), "Client|one|a");
    assert_eq!(out.place_of(&alone), "Client|one|b");
    assert_eq!(out.partitions.len(), 2, "two places of one class are one artifact");
}

#[test]
fn a_round_trip_comes_home_to_the_place_it_left() {
    let mut m = Module::with_graph("ask");
    let x = m.input("x", "Node", tensor());
    let to = m.peer("to", "Node", "Node");
    let there = m.wire(&[&x], &to);
    let back = m.wire(&[&there.values[0]], &there.sender);
    let sum = m.op("Add", &[&x, &back.values[0]]);
    m.output(&sum);
    let out = compile(vec![m.done()]);
    assert_eq!(out.place_of(&sum), "Node|one|entry");
    assert_eq!(out.part("Node").name(), "ask", "one class: the module's own name");
    assert_eq!(ops_of(out.part("Node")), ["Send", "Recv", "Send", "Recv", "Add"]);
}

#[test]
fn a_constant_stands_once_at_every_place_that_uses_it() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let half = m.constant(0.5);
    let here = m.op("Mul", &[&x, &half]);
    let more = m.op("Add", &[&here, &half]);
    let wired = m.wire(&[&more], &to);
    let there = m.op("Mul", &[&wired.values[0], &half]);
    m.output(&there);
    m.constant(3.0);
    let out = compile(vec![m.done()]);
    assert_eq!(ops_of(out.part("Server")), ["Constant", "Mul", "Add", "Send"]);
    assert_eq!(ops_of(out.part("Client")), ["Constant", "Recv", "Mul"]);
    let (at_server, at_client) = (&out.part("Server").main().node[0], &out.part("Client").main().node[0]);
    assert_ne!(at_server.name(), at_client.name());
    let mul = out.part("Client").main().node.iter().find(|n| n.op_type() == "Mul").expect("at the client");
    assert_eq!(mul.input[1], at_client.output[0]);
}

#[test]
fn the_lanes_of_a_cohort_are_those_of_what_comes_back() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    m.in_lane(Some(back.id));
    let scaled = m.op("Mul", &[&back.values[0], &x]);
    let reply = m.wire(&[&scaled], &back.sender);
    m.in_lane(None);
    let kept = m.op("Relu", &[&reply.values[0]]);
    let all = m.gather(back.id, &[&scaled], "all", None);
    m.output(&all[0]);
    m.output(&kept);
    let out = compile(vec![m.done()]);
    let server = out.part("Server");
    let lane_of = |value: &str| {
        let node = server.main().node.iter().find(|n| n.output.iter().any(|o| o == value)).expect("a node");
        node.metadata(keys::LANE_KEY).map(str::to_owned)
    };
    assert_eq!(lane_of(&scaled).as_deref(), Some("1"));
    assert_eq!(lane_of(&all[0]).as_deref(), Some("1"), "a gather names the lanes it closes");
    assert_eq!(recv(server, 1).metadata(keys::LANE_KEY), Some("1"));
    assert_eq!(send(server, 2).metadata(keys::LANE_KEY), Some("1"));
    assert_eq!(recv(out.part("Client"), 2).metadata(keys::LANE_KEY), None);
    assert_eq!(out.place_of(&kept), "Client|each|cohort");
}

#[test]
fn what_a_lane_only_hands_through_waits_for_its_sender() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    let all = m.gather(back.id, &[&x], "all", None);
    m.output(&all[0]);
    let out = compile(vec![m.done()]);
    let server = out.part("Server").main();
    let through = server.node.iter().find(|n| n.op_type() == ops::SYSCALL_PASS_THROUGH).expect("a pass-through");
    assert_eq!(through.input, [x, back.values[0].clone()]);
    assert_eq!(through.metadata(keys::CONTROL_KEY), Some("1"));
    assert_eq!(through.metadata(keys::LANE_KEY), Some("1"));
}

#[test]
fn a_cohort_made_of_who_answered_is_a_place_of_its_own() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let back = m.wire(&[&there.values[0]], &there.sender);
    let all = m.gather(back.id, &[&back.values[0]], "all", None);
    let again = m.wire(&[&x], &all[1]);
    let y = m.op("Relu", &[&again.values[0]]);
    m.output(&y);
    let out = compile(vec![m.done()]);
    assert_eq!(out.place_of(&y), format!("Client|each|{}", all[1]));
}

#[test]
fn peer_values_say_which_class_they_point_at() {
    let out = compile(vec![round()]);
    let client = out.part("Client").main();
    let sender = recvs(out.part("Client"))[0].sender().to_owned();
    let info = client.value_info.iter().find(|i| i.name() == sender).expect("typed");
    assert_eq!(info.metadata(keys::PEER_CLASS_KEY), Some("Server"));
}

#[test]
fn every_node_of_the_root_is_placed_by_the_pass_alone() {
    let model = model(vec![split_inference()]);
    let model = passes::inline_for_partition(model).and_then(passes::expand_ops).and_then(passes::type_solver);
    let placed = model.and_then(passes::infer_peer_classes).unwrap_or_else(|e| panic!("{e}"));
    assert!(placed.functions[0].node.iter().all(|n| n.metadata(keys::PLACE_KEY).is_some()));
    let sends = placed.functions[0].node.iter().filter(|n| read_wire_id(n).is_some());
    let ways: Vec<_> = sends
        .map(|n| [keys::FROM_PLACE_KEY, keys::TO_PLACE_KEY].map(|k| n.metadata(k).expect("a place").to_owned()))
        .collect();
    assert_eq!(ways, [["0", "1"], ["0", "2"], ["1", "3"], ["2", "3"], ["3", "0"]]);
}
