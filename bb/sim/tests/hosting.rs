//! What peers learn of programs that are installed while they are connected.
#![allow(missing_docs)]

use bb::engine::{
    Arg, CallError, CallId, Config, DisconnectReason, Engine, EngineStep, Event, GraphId, Input, InstallError,
    Membership, Time, Value,
};
use bb::ir::failure::FailureCode;
use bb::ir::hello::{self, Hello};
use bb::ir::limits::{self, WireLimits};
use bb::ir::{artifact, keys, views::Metadata};
use bb::prelude::*;
use bb_components as _;
use bb_sim::peer_id;
use bytes::Bytes;
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Asker;
#[derive(bb::Peer)]
pub struct Helper;

#[bb::module]
fn there(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Helper, f32> {
    graph.wire(x, to)
}
#[bb::module]
fn back(graph: &Graph, x: On<Helper, f32>, to: On<Helper, Peer<Asker>>) -> On<Asker, f32> {
    graph.wire(x, to)
}
#[bb::module]
fn asked(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Asker>())
}

fn piece(program: bb::Compiled, class: &str) -> Vec<u8> {
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("compiled").bytes.clone()
}
fn engine(peer: usize, membership: Membership) -> Engine {
    let mut config = Config::new(peer_id(peer), 100 + peer as u64);
    config.membership = membership;
    Engine::new(config)
}
fn install(engine: &mut Engine, piece: &[u8]) {
    engine.install(piece, &bb::kernels(), &[]).expect("it runs here");
}
fn tell(engine: &mut Engine, input: Input) -> Vec<EngineStep> {
    engine.handle(Time(1), input);
    std::iter::from_fn(|| engine.poll(Time(1))).collect()
}
fn hosts(engine: &mut Engine, hello: Bytes) -> Vec<EngineStep> {
    tell(engine, Input::Hosts { peer: peer_id(1), hello })
}
fn joined(steps: &[EngineStep]) -> Vec<String> {
    let class = |s: &EngineStep| match s {
        EngineStep::Event(Event::MemberJoined { class, .. }) => Some(class.to_string()),
        _ => None,
    };
    steps.iter().filter_map(class).collect()
}
fn sent_away(steps: &[EngineStep]) -> bool {
    let told = steps.iter().any(|s| matches!(s, EngineStep::Event(Event::EnvelopeRefused { .. })));
    let away = |s: &EngineStep| matches!(s, EngineStep::Disconnect { reason: DisconnectReason::BadHello, .. });
    assert_eq!(told, steps.iter().any(away), "{steps:?}");
    told
}

/// An asker that is connected to a helper, and what that said first.
fn met(membership: Membership) -> (Engine, Engine, Bytes) {
    let (mut asker, mut helper) = (engine(0, membership), engine(1, Membership::open()));
    install(&mut asker, &piece(bb::compile(there), "Asker"));
    install(&mut helper, &piece(bb::compile(there), "Helper"));
    let first = helper.hello();
    tell(&mut asker, Input::Connected { peer: peer_id(1), hello: first.clone() });
    (asker, helper, first)
}

#[test]
fn a_further_hello_adds_what_is_new_once_and_in_any_order() {
    let (mut asker, mut helper, first) = met(Membership::open());
    install(&mut helper, &piece(bb::compile(back), "Helper"));
    let second = helper.hello();
    install(&mut helper, &piece(bb::compile(there), "Asker"));
    let third = helper.hello();
    assert_eq!(joined(&hosts(&mut asker, second.clone())), [""; 0], "another program, the same class");
    assert_eq!(joined(&hosts(&mut asker, third)), ["Asker"]);
    for old in [second, first] {
        let steps = hosts(&mut asker, old);
        assert!(steps.is_empty(), "it came late: {steps:?}");
    }
    assert_eq!(asker.members("Asker"), [peer_id(1)]);
    // And all of it is over with the connection.
    tell(&mut asker, Input::Disconnected { peer: peer_id(1) });
    assert_eq!(asker.members("Asker"), []);
}

#[test]
fn of_classes_that_come_later_only_members_are_admitted() {
    let (mut asker, mut helper, _) = met(Membership::open().list("Helper", [peer_id(1)]).list("Asker", [peer_id(2)]));
    install(&mut helper, &piece(bb::compile(there), "Asker"));
    let steps = hosts(&mut asker, helper.hello());
    let refused =
        |s: &EngineStep| matches!(s, EngineStep::Event(Event::MembershipRefused { class, .. }) if class == "Asker");
    assert!(steps.iter().any(refused) && joined(&steps).is_empty(), "{steps:?}");
}

