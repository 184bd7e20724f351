//! What a node holds has a bound, whatever peers and callers do.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{
    Arg, CallError, CallId, Config, Engine, EngineStep, Event, GraphId, Input, LimitKind, Limits, Membership, Time,
    Usage, Value,
};
use bb::ir::envelope::{self, Envelope};
use bb::ir::limits::WireLimits;
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_sim::{Host, World, peer_id};
use bytes::Bytes;
use std::sync::LazyLock;

const NOW: Time = Time(1_000_000_000_000);

fn told(graph: &Graph, x: On<Asker, Tensor>, to: On<Asker, Peers<Helper>>) -> On<Each<Helper>, Tensor> {
    graph.wire(x, to)
}
/// An asker (0) or a helper (1).
fn node(index: usize, limits: Limits) -> Engine {
    static PROGRAM: LazyLock<bb::Compiled> = LazyLock::new(|| bb::compile(told));
    assert_eq!(PROGRAM.diagnostics, []);
    let mut engine = Engine::new(Config { limits, ..Config::new(peer_id(index), 1) });
    let artifact = PROGRAM.artifact(["Asker", "Helper"][index]).expect("compiled");
    engine.install(&artifact.bytes, &bb::kernels(), &[]).expect("installs");
    engine
}
fn feed(engine: &mut Engine, now: Time, input: Input) -> Vec<EngineStep> {
    engine.handle(now, input);
    std::iter::from_fn(|| engine.poll(now)).collect()
}
fn call(number: u64, args: Vec<Arg>) -> Input {
    Input::Call { call: CallId(number), graph: GraphId(0), args, budget: 10 * S }
}
fn limits_hit(steps: &[EngineStep], kind: LimitKind) -> usize {
    let hit = |s: &&EngineStep| matches!(s, EngineStep::Event(Event::LimitReached { limit, .. }) if *limit == kind);
    steps.iter().filter(hit).count()
}

/// Its messages are given up in time, and their numbers wait for it all the same. That it says something is no answer to them.
#[test]
fn a_peer_that_talks_and_acknowledges_nothing_is_sent_no_more_than_a_bound() {
    let mut asker = node(0, Limits { unacknowledged_max: 100, ..Limits::default() });
    let helper = node(1, Limits::default());
    feed(&mut asker, NOW, Input::Connected { peer: peer_id(1), hello: helper.hello() });
    let talk: Bytes = envelope::encode(&Envelope::bare(0, 0)).concat().into();
    let (mut now, mut sizes, mut refused) = (NOW, Vec::new(), 0);
    for number in 1..=2000 {
        now = now.after(S / 10);
        asker.handle(now, Input::Received { peer: peer_id(1), frame: talk.clone() });
        let steps = feed(&mut asker, now, call(number, vec![self::number(1.0), EVERYONE]));
        refused += limits_hit(&steps, LimitKind::Unacknowledged);
        if number % 500 == 0 {
            sizes.push(asker.checkpoint().bytes.len());
        }
    }
    assert_eq!(refused, 1900);
    assert!(sizes.iter().all(|s| s.abs_diff(sizes[0]) < 200), "{sizes:?}");
    // Once it acknowledges, it is sent what comes next.
    let talk: Bytes = envelope::encode(&Envelope::bare(0, 100)).concat().into();
    feed(&mut asker, now, Input::Received { peer: peer_id(1), frame: talk });
    let steps = feed(&mut asker, now, call(0, vec![number(1.0), EVERYONE]));
    assert!(steps.iter().any(|s| matches!(s, EngineStep::Send(m) if m.has_fills())), "{steps:?}");
    assert_eq!(asker.usage(), Usage { in_flight: 1, ..Usage::default() });
}

#[test]
fn a_call_that_brings_more_bytes_than_a_node_may_hold_is_refused() {
    let mut asker = node(0, Limits { bytes_max: 1000, ..Limits::default() });
    let large = RawTensor::from_vec(&[100], vec![0.0f32; 100]).expect("a hundred");
    let args = || vec![Arg::Value(Value::Tensor(large.clone())), EVERYONE];
    let refused = |steps: &[EngineStep]| {
        steps.iter().any(|s| {
            let limit = CallError::Limit(LimitKind::Bytes);
            matches!(s, EngineStep::CallResolved { result: Err(error), .. } if *error == limit)
        })
    };
    // Two calls that have not run yet hold 400 bytes each.
    for number in 1..=2 {
        asker.handle(NOW, call(number, args()));
    }
    assert_eq!(asker.usage().bytes, 800);
    asker.handle(NOW, call(3, args()));
    assert_eq!(asker.usage().bytes, 800);
    let steps: Vec<EngineStep> = std::iter::from_fn(|| asker.poll(NOW)).collect();
    assert!(refused(&steps) && limits_hit(&steps, LimitKind::Bytes) == 1, "{steps:?}");
    assert!(!refused(&feed(&mut asker, NOW, call(4, args()))), "there is room again");
    assert_eq!(asker.usage(), Usage::default());
}

