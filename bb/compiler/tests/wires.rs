//! What is known of a wire once it is cut.
#![allow(missing_docs)]

mod support;

use bb_ir::digest::site_address;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::views::{Attributes, Metadata, attribute};
use bb_ir::wire_shape::{Transport, read_wire_transport};
use std::collections::BTreeSet;
use support::*;

#[test]
fn every_payload_goes_to_a_site_of_its_own() {
    let out = compile(vec![split_inference()]);
    let mut sites = BTreeSet::new();
    for partition in &out.partitions {
        for send in sends(partition) {
            let id = send.wire_id().expect("a wire id");
            for (payload, _) in (0u32..).zip(send.payloads()) {
                let site = send.destination(payload as usize).expect("an address");
                assert_eq!(site, site_address(&out.digest, id, payload));
                assert!(sites.insert(site));
                let edge = out.analysis.wire_edges.iter().find(|e| e.wire_id == id).expect("paired");
                let recv = recv(out.part(&edge.consumer_role), id);
                assert_eq!(send.destination_name(payload as usize), Some(recv.output[payload as usize].as_str()));
            }
        }
    }
    assert_eq!(sites.len(), 7);
}

#[test]
fn a_wire_that_only_fires_something_carries_nothing() {
    let mut m = Module::with_graph("f");
    m.slot("Client", "state", "State", 0);
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let fired = m.wire(&[&x], &to);
    let y = m.role_after("State", "get", 0, &[&fired.values[0]], true, &[tensor()]).remove(0);
    let asked = m.wire(&[&y], &fired.sender);
    let reply = m.wire(&[&x], &asked.sender);
    m.output(&reply.values[0]);
    let out = compile(vec![m.done()]);
    let of = |class: &str, id: u64| (read_wire_transport(send(out.part(class), id)), id);
    assert_eq!(of("Server", 0).0, Some(Transport::TriggerOnly), "only waited for, and asked who sent it");
    assert_eq!(of("Client", 1).0, Some(Transport::TriggerOnly), "only asked who sent it");
    assert_eq!(of("Server", 2).0, Some(Transport::Data), "an output counts as read");
    assert_eq!(read_wire_transport(recv(out.part("Client"), 0)), Some(Transport::TriggerOnly));
}

#[test]
fn sends_to_one_peer_are_one_group_unless_one_depends_on_the_other() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
    let first = m.wire(&[&x], &a);
    let beside = m.wire(&[&x], &a);
    let elsewhere = m.wire(&[&x], &b);
    let back = m.wire(&[&first.values[0]], &first.sender);
    let later = m.wire(&[&back.values[0]], &a);
    for value in [&beside.values[0], &elsewhere.values[0], &later.values[0]] {
        m.output(value);
    }
    let out = compile(vec![m.done()]);
    let group = |id: u64| send(out.part("Server"), id).metadata(keys::BATCH_GROUP_KEY).expect("a group").to_owned();
    assert_eq!(group(first.id), group(beside.id));
    assert_eq!(BTreeSet::from([group(first.id), group(elsewhere.id), group(later.id)]).len(), 3);
}

#[test]
fn a_recv_awaits_the_nearest_sends_of_its_own_place() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "A", tensor());
    let (b, c) = (m.peer("b", "A", "B"), m.peer("c", "A", "C"));
    let to_b = m.wire(&[&x, &c], &b);
    let home = m.wire(&[&to_b.values[0]], &to_b.sender);
    let to_c = m.wire(&[&home.values[0]], &c);
    let from_b = m.wire(&[&to_b.values[0]], &to_b.values[1]);
    let both = m.op("Add", &[&to_c.values[0], &from_b.values[0]]);
    let last = m.wire(&[&both], &to_c.sender);
    m.output(&last.values[0]);
    let out = compile(vec![m.done()]);
    let awaits = |class: &str, id: u64| recv(out.part(class), id).metadata(keys::AWAITS_KEY).map(str::to_owned);
    assert_eq!(awaits("A", home.id).as_deref(), Some("0"));
    assert_eq!(awaits("A", last.id).as_deref(), Some("0,2"), "over B alone, and over C");
    assert_eq!(awaits("B", to_b.id), None);
}

