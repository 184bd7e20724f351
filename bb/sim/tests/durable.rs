//! A durable node loses nothing that anyone has seen, whenever it is killed.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::__private::Accepts;
use bb::engine::{Arg, CallId, CheckpointError, Config, Engine, EngineStep, Event, GraphId, Input, Time, Usage, Value};
use bb::prelude::*;
use bb_sim::{Host, Link, NodeIx, World, peer_id};
use std::sync::LazyLock;
use std::time::Duration;

#[bb::role]
pub trait Tally {
    /// `x` added to all before.
    fn add(&mut self, x: f32) -> f32;
}
struct Sum(f32);
impl Tally for Sum {
    fn add(&mut self, x: f32) -> f32 {
        self.0 += x;
        self.0
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.0.to_le_bytes().to_vec())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let four = state.try_into().map_err(|_| OpError::new("no number"))?;
        self.0 = f32::from_le_bytes(four);
        Ok(())
    }
}

const HELPER: NodeIx = NodeIx(1);
const MS: Duration = Duration::from_millis(1);

/// Here, there, and here again.
#[bb::module]
fn tallied(
    graph: &Graph,
    x: On<Asker, f32>,
    to: On<Asker, Peer<Helper>>,
    here: TallyAt<Asker>,
    there: TallyAt<Helper>,
) -> On<Asker, f32> {
    let far = graph.wire(here.add(x), to);
    here.add(graph.wire(there.add(far), far.sender::<Asker>()))
}

/// Links take 10 ms, methods 5, checkpoints 2.
fn durable(writes: Duration) -> World {
    let program = bb::compile(tallied);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let mut world = World::new(3, bb::kernels());
    world.set_link(Link::default().delay(10 * MS..=10 * MS));
    world.set_cost(|_, _| 5 * MS);
    let here = || <TallyAt<Asker> as Accepts<Sum>>::component(Sum(0.0));
    let there = || <TallyAt<Helper> as Accepts<Sum>>::component(Sum(100.0));
    world.add_durable(vec![host("Asker").bind("here", here)], writes).expect("installs");
    world.add_durable(vec![host("Helper").bind("there", there)], writes).expect("installs");
    world.connect_all();
    world
}

#[test]
fn whenever_a_node_is_killed_the_call_ends_as_if_it_had_not_been_and_everything_counts_once() {
    for killed in [ASKER, HELPER] {
        for at in 0..60 {
            let mut world = durable(2 * MS);
            let args = || vec![number(1.0), peer(1)];
            let first = world.call(ASKER, args(), 60 * S);
            world.run_until(3 * MS + at * MS);
            world.kill(killed);
            world.run_until(world.elapsed() + 30 * MS);
            world.start(killed).expect("installs");
            world.connect(ASKER, HELPER);
            world.run_until(world.elapsed() + 5 * S);
            let second = world.call(ASKER, args(), 60 * S);
            world.run_until(world.elapsed() + 5 * S);
            let answers = [first, second].map(|c| world.result(c).cloned());
            let answer = |x: f32| Some(Ok(vec![Value::scalar(x)]));
            // Before the first method has run and what it gave is written, nobody has seen anything of the call.
            let unseen = killed == ASKER && at < 4;
            let expected = if unseen { [None, answer(102.0)] } else { [102.0, 307.0].map(answer) };
            assert_eq!(answers, expected, "node {} killed after {} ms", killed.0, at + 3);
            assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
        }
    }
}

#[test]
fn what_no_checkpoint_holds_nobody_has_seen() {
    // Checkpoints take longer than the node lives.
    let mut world = durable(100 * MS);
    let call = world.call(ASKER, vec![number(1.0), peer(1)], 60 * S);
    world.run_until(50 * MS);
    assert_eq!(world.usage(HELPER), Some(Usage::default()), "no message has left");
    world.kill(ASKER);
    world.start(ASKER).expect("installs");
    world.connect(ASKER, HELPER);
    world.run_until(5 * S);
    assert_eq!(world.result(call), None, "the call was not safe, and is gone");
    let next = world.call(ASKER, vec![number(1.0), peer(1)], 60 * S);
    world.run_until(10 * S);
    assert_eq!(world.result(next), Some(&Ok(vec![Value::scalar(102.0f32)])));
}