/// Lanes are numbered up to there: who is told of one beyond takes it for a violation.
#[test]
fn a_cohort_of_more_peers_than_there_are_lanes_is_no_argument() {
    let mut asker = node(0, Limits { peers_max: 100_000, ..Limits::default() });
    let cohort = |peers: std::ops::Range<usize>| {
        let peers: Vec<Value> = peers.map(|n| Value::Peer(peer_id(n))).collect();
        vec![number(1.0), Arg::Value(Value::Seq(peers.into()))]
    };
    let steps = feed(&mut asker, NOW, call(1, cohort(1..65_538)));
    let [EngineStep::CallResolved { result: Err(CallError::BadArgument { index: 1, expected }), .. }] =
        steps.as_slice()
    else {
        panic!("{} steps", steps.len())
    };
    assert_eq!(expected, "`b` is a `Peers` of at most 65536, this is a `Peers` of 65537");
    assert_eq!(asker.usage(), Usage::default());
    let steps = feed(&mut asker, NOW, call(2, cohort(1..65_537)));
    let last = steps.iter().rev().find_map(|s| if let EngineStep::Send(m) = s { Some(m) } else { None });
    let frame: Bytes = last.expect("one for each").encode(NOW).concat().into();
    assert_eq!(envelope::decode(frame, &WireLimits::default()).map(|e| e.lane), Ok(Some(65_535)));
}

/// What is given up behind the window goes out as its number when its turn comes: before, the peer would take it for a lie.
#[test]
fn numbers_that_are_given_up_keep_to_the_window() {
    let (mut asker, helper) = (node(0, Limits::default()), node(1, Limits::default()));
    feed(&mut asker, NOW, Input::Connected { peer: peer_id(1), hello: helper.hello() });
    for number in 1..=6000 {
        feed(&mut asker, NOW, call(number, vec![self::number(1.0), EVERYONE]));
    }
    let numbers = |steps: Vec<EngineStep>, now: Time| -> Vec<u64> {
        let read = |s| {
            let EngineStep::Send(message) = s else { return None };
            let frame: Bytes = message.encode(now).concat().into();
            Some(envelope::decode(frame, &WireLimits::default()).expect("it was just encoded").seq)
        };
        steps.into_iter().filter_map(read).collect()
    };
    let late = NOW.after(10 * S);
    let said = numbers(feed(&mut asker, late, Input::Tick), late);
    assert_eq!(asker.usage(), Usage::default(), "all are given up");
    assert_eq!(said.iter().max(), Some(&4096));
    let ack: Bytes = envelope::encode(&Envelope::bare(0, 4096)).concat().into();
    let said = numbers(feed(&mut asker, late, Input::Received { peer: peer_id(1), frame: ack }), late);
    assert_eq!(said, (4097..=6000).collect::<Vec<_>>());
}

#[bb::op]
fn first_of(a: Tensor, _b: Tensor) -> Tensor {
    a
}
/// The place where two wires meet is reached by way of another.
fn joined(
    graph: &Graph,
    x: On<Asker, Tensor>,
    by: On<Asker, Peer<Helper>>,
    at: On<Asker, Peer<Helper>>,
) -> On<Asker, Tensor> {
    let (x_there, at_there) = graph.wire((x, at), by);
    let both = first_of(graph.wire(x_there, at_there), graph.wire(x, at));
    graph.wire(both, graph.origin::<Asker>())
}