#[test]
fn programs_that_differ_are_told_on_both_sides_when_the_second_comes() {
    let other = bb::compile(|graph: &Graph, x: On<Helper, u64>, to: On<Helper, Peer<Asker>>| graph.wire(x, to));
    let mut model = artifact::read(&piece(other, "Helper")).expect("ours");
    model.set_metadata(keys::PROGRAM_NAME_KEY, "back");
    let (mut asker, mut helper, _) = met(Membership::open());
    tell(&mut helper, Input::Connected { peer: peer_id(0), hello: asker.hello() });
    let mismatches = |steps: Vec<EngineStep>| {
        let is = |s: &&EngineStep| matches!(s, EngineStep::Event(Event::ProgramMismatch { program, .. }) if &**program == "back");
        steps.iter().filter(is).count()
    };
    install(&mut helper, &artifact::write(&model));
    assert_eq!(mismatches(hosts(&mut asker, helper.hello())), 0, "the asker has no such program yet");
    install(&mut asker, &piece(bb::compile(back), "Asker"));
    assert_eq!(mismatches(std::iter::from_fn(|| asker.poll(Time(1))).collect()), 1);
    let told = Input::Hosts { peer: peer_id(0), hello: asker.hello() };
    assert_eq!(mismatches(tell(&mut helper, told.clone())), 1);
    assert_eq!(mismatches(tell(&mut helper, told)), 0, "once");
}

#[test]
fn a_further_hello_that_cannot_be_ends_the_connection() {
    let changed = |change: fn(&mut Hello)| {
        let (asker, _, first) = met(Membership::open());
        let mut hello = hello::decode(first, &WireLimits::default()).expect("ours");
        change(&mut hello);
        (asker, hello::encode(&hello))
    };
    let (mut asker, takes_back) = changed(|h| h.classes[0].name = "Thief".into());
    assert!(sent_away(&hosts(&mut asker, takes_back)));
    let (mut asker, of_another_start) = changed(|h| h.epoch += 1);
    assert!(sent_away(&hosts(&mut asker, of_another_start)));
    let (mut asker, mut helper, _) = met(Membership::open());
    assert!(sent_away(&hosts(&mut asker, Bytes::from_static(b"good day"))));
    assert_eq!(asker.members("Helper"), [peer_id(1)], "until the host says that it is gone");
    // Of a peer that is not connected it says nothing.
    tell(&mut asker, Input::Disconnected { peer: peer_id(1) });
    install(&mut helper, &piece(bb::compile(back), "Helper"));
    let steps = hosts(&mut asker, helper.hello());
    assert!(steps.is_empty() && asker.members("Helper").is_empty(), "{steps:?}");
}

#[test]
fn what_no_hello_could_tell_is_not_installed() {
    let model = artifact::read(&piece(bb::compile(there), "Helper")).expect("ours");
    let numbered = |n: usize| {
        let mut model = model.clone();
        let name = format!("there{n}");
        model.set_metadata(keys::PROGRAM_NAME_KEY, &name);
        model.set_metadata(keys::PROGRAM_DIGEST_KEY, format!("{n:064x}"));
        artifact::write(&model)
    };
    let mut helper = engine(1, Membership::open());
    for n in 0..limits::PROGRAMS_MAX {
        install(&mut helper, &numbered(n));
    }
    let before = helper.hello();
    let error = helper.install(&numbered(64), &bb::kernels(), &[]).expect_err("one too many");
    assert!(matches!(error, InstallError::TooMuchHosted(_)), "{error:?}");
    assert_eq!((helper.graphs().len(), helper.hello()), (limits::PROGRAMS_MAX, before));
}

/// It would not know what comes, and could not say so.
#[test]
fn nothing_is_sent_to_who_runs_another_build() {
    let (mut asker, mut helper) = (engine(0, Membership::open()), engine(1, Membership::open()));
    install(&mut asker, &piece(bb::compile(asked), "Asker"));
    let call = |asker: &mut Engine, number: u64| {
        let args = vec![Arg::Value(Value::scalar(1.0f32)), Arg::Value(Value::Peer(peer_id(1)))];
        let (call, graph) = (CallId(number), GraphId(0));
        tell(asker, Input::Call { call, graph, args, budget: Duration::from_secs(60) })
    };
    install(&mut helper, &piece(bb::compile(there), "Helper"));
    tell(&mut asker, Input::Connected { peer: peer_id(1), hello: helper.hello() });
    let steps = call(&mut asker, 1);
    let refused = |s: &EngineStep| {
        let EngineStep::CallResolved { result: Err(CallError::Failed(cause)), .. } = s else { return false };
        cause.code == FailureCode::SendRefused && cause.message.contains("does not run this build")
    };
    assert!(steps.iter().any(refused), "{steps:?}");
    assert!(!steps.iter().any(|s| matches!(s, EngineStep::Send(_))), "{steps:?}");
    // Once it says that it does, it is asked.
    install(&mut helper, &piece(bb::compile(asked), "Helper"));
    hosts(&mut asker, helper.hello());
    assert!(call(&mut asker, 2).iter().any(|s| matches!(s, EngineStep::Send(_))));
}
