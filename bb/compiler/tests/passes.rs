//! Passes called by their own names, on programs that an earlier pass would not have made.
#![allow(missing_docs)]

mod support;

use bb_compiler::{BindingSpec, Output, Partition, PassError, passes};
use bb_ir::bindings::{Serving, read_dependency_metadata};
use bb_ir::component::{ComponentDecl, DependencyDecl};
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::views::{Attributes, Metadata};
use bb_ir::wire_shape::{is_recv, is_send, read_wire_id, stamp_wire_id};
use support::*;

fn refused<T>(result: Result<T, PassError>) -> Vec<String> {
    match result {
        Ok(_) => panic!("it is let through"),
        Err(error) => error.faults.into_iter().map(|fault| fault.message).collect(),
    }
}

fn placed() -> ModelProto {
    compile(vec![round()]).program
}

/// The partitions of a finished program, once `change` has been at one of them.
fn changed(class: &str, change: impl FnOnce(&mut Partition)) -> Vec<Partition> {
    let Output { mut partitions, .. } = compile(vec![round()]);
    change(partitions.iter_mut().find(|p| p.class == class).expect("a partition"));
    partitions
}

#[test]
fn a_wire_id_stands_on_one_send_alone() {
    let mut model = placed();
    for node in model.functions[0].node.iter_mut().filter(|n| is_send(n)) {
        stamp_wire_id(node, 0);
    }
    assert!(refused(passes::synthesize_wire_recvs(model))[0].contains("shares its wire's number"));
}

#[test]
fn values_change_places_over_wires_alone() {
    let mut cut = passes::synthesize_wire_recvs(placed()).unwrap_or_else(|e| panic!("{e}"));
    let global = cut.functions[0].node[0].output[0].clone();
    let train = cut.functions[0].node.iter_mut().find(|n| n.op_type() == "train").expect("an op of the client's");
    train.input[0] = global;
    assert!(refused(passes::partition_by_wire_ops(cut))[0].contains("of another place without a wire"));
}

#[test]
fn both_halves_of_every_wire_are_somewhere() {
    let without = |class, half: fn(&bb_ir::proto::onnx::NodeProto) -> bool| {
        changed(class, |p| p.model.functions[0].node.retain(|n| !(half(n) && read_wire_id(n) == Some(0))))
    };
    let found = refused(passes::validate_runtime_complete(&without("Client", is_recv)));
    assert!(found[0].contains("nobody receives"), "{found:?}");
    let found = refused(passes::validate_runtime_complete(&without("Server", is_send)));
    assert!(found[0].contains("nobody sends"), "{found:?}");
}

#[test]
fn every_payload_has_an_address_that_no_other_has() {
    let attribute = |payload: usize| bb_ir::bindings::dest_suffix_attribute(payload);
    let of_send = |change: fn(&mut bb_ir::proto::onnx::NodeProto, [String; 2])| {
        changed("Client", |p| {
            let send = p.model.functions[0].node.iter_mut().find(|n| is_send(n)).expect("a Send");
            change(send, [attribute(0), attribute(1)]);
        })
    };
    let gone = of_send(|send, [first, _]| send.remove_attr(&first));
    assert!(refused(passes::validate_runtime_complete(&gone))[0].contains("has no address"));
    let twice = of_send(|send, [first, second]| {
        let mut copy = send.attr(&first).expect("an address").clone();
        copy.name = Some(second);
        send.set_attr(copy);
    });
    assert!(refused(passes::validate_runtime_complete(&twice))[0].contains("has another's address"));
}

#[test]
fn an_op_nobody_knows_a_gate_nobody_inserts_and_a_slot_nobody_binds() {
    let op =
        |domain: &'static str| changed("Server", move |p| p.model.functions[0].node[0].domain = Some(domain.into()));
    assert!(refused(passes::validate_runtime_complete(&op("somebody.else")))[0].contains("nobody implements"));
    assert!(refused(passes::validate_runtime_complete(&op(ops::GATE_DOMAIN)))[0].contains("nobody implements"));
    let slot = changed("Server", |p| p.model.functions[0].node[0].set_metadata(keys::SLOT_ID_KEY, "9"));
    assert!(refused(passes::validate_runtime_complete(&slot))[0].contains("nothing binds the slot 9"));
}