#[test]
fn a_deadline_goes_on_where_it_stopped() {
    let mut world = durable(MS);
    world.set_link_between(HELPER, ASKER, Link::default().drop(1.0));
    let call = world.call(ASKER, vec![number(1.0), peer(1)], S);
    world.run_until(S / 2);
    world.kill(ASKER);
    world.start(ASKER).expect("installs");
    world.connect(ASKER, HELPER);
    // Only durations are written down: the last checkpoint is of the first milliseconds.
    world.run_until(S + S / 2 - 50 * MS);
    assert_eq!(world.result(call), None);
    world.run_until(S + S / 2 + 50 * MS);
    assert!(world.result(call).is_some_and(Result::is_err), "{:?}", world.result(call));
    assert_eq!(events(&world, |e| matches!(e, Event::FrameExpired { .. })), 1);
}

/// Two rounds with every helper, the second by way of each answer to the first.
fn two_rounds(graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>) -> (On<Asker, u64>, On<Asker, f32>) {
    let there = graph.wire(x, cohort);
    let mut again = None;
    let back = graph.wire(positive(there), there.sender::<Asker>()).each(|y| {
        let second = graph.wire(digits(y, x), y.sender::<Helper>());
        again = Some(graph.wire(second, second.sender::<Asker>()));
        y
    });
    (back.count(), again.expect("the body ran").quorum(0.5).within(Duration::from_secs(20)).sum())
}

#[test]
fn gathers_and_their_lanes_survive() {
    let program = bb::compile(two_rounds);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    for at in 0..60 {
        let mut world = World::new(3, bb::kernels());
        world.set_link(Link::default().delay(10 * MS..=10 * MS));
        world.add_durable(host("Asker"), 2 * MS).expect("installs");
        for _ in 0..3 {
            world.add_durable(host("Helper"), 2 * MS).expect("installs");
        }
        world.connect_all();
        let call = world.call(ASKER, vec![number(2.0), EVERYONE], 60 * S);
        // What the entry sends is written after two milliseconds.
        world.run_until(3 * MS + at * MS);
        world.kill(ASKER);
        world.run_until(world.elapsed() + 5 * MS);
        world.start(ASKER).expect("installs");
        world.connect_all();
        world.run_until(10 * S);
        let answer = Some(Ok(vec![Value::scalar(3u64), Value::scalar(66.0f32)]));
        assert_eq!(world.result(call).cloned(), answer, "killed after {} ms", at + 3);
        assert_eq!([0, 1, 2, 3].map(|n| world.usage(NodeIx(n))), [Some(Usage::default()); 4]);
    }
}

/// An engine with two calls under way, and one that has nothing.
fn engines() -> [Engine; 2] {
    static ARTIFACT: LazyLock<Vec<u8>> =
        LazyLock::new(|| bb::compile(two_rounds).artifact("Asker").expect("compiled").bytes.clone());
    let new = |n: usize| {
        let mut config = Config::new(peer_id(n), n as u64 + 1);
        config.durable = true;
        let mut engine = Engine::new(config);
        engine.install(&ARTIFACT, &bb::kernels(), &[]).expect("installs");
        engine
    };
    let mut busy = new(0);
    for call in 0..2 {
        let cohort = Value::Seq([1, 2, 3].map(|n| Value::Peer(peer_id(n))).to_vec().into());
        let args = vec![number(2.0), Arg::Value(cohort)];
        busy.handle(NOW, Input::Call { call: CallId(call), graph: GraphId(0), args, budget: 60 * S });
        while busy.poll(NOW).is_some() {}
    }
    [busy, new(0)]
}
const NOW: Time = Time(200_000_000_000_000);

