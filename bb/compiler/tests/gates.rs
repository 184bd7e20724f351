//! Gates and checks: where they stand, what they read and give, and that nothing gets round them.
#![allow(missing_docs)]

mod support;

use bb_compiler::gate_contract::{GateContract, Stands};
use bb_compiler::{Partition, passes};
use bb_ir::gates::{Chains, DeadlineCheck, GateKind, fold, is_gate};
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::{Attributes, Metadata, control_inputs};
use bb_ir::wire_shape::{Send, is_recv, is_send};
use support::*;

/// What `validate_runtime_complete` says of `round`, changed on its server.
fn refused(change: impl FnOnce(&mut Vec<NodeProto>)) -> Vec<String> {
    let mut partitions = compile(vec![round()]).partitions;
    change(&mut partitions[0].model.functions[0].node);
    match passes::validate_runtime_complete(&partitions) {
        Ok(()) => Vec::new(),
        // A finished partition has no rows of bindings any more: that is not what is asked here.
        Err(error) => error.faults.into_iter().filter(|f| f.code == "BB0405").map(|f| f.message).collect(),
    }
}

fn find(nodes: &mut [NodeProto], is: impl Fn(&NodeProto) -> bool) -> &mut NodeProto {
    nodes.iter_mut().find(|n| is(n)).expect("there is one")
}
fn server(partitions: &[Partition]) -> &[NodeProto] {
    &partitions[0].main().node
}

#[test]
fn every_wire_op_has_its_gates_in_their_order() {
    let out = compile(vec![round()]);
    for partition in &out.partitions {
        let nodes = &partition.main().node;
        let chains = Chains::of(nodes);
        let kinds = |gates: Vec<bb_ir::gates::Gate<'_>>| gates.iter().map(|g| g.kind()).collect::<Vec<_>>();
        for recv in nodes.iter().filter(|n| is_recv(n)) {
            assert_eq!(kinds(chains.behind(recv)), &GateKind::ALL[..3]);
            let wire = recv.metadata_number::<u64>(keys::WIRE_ID_KEY);
            assert_eq!(chains.behind(recv)[0].dedup_slot(), wire);
            for gate in chains.behind(recv) {
                for key in [keys::PLACE_KEY, keys::LANE_KEY, keys::HOME_CLASS_KEY, keys::SOURCE_KEY] {
                    assert_eq!(gate.node().metadata(key), recv.metadata(key), "{key}");
                }
            }
        }
        for send in nodes.iter().filter(|n| is_send(n)) {
            assert_eq!(kinds(chains.before(send)), &GateKind::ALL[3..]);
            let check =
                nodes.iter().filter_map(DeadlineCheck::cast).find(|c| send.input.contains(&c.trigger().to_owned()));
            let check = check.expect("a Send has a deadline");
            assert_eq!((check.payload(), control_inputs(send)), (send.input[0].as_str(), 1));
            assert_eq!(check.trigger(), format!("{}#__trigger_deadline", send.name()));
            assert_eq!(Some(check.deadline_ns()), Send::cast(send).and_then(Send::deadline_ns));
        }
    }
}

#[test]
fn readers_and_outputs_keep_their_names_and_sends_know_their_sites() {
    let out = compile(vec![round()]);
    let recv = server(&out.partitions).iter().find(|n| is_recv(n)).expect("what comes home");
    assert!(recv.output.iter().all(|name| name.ends_with("~Recv")), "{:?}", recv.output);
    let send = sends(out.part("Client"))[0];
    for (payload, name) in recv.output[..recv.output.len() - 1].iter().enumerate() {
        assert_eq!(send.destination_name(payload), Some(name.as_str()));
    }
    let train = out.part("Client").main().node.iter().find(|n| n.op_type() == "train").expect("an op");
    assert_eq!(recv_of(&out, "Client").metadata(keys::RECV_SLOT_ID_KEY), train.metadata(keys::SLOT_ID_KEY));
}

fn recv_of<'a>(out: &'a bb_compiler::Output, class: &str) -> &'a NodeProto {
    out.part(class).main().node.iter().find(|n| is_recv(n)).expect("a Recv")
}