/// Each opens frames that wait for a day for a second message, which never comes.
#[test]
fn one_member_takes_no_more_than_half_of_what_there_is() {
    let program = bb::compile(joined);
    assert_eq!(program.diagnostics, []);
    let node = |index: usize, classes: &[&str], limits: Limits| {
        let mut engine = Engine::new(Config { limits, ..Config::new(peer_id(index), 1) });
        for class in classes {
            let artifact = program.artifact(class).expect("compiled");
            engine.install(&artifact.bytes, &bb::kernels(), &[]).expect("installs");
        }
        engine
    };
    let tensor = |n: u64| Arg::Value(Value::Tensor(RawTensor::from_vec(&[n], vec![0.0f32; n as usize]).expect("n")));
    // Of frames, and of bytes: 400 of each message, and 38 of each of its peers.
    let many = Limits { frames_max: 1000, ..Limits::default() };
    let large = Limits { bytes_max: 400_000, ..Limits::default() };
    for (limits, kind) in [(many, LimitKind::Frames), (large, LimitKind::Bytes)] {
        // A peer sends the one wire itself, or has the node do it.
        for wire in [0, 1] {
            let mut host = node(1, &["Helper", "Asker"], limits.clone());
            for liar in [2, 3] {
                let mut asker = node(liar, &["Asker"], Limits::default());
                feed(&mut asker, NOW, Input::Connected { peer: peer_id(1), hello: host.hello() });
                feed(&mut host, NOW, Input::Connected { peer: peer_id(liar), hello: asker.hello() });
                let steps = feed(&mut asker, NOW, call(1, vec![tensor(100), peer(1), peer(1)]));
                let messages: Vec<_> =
                    steps.iter().filter_map(|s| if let EngineStep::Send(m) = s { Some(m) } else { None }).collect();
                let frame: Bytes = messages[wire].encode(NOW).concat().into();
                let mut said = envelope::decode(frame, &WireLimits::default()).expect("it was just encoded");
                for number in 1..=1000 {
                    (said.seq, said.execution.as_mut().expect("it has fills").counter) = (number, number);
                    let frame = envelope::encode_with(&said.clone().to_be_sent(), u64::MAX / 2).concat().into();
                    let steps = feed(&mut host, NOW, Input::Received { peer: peer_id(liar), frame });
                    if liar == 2 && number == 1000 {
                        assert_eq!(limits_hit(&steps, kind), 1, "{steps:?}");
                    }
                }
            }
            let usage = host.usage();
            let (held, most) = match kind {
                LimitKind::Frames => (usage.frames as u64, 1000),
                _ => (usage.bytes, 400_000),
            };
            // One has half, the next half of what is left.
            assert!(held > most * 74 / 100 && held < most * 76 / 100, "{usage:?}");
            let steps = feed(
                &mut host,
                NOW,
                Input::Call {
                    call: CallId(1),
                    graph: GraphId(1),
                    args: vec![tensor(1000), peer(1), peer(1)],
                    budget: 10 * S,
                },
            );
            let answered = |s: &EngineStep| matches!(s, EngineStep::CallResolved { result: Ok(_), .. });
            assert!(steps.iter().any(answered), "{kind:?}, wire {wire}: {steps:?}");
            // Once their time is over, all is there again.
            feed(&mut host, NOW.after(S * 86_401), Input::Tick);
            assert_eq!(Usage { in_flight: 0, ..host.usage() }, Usage::default());
        }
    }
}

#[bb::op]
fn grown(x: f32, to: u64) -> Tensor {
    Tensor::from_vec(&[to], vec![x; to as usize]).expect("as many as the shape says")
}
#[bb::op]
fn count(x: Tensor) -> f32 {
    x.shape()[0] as f32
}
#[bb::role]
pub trait Grows {
    fn grow(&mut self, x: f32, to: u64) -> Tensor;
}
/// What a call said that hit the limit, and how much its node held at most.
fn grow(program: &bb::Compiled, bound: &[&str], to: u64) -> (Result<f32, String>, u64) {
    assert_eq!(program.diagnostics, []);
    let limits = Limits { bytes_max: 1000, ..Limits::default() };
    let mut engine = Engine::new(Config { limits, ..Config::new(peer_id(0), 1) });
    let artifact = program.artifact("Asker").expect("compiled");
    engine.install(&artifact.bytes, &bb::kernels(), bound).expect("installs");
    engine.handle(NOW, call(1, vec![number(1.0), Arg::Value(Value::scalar(to))]));
    let (mut steps, mut most) = (Vec::new(), 0);
    loop {
        let mut ops = 1;
        let step = engine.poll_within(NOW, &mut ops);
        most = most.max(engine.usage().bytes);
        let Some(step) = step else { if ops == 0 { continue } else { break } };
        if let EngineStep::Run { command, .. } = step {
            let tensor = RawTensor::from_vec(&[to], vec![0.0f32; to as usize]).expect("as many");
            engine.handle(NOW, Input::Completed { command, result: Ok(vec![Value::Tensor(tensor)]) });
            most = most.max(engine.usage().bytes);
        }
        steps.push(step);
    }
    assert_eq!(engine.usage(), Usage::default());
    let result = steps.iter().find_map(|s| match s {
        EngineStep::CallResolved { result: Ok(values), .. } => Some(Ok(values[0].as_scalar().expect("a number"))),
        EngineStep::CallResolved { result: Err(error), .. } => Some(Err(error.to_string())),
        _ => None,
    });
    let result = result.expect("it resolves");
    assert_eq!(limits_hit(&steps, LimitKind::Bytes), usize::from(result.is_err()), "{steps:?}");
    (result, most)
}