#[test]
fn a_checkpoint_that_was_touched_is_refused_and_leaves_the_engine_as_it_was() {
    let [mut busy, mut fresh] = engines();
    let good = busy.checkpoint().bytes.to_vec();
    let usage = busy.usage();
    assert_eq!((usage.calls, usage.frames, usage.lanes, usage.in_flight), (2, 2, 12, 6));
    assert_eq!(busy.restore(NOW, &good), Err(CheckpointError::Running));
    for cut in 0..good.len() {
        let error = fresh.restore(NOW, &good[..cut]).expect_err("it is cut off");
        assert!(matches!(error, CheckpointError::NotOne | CheckpointError::Truncated { .. }), "{cut}: {error}");
    }
    for bit in (0..good.len() * 8).step_by(3) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fresh.restore(NOW, &bad).expect_err("a bit is wrong");
    }
    let mut newer = good.clone();
    newer[8] = 3;
    assert_eq!(fresh.restore(NOW, &newer), Err(CheckpointError::Newer(3)));
    let mut other = Engine::new(Config::new(peer_id(9), 1));
    assert!(matches!(other.restore(NOW, &good), Err(CheckpointError::OtherNode(_))));
    let mut empty = Engine::new(Config::new(peer_id(0), 1));
    assert_eq!(empty.restore(NOW, &good), Err(CheckpointError::OtherProgram { class: "Asker".into() }));
    assert_eq!(fresh.usage(), Usage::default());
    let calls = fresh.restore(NOW, &good).expect("it is whole");
    assert_eq!((fresh.usage(), calls), (usage, vec![(CallId(0), GraphId(0)), (CallId(1), GraphId(0))]));
    assert_eq!(fresh.calls_made(), 2);
    assert_eq!(fresh.checkpoint().bytes.len(), good.len(), "and is the same");
}

#[test]
fn an_image_that_cannot_be_is_refused_or_runs_without_harm() {
    let good = engines()[0].checkpoint().bytes.to_vec();
    let (mut refused, mut ran) = (0, 0);
    for at in (20..good.len() - 32).step_by(3) {
        for change in [1, 0x80, 0xff] {
            let mut bad = good[..good.len() - 32].to_vec();
            bad[at] ^= change;
            let sum = bb::ir::digest::sha256(&bad);
            bad.extend_from_slice(&sum);
            let [_, mut engine] = engines();
            match engine.restore(NOW, &bad) {
                Err(_) => {
                    refused += 1;
                    assert_eq!(engine.usage(), Usage::default());
                }
                Ok(_) => {
                    ran += 1;
                    for later in [0, 30, 100_000] {
                        let now = NOW.after(later * S);
                        engine.handle(now, Input::Tick);
                        while engine.poll(now).is_some() {}
                    }
                }
            }
        }
    }
    assert!(refused > 100 && ran > 100, "{refused} refused, {ran} ran");
}

fn feed(engine: &mut Engine, now: Time, input: Input) -> Vec<EngineStep> {
    engine.handle(now, input);
    steps(engine, now)
}
fn steps(engine: &mut Engine, now: Time) -> Vec<EngineStep> {
    std::iter::from_fn(|| engine.poll(now)).collect()
}
/// A durable asker (0) or a helper (1) of `there_and_back`.
fn one_of_two(index: usize) -> Engine {
    static PROGRAM: LazyLock<bb::Compiled> = LazyLock::new(|| bb::compile(there_and_back));
    let mut engine = Engine::new(Config { durable: index == 0, ..Config::new(peer_id(index), 1) });
    let artifact = PROGRAM.artifact(["Asker", "Helper"][index]).expect("compiled");
    engine.install(&artifact.bytes, &bb::kernels(), &[]).expect("installs");
    engine
}
fn there_and_back(graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, cohort);
    graph.wire(positive(there), there.sender::<Asker>()).sum()
}
/// Each says Hello to the other; what the asker does then, with all of it written down.
fn meet(asker: &mut Engine, helper: &mut Engine, now: Time) -> Vec<EngineStep> {
    let [to_helper, to_asker] = [asker.hello_for(now, &peer_id(1)), helper.hello_for(now, &peer_id(0))];
    feed(helper, now, Input::Connected { peer: peer_id(0), hello: to_helper });
    feed(asker, now, Input::Connected { peer: peer_id(1), hello: to_asker })
}