/// The partitions of a program behind `resolve_slots`.
fn resolved() -> Vec<Partition> {
    let cut = passes::synthesize_wire_recvs(placed()).unwrap_or_else(|e| panic!("{e}"));
    let (partitions, _) = passes::partition_by_wire_ops(cut).unwrap_or_else(|e| panic!("{e}"));
    passes::resolve_slots(partitions).unwrap_or_else(|e| panic!("{e}"))
}
/// A component in a slot of the program, which needs a trainer.
fn needing_a_trainer(slot: &str, role: &'static str) -> BindingSpec {
    const NEEDS: &[DependencyDecl] = &[DependencyDecl { role: "user.Trainer", slot: "trainer" }];
    BindingSpec::default().bind(slot, ComponentDecl { ty: "user.It", role, element: None, dependencies: NEEDS })
}

#[test]
fn what_a_component_needs_is_stamped_on_each_of_its_ops() {
    let bindings = needing_a_trainer("trainer", "user.Trainer");
    let partitions = passes::resolve_component_dependencies(resolved(), &bindings).unwrap_or_else(|e| panic!("{e}"));
    let of = |class: &str, method: &str| {
        let part = partitions.iter().find(|p| p.class == class).expect("a partition");
        read_dependency_metadata(part.main().node.iter().find(|n| n.op_type() == method).expect("it has the op"))
    };
    assert_eq!(of("Client", "train"), [("user.Trainer".to_owned(), Serving::Slot(2))]);
    assert_eq!(of("Server", "fold"), [], "nothing is known of that one");

    let bindings = needing_a_trainer("average", "Aggregator");
    let told = refused(passes::resolve_component_dependencies(resolved(), &bindings));
    let text = "`average`, a `user.It`, needs a `user.Trainer` called `trainer`, and there is none on `Server`";
    assert_eq!(told, [text], "the trainer is on another class");
}

#[test]
fn what_the_runtime_could_not_construct_is_refused() {
    let all = |partitions: &[Partition], bindings| refused(passes::validate_all_slots_bound(partitions, &bindings));
    assert_eq!(passes::validate_all_slots_bound(&resolved(), &BindingSpec::default()), Ok(()));
    let mut gone = resolved();
    let server = gone.iter_mut().find(|p| p.class == "Server").expect("a partition");
    server.model.functions[0].node[0].set_metadata(keys::SLOT_ID_KEY, "9");
    let text = "nothing on `Server` serves `9`, which has to play `Aggregator`";
    assert_eq!(all(&gone, BindingSpec::default()), [text]);
    let itself = all(&resolved(), needing_a_trainer("trainer", "user.Trainer"));
    assert_eq!(itself, ["`trainer` (`user.It`) needs itself, so it can never be built"]);
    let nowhere = all(&resolved(), needing_a_trainer("trainers", "user.Trainer"));
    assert_eq!(nowhere, ["`round` has no slot `trainers` for a `user.Trainer`"]);
}

#[test]
fn a_call_of_nothing_is_refused() {
    let calls = changed("Server", |p| {
        let node = &mut p.model.functions[0].node[0];
        node.domain = Some(ops::MODULE_DOMAIN.into());
        node.op_type = Some("gone".into());
    });
    assert!(refused(passes::verify_no_dangling_calls(calls))[0].contains("`gone` is called"));
}

#[test]
fn a_pass_is_deterministic() {
    let once = || passes::synthesize_wire_recvs(placed()).and_then(passes::partition_by_wire_ops);
    assert_eq!(once(), once());
}

#[test]
fn stamping_for_a_test_makes_a_passport_alone() {
    let mut model = ModelProto::default();
    passes::stamp_for_test(&mut model);
    passes::stamp_for_test(&mut model);
    assert_eq!(model.metadata(keys::COMPILED_KEY), Some(keys::COMPILED_CURRENT_VERSION));
    assert_eq!(model.metadata(keys::PROGRAM_DIGEST_KEY), None);
}