#[test]
fn a_member_awaits_its_answer_only_where_nothing_goes_on_without_it() {
    let awaited = |kind: &str, need: Option<f32>| {
        let mut m = Module::with_graph("f");
        let (x, cohort) = (m.input("x", "A", tensor()), m.cohort("cohort", "A", "B"));
        let there = m.wire(&[&x], &cohort);
        let back = m.wire(&[&there.values[0]], &there.sender);
        let all = m.gather(back.id, &[&back.values[0]], kind, None).remove(0);
        let at = m.line() - 1;
        let set = |m: &mut Module, need| m.node(at).set_attr(need);
        match need {
            Some(need) => set(&mut m, attribute::float(ops::gather::NEED, need)),
            None if kind != ops::gather::ALL => set(&mut m, attribute::int(ops::gather::NEED, 1)),
            None => {}
        }
        let (at, stacked) = m.push(ops::ONNX_DOMAIN, "ConcatFromSequence", &[&all], &[tensor()]);
        m.node(at).set_attr(attribute::int("axis", 0));
        let again = m.wire(&[&stacked[0]], &cohort);
        let last = m.wire(&[&again.values[0]], &again.sender);
        let last = m.gather(last.id, &[&last.values[0]], ops::gather::ALL, None);
        m.output(&last[0]);
        let out = compile(vec![m.done()]);
        assert_eq!(recv(out.part("A"), 3).metadata(keys::AWAITS_KEY), Some("2"), "the asker has asked again");
        recv(out.part("B"), again.id).metadata(keys::AWAITS_KEY).map(str::to_owned)
    };
    let own = Some("1".to_owned());
    assert_eq!(awaited(ops::gather::ALL, None), own);
    assert_eq!(awaited(ops::gather::FRACTION, Some(1.0)), own);
    assert_eq!(awaited(ops::gather::FRACTION, Some(0.5)), None);
    assert_eq!(awaited(ops::gather::COUNT, None), None);
    assert_eq!(awaited(ops::gather::FIRST, None), None);
}

#[test]
fn an_output_site_has_no_reader() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let y = m.op("Relu", &[&x]);
    let z = m.op("Tanh", &[&y]);
    for output in [&x, &y, &z, &z] {
        m.output(output);
    }
    let out = compile(vec![m.done()]);
    let main = out.part("Server").main();
    assert_eq!(main.output.iter().collect::<BTreeSet<_>>().len(), 4);
    assert!(main.node.iter().flat_map(|n| &n.input).all(|input| !main.output.contains(input)));
    assert_eq!(ops_of(out.part("Server"))[2..], ["pass_through"; 4], "a value declared twice has two sites");
}

#[test]
fn outputs_belong_to_the_classes_they_live_on() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let (a, b) = (m.op("Relu", &[&there.values[0]]), m.op("Tanh", &[&x]));
    m.output(&a);
    m.output(&b);
    let out = compile(vec![m.done()]);
    assert_eq!(out.part("Server").main().output, [b]);
    assert_eq!(out.part("Client").main().output, [a]);
    assert_eq!(out.part("Client").model.graph.as_ref().expect("a graph").output.len(), 1);
}

#[test]
fn every_artifact_tells_all_wires_and_places_of_the_program() {
    let out = compile(vec![round()]);
    let hash = |of: bb_ir::types::ValueType| format!("{:016x}", of.hash());
    let tensors = hash(tensor());
    let samples = hash(bb_ir::types::ValueType::scalar(bb_ir::types::ElementKind::U64));
    for partition in &out.partitions {
        let row = |id: u32| partition.model.metadata(&format!("{}{id}", keys::PROGRAM_WIRE_PREFIX)).map(str::to_owned);
        assert_eq!(row(0), Some(format!("Server|Client|{tensors}")));
        assert_eq!(row(1), Some(format!("Client|Server|{tensors},{samples}")));
        assert_eq!(partition.model.metadata_under(keys::PLACE_TABLE_PREFIX).count(), 2);
        assert_eq!(partition.model.metadata(keys::COMPILED_KEY), Some(keys::COMPILED_CURRENT_VERSION));
        let domains: Vec<_> = partition.model.opset_import.iter().map(|o| o.domain()).collect();
        assert!(domains.contains(&ops::WIRE_DOMAIN) && domains.is_sorted());
    }
    assert_eq!(recv(out.part("Client"), 0).metadata(keys::RECV_SLOT_ID_KEY), Some("2"));
    assert_eq!(recv(out.part("Server"), 1).metadata(keys::RECV_SLOT_ID_KEY), None, "a gather stands between");
}

#[test]
fn the_digest_is_of_the_program_and_not_of_where_it_was_written() {
    let mut moved = round();
    for node in &mut moved.node {
        node.set_metadata(keys::SOURCE_KEY, "elsewhere.rs:1:1");
    }
    let mut other = round();
    other.node[2].op_type = Some("learn".into());
    let digest = |f| compile(vec![f]).digest;
    assert_eq!(digest(moved), digest(round()));
    assert_ne!(digest(other), digest(round()));
}

#[test]
fn components_by_type_stand_in_the_binding_table() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    let y = m.concrete("Model", "user.Linear", "head", "forward", &[&x]);
    m.output(&y);
    let out = compile(vec![m.done()]);
    let row = out.part("Server").model.metadata(&bb_ir::bindings::binding_key("f", "head")).map(str::to_owned);
    assert_eq!(row.as_deref(), Some("Model|user.Linear|-1"));
}