/// What a lost connection took with it is settled by the next Hello. A crash takes that back, and not the Hello.
#[test]
fn a_hello_settles_nothing_that_no_checkpoint_holds() {
    let (mut asker, mut helper) = (one_of_two(0), one_of_two(1));
    meet(&mut asker, &mut helper, NOW);
    let call = Input::Call { call: CallId(1), graph: GraphId(0), args: vec![number(2.0), EVERYONE], budget: 60 * S };
    feed(&mut asker, NOW, call);
    let written = asker.checkpoint();
    asker.checkpoint_durable(written.id);
    assert!(matches!(steps(&mut asker, NOW).as_slice(), [EngineStep::Send(_)]), "it is lost on its way");
    feed(&mut asker, NOW, Input::Disconnected { peer: peer_id(1) });
    feed(&mut helper, NOW, Input::Disconnected { peer: peer_id(0) });
    meet(&mut asker, &mut helper, NOW);

    feed(&mut helper, NOW, Input::Disconnected { peer: peer_id(0) });
    let mut asker = one_of_two(0);
    assert_eq!(asker.restore(NOW, &written.bytes), Ok(vec![(CallId(1), GraphId(0))]));
    meet(&mut asker, &mut helper, NOW);
    let written = asker.checkpoint();
    asker.checkpoint_durable(written.id);
    let again = steps(&mut asker, NOW);
    let [EngineStep::Send(message)] = again.as_slice() else { panic!("{again:?}") };
    let frame = message.encode(NOW).concat().into();
    let answer = feed(&mut helper, NOW, Input::Received { peer: peer_id(0), frame });
    let [EngineStep::Send(message)] = answer.as_slice() else { panic!("{answer:?}") };
    let frame = message.encode(NOW).concat().into();
    feed(&mut asker, NOW, Input::Received { peer: peer_id(1), frame });
    let written = asker.checkpoint();
    asker.checkpoint_durable(written.id);
    let answered = steps(&mut asker, NOW);
    let is_answer = |s: &EngineStep| matches!(s, EngineStep::CallResolved { result: Ok(_), .. });
    assert!(answered.iter().any(is_answer), "{answered:?}");
}

#[test]
fn no_more_than_a_window_goes_out_behind_a_restore() {
    let mut before = one_of_two(0);
    meet(&mut before, &mut one_of_two(1), NOW);
    for call in 0..6000 {
        let args = vec![number(2.0), EVERYONE];
        feed(&mut before, NOW, Input::Call { call: CallId(call), graph: GraphId(0), args, budget: 60 * S });
    }
    let (mut asker, mut helper) = (one_of_two(0), one_of_two(1));
    asker.restore(NOW, &before.checkpoint().bytes).expect("it is whole");
    meet(&mut asker, &mut helper, NOW);
    let (mut now, mut answered, mut most) = (NOW, 0, 0);
    while answered < 6000 {
        let written = asker.checkpoint();
        asker.checkpoint_durable(written.id);
        let said = steps(&mut asker, now);
        answered += said.iter().filter(|s| matches!(s, EngineStep::CallResolved { result: Ok(_), .. })).count();
        let mail: Vec<_> =
            said.iter().filter_map(|s| if let EngineStep::Send(m) = s { Some(m) } else { None }).collect();
        most = most.max(mail.iter().filter(|m| m.has_fills()).count());
        // The last is the first to arrive.
        for message in mail.into_iter().rev() {
            let frame = message.encode(now).concat().into();
            for step in feed(&mut helper, now, Input::Received { peer: peer_id(0), frame }) {
                let EngineStep::Send(message) = step else { panic!("{step:?}") };
                let frame = message.encode(now).concat().into();
                asker.handle(now, Input::Received { peer: peer_id(1), frame });
            }
        }
        now = now.after(MS);
        assert!(now < NOW.after(10 * S), "{answered} answers, and nothing more comes");
    }
    assert_eq!((most, helper.counters().duplicates), (4096, 0));
}