#[test]
fn what_an_op_or_a_component_makes_is_not_kept_where_it_is_more_than_a_node_may_hold() {
    // A plain op; one whose output is copied for two; a component's method.
    let plain = bb::compile(|_: &Graph, x: On<Asker, f32>, to: On<Asker, u64>| count(grown(x, to)));
    let output = bb::compile(|_: &Graph, x: On<Asker, f32>, to: On<Asker, u64>| {
        let grown = grown(x, to);
        (digits(x, count(grown)), grown)
    });
    let method =
        bb::compile(|_: &Graph, x: On<Asker, f32>, to: On<Asker, u64>, grows: GrowsAt<Asker>| count(grows.grow(x, to)));
    let (none, one): (&[&str], &[&str]) = (&[], &["c"]);
    for (program, bound, fits, result) in
        [(&plain, none, 200, 200), (&output, none, 100, 110), (&method, one, 200, 200)]
    {
        let (answer, most) = grow(program, bound, fits);
        assert_eq!(answer, Ok(result as f32));
        assert!((800..=1000).contains(&most), "{most}");
        let (result, most) = grow(program, bound, fits * 13 / 10);
        let text = result.expect_err("it is too large");
        assert!(text.contains("would hold more bytes than it may"), "{text}");
        assert!(most <= 1000, "{most}");
    }
}

#[test]
fn a_gather_that_is_more_than_a_node_may_hold_fails_its_call_alone() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, Tensor>, to: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, to);
        graph.wire(there, there.sender::<Asker>()).count()
    });
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    let mut world = World::new(7, bb::kernels());
    let limits = Limits { bytes_max: 3000, ..Limits::default() };
    world.add_with(host("Asker"), Membership::open(), limits).expect("installs");
    for _ in 0..3 {
        world.add(host("Helper")).expect("installs");
    }
    world.connect_all();
    let tensor = |n: u64| Arg::Value(Value::Tensor(RawTensor::from_vec(&[n], vec![0.0f32; n as usize]).expect("n")));
    assert_eq!(ask(&mut world, vec![tensor(50), EVERYONE]), Ok(vec![3.0]));
    // Three of 600 bytes have room in their lanes, and not once more behind them.
    let error = ask(&mut world, vec![tensor(150), EVERYONE]).expect_err("it is too large");
    assert!(error.to_string().contains("would hold more bytes than it may"), "{error}");
    assert_eq!(ask(&mut world, vec![tensor(50), EVERYONE]), Ok(vec![3.0]));
}

/// It would have the window move for it, and what it has not got be taken for delivered.
#[test]
fn an_acknowledgement_of_what_waits_behind_the_window_is_a_violation() {
    let (mut asker, helper) = (node(0, Limits::default()), node(1, Limits::default()));
    feed(&mut asker, NOW, Input::Connected { peer: peer_id(1), hello: helper.hello() });
    for number in 1..=5000 {
        feed(&mut asker, NOW, call(number, vec![self::number(1.0), EVERYONE]));
    }
    let say = |asker: &mut Engine, ack| {
        let frame = envelope::encode(&Envelope::bare(0, ack)).concat().into();
        let steps = feed(asker, NOW, Input::Received { peer: peer_id(1), frame });
        steps.iter().filter(|s| matches!(s, EngineStep::Event(Event::EnvelopeRefused { .. }))).count()
    };
    assert_eq!((say(&mut asker, 4097), asker.usage().in_flight), (1, 5000));
    assert_eq!((say(&mut asker, 4096), asker.usage().in_flight), (0, 904));
    assert_eq!((say(&mut asker, 5000), asker.usage().in_flight), (0, 0), "now they have gone out");
}