#[test]
fn a_gate_is_inserted_once() {
    let sealed = compile(vec![round()]).partitions;
    let mut again = sealed.clone();
    for pass in [
        passes::insert_backoff_gate_tx,
        passes::insert_dedup_gate_rx,
        passes::insert_backoff_gate_rx,
        passes::insert_peer_health_gate_rx,
        passes::insert_peer_health_gate_tx,
        passes::insert_async_deadlines,
    ] {
        again = pass(again).expect("it refuses nothing");
    }
    assert_eq!(again, sealed);
}

#[test]
fn without_gates_a_program_is_what_it_was_before() {
    for partition in compile(vec![split_inference()]).partitions {
        let folded = fold(partition.main().node.clone()).expect("every gate is there");
        assert!(folded.iter().all(|n| !is_gate(n)));
        let written: Vec<&String> = folded.iter().flat_map(|n| &n.output).chain(&partition.main().input).collect();
        for node in &folded {
            assert!(node.input.iter().all(|name| written.contains(&name)), "{:?} of {}", node.input, node.name());
            assert!(node.output.iter().chain(&node.input).all(|name| !name.contains("Gate")), "{:?}", node.output);
        }
    }
}

#[test]
fn nothing_gets_round_a_gate() {
    assert_eq!(refused(|_| {}), Vec::<String>::new());
    type Change = fn(&mut Vec<NodeProto>);
    let cases: &[(&str, Change)] = &[
        ("but through a `DedupGateRx`", |nodes| {
            let received = find(nodes, is_recv).output[0].clone();
            let before = find(nodes, |n| n.op_type() == "Gather");
            before.input[0] = received;
        }),
        ("but through a `BackoffGateTx`", |nodes| {
            let payload = find(nodes, |n| n.op_type() == "PeerHealthGateTx").input[0].clone();
            find(nodes, is_send).input[0] = payload;
        }),
        ("but through a `DeadlineCheck`", |nodes| {
            let send = find(nodes, is_send);
            send.input.pop();
            send.remove_metadata(keys::CONTROL_KEY);
        }),
        ("stand in another order", |nodes| {
            for node in nodes {
                let other = match node.op_type() {
                    "PeerHealthGateTx" => "BackoffGateTx",
                    "BackoffGateTx" => "PeerHealthGateTx",
                    _ => continue,
                };
                node.op_type = Some(other.into());
            }
        }),
    ];
    for (text, change) in cases {
        let found = refused(change);
        assert!(found.iter().any(|f| f.contains(text)), "{text}: {found:?}");
    }
}

#[test]
fn an_engine_is_given_no_wire_without_its_gates() {
    let nodes = || server(&compile(vec![round()]).partitions).to_vec();
    for gate in GateKind::ALL.into_iter().map(GateKind::op).chain(["DeadlineCheck"]) {
        let mut nodes = nodes();
        find(&mut nodes, |n| n.op_type() == gate).op_type = Some("Other".into());
        assert_eq!(fold(nodes).expect_err(gate).gate, gate);
    }
}

/// A component's crate says what its ops must not run without.
mod contract {
    use super::*;

    fn guarded(node: &NodeProto) -> bool {
        node.attr_int("guarded") == Some(1)
    }
    bb_ir::gates::submit! {
        GateContract { domain: "example.guards", op: "audit", stands: Stands::Before, guards: guarded }
    }

    #[test]
    fn a_crate_brings_its_own() {
        let mark = |nodes: &mut Vec<NodeProto>| {
            find(nodes, |n| n.op_type() == "fold").set_attr(bb_ir::views::attribute::int("guarded", 1));
        };
        let found = refused(mark);
        assert_eq!(found, ["nothing may pass `fold_7` but through a `audit`, and something does"]);
        let through = refused(|nodes| {
            mark(nodes);
            let fold = find(nodes, |n| n.op_type() == "fold");
            let audit = NodeProto {
                name: Some("audit_0".into()),
                domain: Some("example.guards".into()),
                op_type: Some("audit".into()),
                input: fold.input.clone(),
                output: fold.input.iter().map(|name| format!("{name}~audit")).collect(),
                ..NodeProto::default()
            };
            fold.input.clone_from(&audit.output);
            nodes.push(audit);
        });
        assert_eq!(through, Vec::<String>::new());
    }
}
