//! Gates around a wire, and the tables behind them: who is talked to, who is listened to, and who is told why not.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{
    Arg, CallError, CallId, Config, Engine, EngineStep, Event, Gate, GateReason, GraphId, Input, Limits, Membership,
    Standing, Time, Usage, Value,
};
use bb::ir::failure::FailureCode;
use bb::prelude::*;
use bb_sim::{CallIx, Host, Lies, Link, NodeIx, World, peer_id};
use std::time::Duration;

const HELPER: NodeIx = NodeIx(1);
const MS: Duration = Duration::from_millis(1);

#[bb::module]
fn there_and_back(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(digits(there, there), there.sender::<Asker>())
}
fn two() -> World {
    let mut world = world(&bb::compile(there_and_back), 1);
    world.set_link(Link::default().delay(10 * MS..=10 * MS));
    world
}
fn args() -> Vec<Arg> {
    vec![number(1.0), peer(1)]
}
fn asks(world: &mut World, within: Duration) -> CallIx {
    let call = world.call(ASKER, args(), within);
    world.run_until(world.elapsed() + within + 6 * S);
    call
}
/// Neither side hears the other, and neither is told.
fn half_open(world: &mut World, is: bool) {
    let link = Link::default().delay(10 * MS..=10 * MS).drop(if is { 1.0 } else { 0.0 });
    world.set_link_between(ASKER, HELPER, link.clone());
    world.set_link_between(HELPER, ASKER, link);
}
fn refusals(world: &World, gate: Gate) -> usize {
    events(world, |e| matches!(e, Event::GateRefused { gate: g, .. } if *g == gate))
}
fn why(world: &World, call: CallIx) -> (FailureCode, String) {
    match world.result(call) {
        Some(Err(CallError::Failed(cause))) => (cause.code, cause.message.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_that_does_not_answer_cools_is_probed_and_recovers() {
    let mut world = two();
    half_open(&mut world, true);
    for _ in 0..5 {
        let call = asks(&mut world, 4 * S);
        assert!(matches!(world.result(call), Some(Err(CallError::Deadline { .. }))), "{:?}", world.result(call));
    }
    assert_eq!(events(&world, |e| matches!(e, Event::PeerCools { .. })), 1);
    let (first, second) = (world.call(ASKER, args(), 4 * S), world.call(ASKER, args(), 4 * S));
    world.run_until(world.elapsed() + MS);
    // The pause has passed since the last failure: one message sees whether the peer is back, the other fails at once.
    assert_eq!(world.result(first), None);
    let (code, message) = why(&world, second);
    assert_eq!(code, FailureCode::SendRefused);
    assert!(message.contains("has not answered"), "{message}");
    assert_eq!((world.counters().probes, refusals(&world, Gate::PeerHealthTx)), (1, 1));

    half_open(&mut world, false);
    world.run_until(world.elapsed() + 60 * S);
    let back = asks(&mut world, 4 * S);
    assert!(matches!(world.result(back), Some(Ok(_))), "{:?}", world.result(back));
    assert_eq!((world.counters().cooled, world.counters().recovered), (1, 1), "{}", world.counters());
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

#[test]
fn an_allowed_peer_never_cools() {
    let mut world = two();
    world.set_standing(ASKER, HELPER, Standing::Allowed);
    half_open(&mut world, true);
    for _ in 0..8 {
        asks(&mut world, 4 * S);
    }
    assert_eq!(refusals(&world, Gate::PeerHealthTx), 0);
}

#[test]
fn a_blocked_peer_is_sent_away_and_neither_heard_nor_asked() {
    let mut world = two();
    let before = world.call(ASKER, args(), 60 * S);
    world.set_standing(ASKER, HELPER, Standing::Blocked);
    world.run_until(S);
    assert_eq!(why(&world, before).0, FailureCode::SendRefused, "what was on its way is refused");
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(2 * S);
    assert!(why(&world, call).1.contains("it is blocked"));
    assert_eq!((refusals(&world, Gate::PeerHealthTx), world.counters().health_tx), (1, 1));
    world.connect(ASKER, HELPER);
    world.run_until(3 * S);
    assert_eq!((refusals(&world, Gate::PeerHealthRx), world.counters().health_rx), (1, 1));

    world.set_standing(ASKER, HELPER, Standing::Judged);
    world.connect(ASKER, HELPER);
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(5 * S);
    assert!(matches!(world.result(call), Some(Ok(_))), "{:?}", world.result(call));
    world.run_until(90 * S);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

#[test]
fn a_peer_that_cannot_be_reached_is_left_alone_for_longer_each_time() {
    let mut world = two();
    world.disconnect(ASKER, HELPER);
    let mut pauses: Vec<Duration> = Vec::new();
    for _ in 0..40 {
        let call = world.call(ASKER, args(), 60 * S);
        world.run_until(world.elapsed() + MS);
        if world.result(call).is_some() {
            assert!(why(&world, call).1.contains("it is left alone for"), "{:?}", why(&world, call));
        }
        world.run_until(world.elapsed() + 10 * S);
    }
    for row in world.trace() {
        if let bb_sim::What::Event(Event::GateRefused { reason: GateReason::BackingOff { rest }, .. }) = &row.what {
            pauses.push(*rest);
        }
    }
    assert!(pauses.iter().any(|p| *p > S) && pauses.iter().all(|p| *p < 30 * S), "{pauses:?}");
    assert_eq!(world.counters().backoff_tx, pauses.len() as u64);
    // Once it is there again it is asked.
    world.connect(ASKER, HELPER);
    let call = asks(&mut world, 4 * S);
    assert!(matches!(world.result(call), Some(Ok(_))), "{:?}", world.result(call));
}

#[test]
fn a_peer_that_was_sent_away_has_to_wait() {
    let mut world = two();
    world.set_lies(HELPER, Lies { cut: 1.0, ..Lies::default() });
    for _ in 0..3 {
        asks(&mut world, 2 * S);
    }
    assert_eq!(events(&world, |e| matches!(e, Event::MemberLeft { .. })), 2, "both sides");
    world.set_lies(HELPER, Lies::default());
    let away = world.elapsed();
    let member = |world: &World| events(world, |e| matches!(e, Event::MemberJoined { .. }));
    let joined = member(&world);
    while member(&world) == joined {
        world.connect(ASKER, HELPER);
        world.run_until(world.elapsed() + 10 * MS);
        assert!(world.elapsed() < away + 3 * S, "it waits for less than the first bound");
    }
    assert_eq!(refusals(&world, Gate::BackoffRx) as u64, world.counters().backoff_rx);
}

#[test]
fn much_in_flight_is_told_once_and_so_is_little_again() {
    let limits = Limits { unacknowledged_bytes_max: 200, ..Limits::default() };
    let program = bb::compile(there_and_back);
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    let mut world = World::new(7, bb::kernels());
    world.add_with(host("Asker"), Membership::open(), limits).expect("installs");
    world.add(host("Helper")).expect("installs");
    world.connect_all();
    for _ in 0..30 {
        world.call(ASKER, args(), 60 * S);
    }
    let told =
        |world: &World, high: bool| events(world, |e| matches!(e, Event::Backpressure { high: h, .. } if *h == high));
    world.run_until(MS);
    assert_eq!((told(&world, true), told(&world, false)), (1, 0));
    world.run_until(5 * S);
    assert_eq!((told(&world, true), told(&world, false), world.counters().backpressure), (1, 1, 1));
    assert!(world.counters().refused > 0, "what is too much is refused");
}

#[test]
fn a_hop_takes_no_longer_than_the_program_says() {
    let program = bb::compile_with(there_and_back, &bb::Options::default().per_hop_budget(MS));
    assert_eq!(program.diagnostics, []);
    let mut world = world(&program, 1);
    world.set_link(Link::default().delay(10 * MS..=10 * MS));
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(S);
    // Two milliseconds for the way there and back, ten for the way there: it arrives with nothing left, and the call learns.
    assert_eq!(why(&world, call).0, FailureCode::Deadline);
    world.run_until(10 * S);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

#[test]
fn what_a_node_knows_of_its_peers_survives_a_restart() {
    let program = bb::compile(there_and_back);
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    let mut world = World::new(7, bb::kernels());
    world.add_durable(host("Asker"), MS).expect("installs");
    world.add(host("Helper")).expect("installs");
    world.disconnect(ASKER, HELPER);
    let refused = |world: &mut World| {
        let call = world.call(ASKER, args(), 60 * S);
        world.run_until(world.elapsed() + 5 * MS);
        world.result(call).is_some()
    };
    // Until a pause is long enough to see it on both sides of a crash.
    while !refused(&mut world) {
        world.run_until(world.elapsed() + 11 * S);
        assert!(world.elapsed() < 2000 * S);
    }
    world.kill(ASKER);
    world.start(ASKER).expect("installs");
    assert!(refused(&mut world), "it is still left alone");
}

/// As one to another peer: what waited too long is not taken for delivered.
#[test]
fn a_message_to_the_node_itself_that_waited_too_long_fails() {
    fn around(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peers<Asker>>) -> On<Asker, u64> {
        let there = graph.wire(x, to);
        graph.wire(there, there.sender::<Asker>()).quorum(0.5).count()
    }
    let program = bb::compile_with(around, &bb::Options::default().per_hop_budget(S));
    assert_eq!(program.diagnostics, []);
    let mut engine = Engine::new(Config::new(peer_id(0), 1));
    engine.install(&program.artifact("Asker").expect("compiled").bytes, &bb::kernels(), &[]).expect("installs");
    let both = Value::Seq([0, 1].map(|n| Value::Peer(peer_id(n))).into());
    let (now, args) = (Time(1_000_000_000), vec![number(1.0), Arg::Value(both)]);
    engine.handle(now, Input::Call { call: CallId(1), graph: GraphId(0), args, budget: 60 * S });
    assert!(matches!(engine.poll(now), Some(EngineStep::Send(_))), "the other peer's; its own waits");
    let later = now.after(10 * S);
    let said: Vec<EngineStep> = std::iter::from_fn(|| engine.poll(later)).collect();
    let failed = |s: &EngineStep| matches!(s, EngineStep::Event(Event::SendFailed { peer, code: FailureCode::Deadline, .. }) if *peer == peer_id(0));
    assert!(said.iter().any(failed), "{said:?}");
    assert_eq!(engine.counters().delivered, 0);
}
