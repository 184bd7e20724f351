//! Who makes up identities does not fill a node, and who is forgotten and comes back loses nothing.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{
    CallError, CallId, Config, DisconnectReason, Engine, EngineStep, Event, GraphId, Input, Limits, Membership, PeerId,
    Refusal, SendId, Standing, Time, Usage, Value,
};
use bb::ir::failure::FailureCode;
use bb::ir::limits::WireLimits;
use bb::ir::{envelope, hello};
use bb::prelude::*;
use bb_sim::{Host, NodeIx, World, peer_id};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

const HELPER: NodeIx = NodeIx(1);
const DAY: Duration = Duration::from_secs(86_400);

#[bb::module]
fn there_and_back(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(digits(there, there), there.sender::<Asker>())
}
static PROGRAM: LazyLock<bb::Compiled> = LazyLock::new(|| bb::compile(there_and_back));

/// A node that remembers so many peers.
fn node(class: &str, index: usize, epoch: u64, peers_max: usize) -> Engine {
    static PLANNED: LazyLock<[Engine; 2]> = LazyLock::new(|| {
        ["Asker", "Helper"].map(|class| {
            let mut engine = Engine::new(Config::new(peer_id(0), 0));
            engine.install(&PROGRAM.artifact(class).expect("compiled").bytes, &bb::kernels(), &[]).expect("installs");
            engine
        })
    });
    let limits = Limits { peers_max, ..Limits::default() };
    let config = Config { limits, ..Config::new(peer_id(index), epoch) };
    Engine::with_graphs_of(&PLANNED[usize::from(class == "Helper")], config)
}
fn helper(peers_max: usize) -> Engine {
    node("Helper", 1, 1, peers_max)
}
fn asker(index: usize) -> Engine {
    node("Asker", index, index as u64, 100)
}
const NOW: Time = Time(1_000_000_000_000);

fn feed(engine: &mut Engine, now: Time, input: Input) -> Vec<EngineStep> {
    engine.handle(now, input);
    std::iter::from_fn(|| engine.poll(now)).collect()
}
fn away(steps: &[EngineStep]) -> Vec<DisconnectReason> {
    let reason = |s: &EngineStep| if let EngineStep::Disconnect { reason, .. } = s { Some(*reason) } else { None };
    steps.iter().filter_map(reason).collect()
}
fn at_limit(steps: &[EngineStep]) -> bool {
    steps.iter().any(
        |s| matches!(s, EngineStep::Event(Event::LimitReached { limit, .. }) if format!("{limit:?}") == "KnownPeers"),
    )
}
/// Each says Hello to the other; what the first makes of it.
fn meet(a: &mut Engine, b: &mut Engine, now: Time, names: [PeerId; 2]) -> Vec<EngineStep> {
    // Hosts wake an engine when it says, so nothing is overdue.
    for engine in [&mut *a, &mut *b] {
        feed(engine, now, Input::Tick);
    }
    let [to_b, to_a] = [a.hello_for(now, &names[1]), b.hello_for(now, &names[0])];
    feed(b, now, Input::Connected { peer: names[0].clone(), hello: to_b });
    feed(a, now, Input::Connected { peer: names[1].clone(), hello: to_a })
}
fn part(a: &mut Engine, b: &mut Engine, now: Time, names: [PeerId; 2]) {
    feed(a, now, Input::Disconnected { peer: names[1].clone() });
    feed(b, now, Input::Disconnected { peer: names[0].clone() });
}
/// Calls the helper so often; the numbers of the messages either has sent.
fn calls(asker: &mut Engine, helper: &mut Engine, now: Time, index: usize, count: u64) -> [Vec<u64>; 2] {
    let (mut sent, mut answers) = ([Vec::new(), Vec::new()], 0);
    for _ in 0..count {
        let args = vec![number(1.0), peer(1)];
        let call = CallId(asker.calls_made() + 1);
        let steps = feed(asker, now, Input::Call { call, graph: GraphId(0), args, budget: 60 * S });
        let mut mail: VecDeque<_> = steps.into_iter().map(|s| (0, s)).collect();
        while let Some((from, step)) = mail.pop_front() {
            let message = match step {
                EngineStep::Send(message) => message,
                EngineStep::CallResolved { result, .. } => {
                    assert_eq!(result, Ok(vec![Value::scalar(11.0f32)]));
                    answers += 1;
                    continue;
                }
                EngineStep::AppEvent { .. } => continue,
                other => panic!("{other:?}"),
            };
            if message.has_fills() {
                sent[from].push(message.id.seq);
            }
            let frame: Bytes = message.encode(now).concat().into();
            let (to, by) = if from == 0 { (&mut *helper, peer_id(index)) } else { (&mut *asker, peer_id(1)) };
            let steps = feed(to, now, Input::Received { peer: by, frame });
            mail.extend(steps.into_iter().map(|s| (1 - from, s)));
        }
    }
    assert_eq!(answers, count);
    sent
}

#[test]
fn identities_that_come_and_go_take_no_more_room_than_there_is() {
    let (mut node, mut friend) = (helper(50), asker(0));
    meet(&mut node, &mut friend, NOW, [peer_id(1), peer_id(0)]);
    let hello = asker(2).hello();
    let mut sizes = Vec::new();
    for n in 0..10_000 {
        let stranger = peer_id(2 + n);
        node.hello_for(NOW, &stranger);
        let steps = feed(&mut node, NOW, Input::Connected { peer: stranger.clone(), hello: hello.clone() });
        assert_eq!(away(&steps), [], "{steps:?}");
        feed(&mut node, NOW, Input::Disconnected { peer: stranger });
        if n % 1000 == 999 {
            sizes.push(node.checkpoint().bytes.len());
        }
    }
    assert!(sizes.iter().all(|s| s.abs_diff(sizes[0]) < 500 && *s < 10_000), "{sizes:?}");
    // Who was there all the time has noticed nothing.
    calls(&mut friend, &mut node, NOW, 0, 3);
}

#[test]
fn who_finds_no_place_is_sent_away_and_comes_in_once_there_is_one() {
    let mut node = helper(2);
    let said = asker(2).hello();
    let comes = |node: &mut Engine, n: usize| {
        node.hello_for(NOW, &peer_id(n));
        feed(node, NOW, Input::Connected { peer: peer_id(n), hello: said.clone() })
    };
    for n in [2, 3] {
        assert_eq!(away(&comes(&mut node, n)), []);
    }
    let steps = comes(&mut node, 4);
    assert_eq!((away(&steps), at_limit(&steps)), (vec![DisconnectReason::TooManyPeers], true));
    assert_eq!(node.members("Asker"), [peer_id(2), peer_id(3)]);
    feed(&mut node, NOW, Input::Disconnected { peer: peer_id(2) });
    assert_eq!(away(&comes(&mut node, 4)), []);
    let mut members = [peer_id(3), peer_id(4)];
    members.sort();
    assert_eq!(node.members("Asker"), members);
}

#[test]
fn a_peer_nobody_has_a_place_for_is_not_sent_to() {
    let mut node = node("Asker", 0, 1, 1);
    let mut friend = helper(9);
    meet(&mut node, &mut friend, NOW, [peer_id(0), peer_id(1)]);
    let call = Input::Call { call: CallId(1), graph: GraphId(0), args: vec![number(1.0), peer(7)], budget: S };
    let steps = feed(&mut node, NOW, call);
    assert!(at_limit(&steps), "{steps:?}");
    let failed = steps.iter().any(
        |s| matches!(s, EngineStep::CallResolved { result: Err(e), .. } if e.to_string().contains("as many peers as it may")),
    );
    assert!(failed, "{steps:?}");
    assert_eq!(node.usage(), Usage::default());
}

#[test]
fn who_was_forgotten_and_comes_back_gets_every_message_once_both_ways() {
    let (mut node, mut friend, mut other) = (helper(1), asker(0), asker(2));
    let (us, others) = ([peer_id(1), peer_id(0)], [peer_id(1), peer_id(2)]);
    let mut now = NOW;
    let mut last = 0;
    for round in 0..3 {
        assert_eq!(away(&meet(&mut node, &mut friend, now, us.clone())), [], "round {round}");
        let [there, back] = calls(&mut friend, &mut node, now, 0, 20);
        assert_eq!((there[0], there.len()), (20 * round + 1, 20));
        assert!(back[0] > last, "{back:?} after {last}");
        last = back[19];
        part(&mut node, &mut friend, now, us.clone());
        // What it has said had an effect: for a day nobody takes its place.
        for (later, fits) in [(Duration::ZERO, false), (DAY, false), (DAY + S, true)] {
            let steps = meet(&mut node, &mut other, now.after(later), others.clone());
            assert_eq!(away(&steps).is_empty(), fits, "after {later:?}");
        }
        now = now.after(DAY + S);
        let [_, back] = calls(&mut other, &mut node, now, 2, 20);
        assert!(back[0] > last + 1, "{back:?} after {last}");
        last = back[19];
        part(&mut node, &mut other, now, others.clone());
        now = now.after(DAY + S);
    }
    for engine in [&mut node, &mut friend, &mut other] {
        feed(engine, now, Input::Tick);
        assert_eq!((engine.usage(), engine.counters().duplicates), (Usage::default(), 0));
    }
}

#[test]
fn what_a_restored_peer_sent_before_it_was_forgotten_has_its_effect_once() {
    // Whether it was forgotten, and whether it misses the first Hello that says so.
    for (forgotten, misses) in [(false, false), (true, false), (true, true)] {
        let (mut node, mut other) = (helper(1), asker(2));
        let durable = || {
            let mut config = Config { durable: true, ..Config::new(peer_id(0), 5) };
            config.limits.peers_max = 100;
            Engine::with_graphs_of(&asker(0), config)
        };
        let (mut friend, mut now) = (durable(), NOW);
        let (us, others) = ([peer_id(1), peer_id(0)], [peer_id(1), peer_id(2)]);
        meet(&mut node, &mut friend, now, us.clone());
        let args = vec![number(1.0), peer(1)];
        feed(&mut friend, now, Input::Call { call: CallId(1), graph: GraphId(0), args, budget: 60 * S });
        let saved = friend.checkpoint();
        friend.checkpoint_durable(saved.id);
        // It arrives and is answered, and its sender dies before it knows.
        let fills = |steps: Vec<EngineStep>| -> Vec<Bytes> {
            let frame = |s| match s {
                EngineStep::Send(m) if m.has_fills() => Some(m.encode(NOW).concat().into()),
                _ => None,
            };
            steps.into_iter().filter_map(frame).collect()
        };
        let sent = fills(std::iter::from_fn(|| friend.poll(now)).collect());
        let [frame] = &sent[..] else { panic!("{sent:?}") };
        let answered = fills(feed(&mut node, now, Input::Received { peer: peer_id(0), frame: frame.clone() }));
        assert_eq!(answered.len(), 1);
        feed(&mut node, now, Input::Disconnected { peer: peer_id(0) });
        now = now.after(DAY + S);
        if forgotten {
            assert_eq!(away(&meet(&mut node, &mut other, now, others.clone())), []);
            part(&mut node, &mut other, now, others);
            now = now.after(S);
        }
        let mut friend = durable();
        friend.restore(now, &saved.bytes).expect("it is its own");
        for engine in [&mut node, &mut friend] {
            feed(engine, now, Input::Tick);
        }
        if misses {
            node.hello_for(now, &peer_id(0));
            let said = friend.hello_for(now, &peer_id(1));
            assert_eq!(away(&feed(&mut node, now, Input::Connected { peer: peer_id(0), hello: said })), []);
            feed(&mut node, now, Input::Disconnected { peer: peer_id(0) });
        }
        let hello = node.hello_for(now, &peer_id(0));
        let said = friend.hello_for(now, &peer_id(1));
        assert_eq!(away(&feed(&mut node, now, Input::Connected { peer: peer_id(0), hello: said })), []);
        let mut steps = feed(&mut friend, now, Input::Connected { peer: peer_id(1), hello });
        let saved = friend.checkpoint();
        friend.checkpoint_durable(saved.id);
        steps.extend(std::iter::from_fn(|| friend.poll(now)));
        let fails = |s: &EngineStep| match s {
            EngineStep::CallResolved { result: Err(CallError::Failed(cause)), .. } => Some(cause.code),
            _ => None,
        };
        assert_eq!(steps.iter().find_map(fails), forgotten.then_some(FailureCode::PeerLost), "{steps:?}");
        let forgot =
            |node: &Engine| hello::decode(node.hello_again(&peer_id(0)), &WireLimits::default()).expect("ours").forgot;
        assert_eq!(forgot(&node), forgotten, "it is said until it is known to be heard");
        for step in &steps {
            if let EngineStep::Send(m) = step {
                let frame = m.encode(now).concat().into();
                feed(&mut node, now, Input::Received { peer: peer_id(0), frame });
            }
        }
        assert!(!forgot(&node));
        assert_eq!(fills(steps).len(), usize::from(!forgotten), "it is sent again to who remembers it");
    }
}

#[test]
fn who_is_restored_to_remember_less_mixes_up_nobody() {
    let remembers = |remembered_max: usize| {
        let limits = Limits { remembered_max, ..Limits::default() };
        Engine::with_graphs_of(&helper(9), Config { limits, ..Config::new(peer_id(1), 1) })
    };
    let mut node = remembers(100);
    let mut askers = [0, 2].map(asker);
    // What ended of the first stands before and behind what ended of the second.
    for (turn, which) in (0..).zip([0, 1, 0]) {
        let (now, index) = (NOW.after(turn * 10 * S), [0, 2][which]);
        let names = [peer_id(1), peer_id(index)];
        meet(&mut node, &mut askers[which], now, names.clone());
        calls(&mut askers[which], &mut node, now, index, 1);
        part(&mut node, &mut askers[which], now, names);
    }
    let saved = node.checkpoint().bytes;
    let mut node = remembers(1);
    let now = NOW.after(30 * S);
    node.restore(now, &saved).expect("it is its own");
    for (which, index) in [(1, 2), (0, 0)] {
        let names = [peer_id(1), peer_id(index)];
        meet(&mut node, &mut askers[which], now, names.clone());
        calls(&mut askers[which], &mut node, now, index, 3);
        part(&mut node, &mut askers[which], now, names);
    }
    feed(&mut node, now.after(DAY), Input::Tick);
    assert_eq!(node.usage(), Usage::default());
}

#[test]
fn a_world_of_such_nodes_answers_everything() {
    let mut world = World::new(7, bb::kernels());
    let host = |class: &str| vec![Host::new(PROGRAM.artifact(class).expect("compiled").bytes.clone())];
    let limits = Limits { peers_max: 1, ..Limits::default() };
    world.add(host("Asker")).expect("installs");
    world.add_with(host("Helper"), Membership::open(), limits).expect("installs");
    world.add(host("Asker")).expect("installs");
    for round in 0..6 {
        let who = NodeIx(2 * (round % 2));
        world.connect(who, HELPER);
        let all: Vec<_> = (0..10).map(|_| world.call(who, vec![number(1.0), peer(1)], 60 * S)).collect();
        world.run_until(world.elapsed() + 10 * S);
        assert!(all.iter().all(|c| matches!(world.result(*c), Some(Ok(_)))), "round {round}");
        world.disconnect(who, HELPER);
        world.run_until(world.elapsed() + DAY + S);
    }
    assert_eq!(
        events(&world, |e| !matches!(
            e,
            Event::MemberJoined { .. } | Event::MemberLeft { .. } | Event::OpenMembership { .. }
        )),
        0
    );
}

#[test]
fn a_refusal_of_a_message_to_who_is_forgotten_hits_nobody() {
    // Of the five failures in a row after which a peer cools, and the one after which it is left alone.
    let mut node = node("Asker", 0, 1, 1);
    let hello = helper(9).hello();
    let met = |node: &mut Engine, n: usize| {
        node.hello_for(NOW, &peer_id(n));
        let steps = feed(node, NOW, Input::Connected { peer: peer_id(n), hello: hello.clone() });
        assert_eq!(away(&steps), []);
    };
    let ask = |node: &mut Engine, call: u64, to: usize| -> SendId {
        let args = vec![number(1.0), peer(to)];
        let steps = feed(node, NOW, Input::Call { call: CallId(call), graph: GraphId(0), args, budget: 60 * S });
        let sent = steps.iter().find_map(|s| if let EngineStep::Send(m) = s { Some(m.id) } else { None });
        sent.unwrap_or_else(|| panic!("{steps:?}"))
    };
    met(&mut node, 1);
    let stale = ask(&mut node, 1, 1);
    feed(&mut node, NOW, Input::Drop { call: CallId(1) });
    feed(&mut node, NOW, Input::Refused { send: stale, reason: Refusal::TooLarge });
    feed(&mut node, NOW, Input::Disconnected { peer: peer_id(1) });
    met(&mut node, 2);
    let fresh = ask(&mut node, 2, 2);
    assert!(fresh.peer == stale.peer && fresh.seq > stale.seq + 1, "{fresh:?} {stale:?}");
    for reason in [Refusal::Unreachable, Refusal::QueueFull, Refusal::Expired, Refusal::TooLarge] {
        for seq in [stale.seq, stale.seq - 1] {
            let steps = feed(&mut node, NOW, Input::Refused { send: SendId { seq, ..stale }, reason });
            assert!(steps.is_empty(), "{reason:?}: {steps:?}");
        }
    }
    assert_eq!(node.usage().in_flight, 1);
    ask(&mut node, 3, 2);
    let steps = feed(&mut node, NOW, Input::Refused { send: fresh, reason: Refusal::Unreachable });
    assert!(!steps.is_empty(), "its own refusal counts");
}

fn next_seq(engine: &mut Engine, now: Time, to: usize) -> u64 {
    hello::decode(engine.hello_for(now, &peer_id(to)), &WireLimits::default()).expect("ours").next_seq
}

#[test]
fn a_checkpoint_says_where_numbers_begin_and_who_can_be_forgotten() {
    let (mut node, mut friend, mut other) = (helper(2), asker(0), asker(2));
    let (us, others) = ([peer_id(1), peer_id(0)], [peer_id(1), peer_id(2)]);
    meet(&mut node, &mut friend, NOW, us.clone());
    let [_, back] = calls(&mut friend, &mut node, NOW, 0, 20);
    part(&mut node, &mut friend, NOW, us.clone());
    let later = NOW.after(DAY + S);
    meet(&mut node, &mut other, later, others.clone());
    calls(&mut other, &mut node, later, 2, 1);
    part(&mut node, &mut other, later, others);
    // A third one takes the place of the first.
    let third = next_seq(&mut node, later, 3);
    assert!(third > back[19] + 1, "{third} {back:?}");
    let bytes = node.checkpoint().bytes;
    let mut again = helper(2);
    again.restore(NOW, &bytes).expect("it is its own");
    assert_eq!(again.checkpoint().bytes, bytes, "nothing is lost");
    // The second one has a day from when it left, so the third one's place goes to the first.
    let first = next_seq(&mut again, NOW, 0);
    assert!(first > third, "{first} {third}");
    assert_eq!(away(&meet(&mut again, &mut friend, NOW, us)), []);
    calls(&mut friend, &mut again, NOW, 0, 5);
    let steps = feed(&mut again, NOW, Input::Connected { peer: peer_id(5), hello: asker(5).hello() });
    assert_eq!((away(&steps), at_limit(&steps)), (vec![DisconnectReason::TooManyPeers], true));
}

#[test]
fn restarts_do_not_make_peers_of_those_that_are_only_heard_of() {
    let mut node = helper(10);
    for n in 0..1000 {
        let addresses = vec![Bytes::from_static(b"somewhere")];
        feed(&mut node, NOW, Input::Addresses { peer: peer_id(100 + n), addresses });
    }
    let bytes = node.checkpoint().bytes;
    let mut again = helper(10);
    again.restore(NOW, &bytes).expect("it is its own");
    assert_eq!(again.addresses().count(), 1000);
    for n in 2..12 {
        assert_eq!(away(&feed(&mut again, NOW, Input::Connected { peer: peer_id(n), hello: asker(n).hello() })), []);
    }
    assert_eq!(again.members("Asker").len(), 10);
}

#[test]
fn a_place_that_is_given_away_between_two_hellos_is_told_from_its_new_owner() {
    let mut node = helper(1);
    let early = node.hello_for(NOW, &peer_id(2));
    node.hello_for(NOW, &peer_id(3));
    // Its Hello came too late: what it was told is not where its numbers begin now.
    let steps = feed(&mut node, NOW, Input::Connected { peer: peer_id(2), hello: asker(2).hello() });
    assert_eq!((away(&steps), at_limit(&steps)), (vec![DisconnectReason::TooManyPeers], true));
    assert_ne!(node.hello_for(NOW, &peer_id(2)), early);
    assert_eq!(away(&feed(&mut node, NOW, Input::Connected { peer: peer_id(2), hello: asker(2).hello() })), []);
}

#[test]
fn nobody_is_rehabilitated_by_being_forgotten() {
    let mut node = helper(1);
    let hello = asker(2).hello();
    let comes = |node: &mut Engine, n: usize, now: Time, hello: &Bytes| {
        node.hello_for(now, &peer_id(n));
        away(&feed(node, now, Input::Connected { peer: peer_id(n), hello: hello.clone() }))
    };
    // It says nonsense and is to wait; until then its place is its own.
    assert_eq!(comes(&mut node, 2, NOW, &Bytes::from_static(b"nonsense")), [DisconnectReason::BadHello]);
    assert_eq!(comes(&mut node, 3, NOW, &hello), [DisconnectReason::TooManyPeers]);
    assert_eq!(comes(&mut node, 2, NOW, &hello), [DisconnectReason::BackingOff]);
    let later = NOW.after(3 * S);
    assert_eq!(comes(&mut node, 3, later, &hello), []);
    // Who is blocked is so by name.
    feed(&mut node, later, Input::Disconnected { peer: peer_id(3) });
    feed(&mut node, later, Input::Standing { peer: peer_id(3), standing: Standing::Blocked });
    assert_eq!(comes(&mut node, 4, later, &hello), []);
    feed(&mut node, later, Input::Disconnected { peer: peer_id(4) });
    assert_eq!(comes(&mut node, 3, later, &hello), [DisconnectReason::Blocked]);
}

#[test]
fn a_hello_that_settles_more_than_can_have_been_sent_does_not_spoil_a_checkpoint() {
    let mut node = helper(9);
    let said = hello::decode(asker(2).hello(), &WireLimits::default()).expect("ours");
    for next_seq in [u64::MAX, u64::MAX / 2, u64::MAX / 4 + 1] {
        let lie = hello::encode(&hello::Hello { next_seq, ..said.clone() });
        let steps = feed(&mut node, NOW, Input::Connected { peer: peer_id(2), hello: lie });
        assert_eq!(away(&steps), [DisconnectReason::BadHello], "{steps:?}");
        feed(&mut node, NOW, Input::Standing { peer: peer_id(2), standing: Standing::Allowed });
    }
    let most = hello::encode(&hello::Hello { next_seq: u64::MAX / 4, ..said });
    assert_eq!(away(&feed(&mut node, NOW, Input::Connected { peer: peer_id(2), hello: most })), []);
    let bytes = node.checkpoint().bytes;
    helper(9).restore(NOW, &bytes).expect("it is its own");
}

#[test]
fn classes_that_no_program_knows_are_not_remembered() {
    let mut node = helper(9);
    let said = hello::decode(asker(2).hello(), &WireLimits::default()).expect("ours");
    let told = |steps: Vec<EngineStep>| {
        steps.iter().filter(|s| matches!(s, EngineStep::Event(Event::OpenMembership { .. }))).count()
    };
    let made_up = hello::HostedClass { name: "Nobody".into(), proof: Bytes::new() };
    let classes = said.classes.iter().cloned().chain([made_up]).collect();
    let hello = hello::encode(&hello::Hello { classes, ..said });
    assert_eq!(told(feed(&mut node, NOW, Input::Connected { peer: peer_id(2), hello })), 1);
}

#[test]
fn what_is_given_up_between_two_hellos_is_not_waited_for() {
    let (mut asker, mut helper) = (asker(0), helper(100));
    let names = [peer_id(0), peer_id(1)];
    meet(&mut asker, &mut helper, NOW, names.clone());
    calls(&mut asker, &mut helper, NOW, 0, 2);
    part(&mut asker, &mut helper, NOW, names.clone());
    // Two messages wait for the connection, and their time is over when the Hello to the helper is on its way.
    for call in [CallId(8), CallId(9)] {
        let args = vec![number(1.0), peer(1)];
        feed(&mut asker, NOW, Input::Call { call, graph: GraphId(0), args, budget: S });
    }
    let [to_helper, to_asker] = [asker.hello_for(NOW, &names[1]), helper.hello_for(NOW, &names[0])];
    let late = NOW.after(60 * S);
    feed(&mut asker, late, Input::Tick);
    feed(&mut helper, late, Input::Connected { peer: names[0].clone(), hello: to_helper });
    for step in feed(&mut asker, late, Input::Connected { peer: names[1].clone(), hello: to_asker }) {
        if let EngineStep::Send(message) = step {
            let frame: Bytes = message.encode(late).concat().into();
            feed(&mut helper, late, Input::Received { peer: names[0].clone(), frame });
        }
    }
    // All that has come since is acknowledged.
    let [there, back] = calls(&mut asker, &mut helper, late, 0, 3);
    feed(&mut asker, late.after(S), Input::Tick);
    assert_eq!((there.len(), back.len()), (3, 3));
    assert_eq!(asker.usage(), Usage::default(), "nothing is in flight");
}

#[bb::module]
fn two_wires(graph: &Graph, x: On<Asker, f32>, y: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let (tens, ones) = (graph.wire(x, to), graph.wire(y, to));
    graph.wire(digits(tens, ones), graph.origin::<Asker>())
}

#[test]
fn wires_of_one_call_in_one_message_meet_though_nothing_was_known_of_the_caller() {
    let program = bb::compile(two_wires);
    let [mut asker, mut helper] = [("Asker", 0), ("Helper", 1)].map(|(class, index)| {
        let mut engine = Engine::new(Config::new(peer_id(index), 1));
        engine.install(&program.artifact(class).expect("compiled").bytes, &bb::kernels(), &[]).expect("installs");
        engine
    });
    meet(&mut asker, &mut helper, NOW, [peer_id(0), peer_id(1)]);
    let args = vec![number(4.0), number(2.0), peer(1)];
    let steps = feed(&mut asker, NOW, Input::Call { call: CallId(1), graph: GraphId(0), args, budget: 60 * S });
    let read = |s: EngineStep| match s {
        EngineStep::Send(m) => envelope::decode(m.encode(NOW).concat().into(), &WireLimits::default()).ok(),
        _ => None,
    };
    let mut sent = steps.into_iter().filter_map(read);
    let (mut both, second) = (sent.next().expect("one wire"), sent.next().expect("the other"));
    both.fills.extend(second.fills);
    let frame: Bytes = envelope::encode(&both.to_be_sent()).concat().into();
    let answer = feed(&mut helper, NOW, Input::Received { peer: peer_id(0), frame });
    let [EngineStep::Send(answer)] = &answer[..] else { panic!("{answer:?}") };
    let frame: Bytes = answer.encode(NOW).concat().into();
    let steps = feed(&mut asker, NOW, Input::Received { peer: peer_id(1), frame });
    let answered =
        |s: &EngineStep| matches!(s, EngineStep::CallResolved { result: Ok(v), .. } if *v == [Value::scalar(42.0f32)]);
    assert!(steps.iter().any(answered), "{steps:?}");
    assert_eq!(helper.usage().frames, 0, "{:?}", helper.usage());
}

/// Which would take it back, and say a lower one to the same process afterwards.
#[test]
fn nobody_is_told_that_numbers_begin_where_no_checkpoint_says_so() {
    let durable = || {
        let limits = Limits { peers_max: 1, ..Limits::default() };
        let mut engine = Engine::new(Config { limits, durable: true, ..Config::new(peer_id(0), 1) });
        let artifact = PROGRAM.artifact("Asker").expect("compiled");
        engine.install(&artifact.bytes, &bb::kernels(), &[]).expect("installs");
        engine
    };
    let write = |engine: &mut Engine| {
        let checkpoint = engine.checkpoint();
        engine.checkpoint_durable(checkpoint.id);
        checkpoint.bytes
    };
    let names = |n: usize| [peer_id(0), peer_id(n)];
    let ask = |call: u64, of: usize| Input::Call {
        call: CallId(call),
        graph: GraphId(0),
        args: vec![number(1.0), peer(of)],
        budget: 60 * S,
    };
    // The node is killed before the checkpoint is written that says it, or after that.
    for in_time in [false, true] {
        let mut one = node("Helper", 1, 1, 100);
        let mut two = node("Helper", 2, 2, 100);
        let mut asker = durable();
        meet(&mut asker, &mut one, NOW, names(1));
        let written = write(&mut asker);
        for number in 0..5 {
            feed(&mut asker, NOW, ask(number, 1));
        }
        part(&mut asker, &mut one, NOW, names(1));
        let mut now = NOW.after(90 * S);
        feed(&mut asker, now, Input::Tick);
        // Five numbers were given to the first, as no checkpoint says: the second has to wait for one.
        let steps = meet(&mut asker, &mut two, now, names(2));
        assert_eq!(away(&steps), [DisconnectReason::TooManyPeers]);
        feed(&mut two, now, Input::Disconnected { peer: peer_id(0) });
        assert!(asker.wants_checkpoint());
        let late = asker.checkpoint();
        assert!(!asker.wants_checkpoint(), "it is under way");
        assert_eq!(away(&meet(&mut asker, &mut two, now, names(2))), [DisconnectReason::TooManyPeers]);
        feed(&mut two, now, Input::Disconnected { peer: peer_id(0) });
        let image = if in_time {
            asker.checkpoint_durable(late.id);
            assert_eq!(away(&meet(&mut asker, &mut two, now, names(2))), []);
            feed(&mut two, now, Input::Disconnected { peer: peer_id(0) });
            late.bytes
        } else {
            written
        };
        let mut asker = durable();
        asker.restore(now, &image).expect("it was just written");
        now = now.after(90 * S);
        feed(&mut asker, now, Input::Tick);
        if !away(&meet(&mut asker, &mut two, now, names(2))).is_empty() {
            feed(&mut two, now, Input::Disconnected { peer: peer_id(0) });
            write(&mut asker);
            assert_eq!(away(&meet(&mut asker, &mut two, now, names(2))), []);
        }
        feed(&mut asker, now, ask(9, 2));
        write(&mut asker);
        let mut answers = 0;
        while let Some(step) = asker.poll(now) {
            let EngineStep::Send(message) = step else { continue };
            let frame: Bytes = message.encode(now).concat().into();
            let steps = feed(&mut two, now, Input::Received { peer: peer_id(0), frame });
            answers += steps.iter().filter(|s| matches!(s, EngineStep::Send(m) if m.has_fills())).count();
        }
        assert_eq!(answers, 1, "in time: {in_time}");
    }
}

/// Classes of whom nobody is there any more are not kept: their names may be made up.
#[test]
fn members_are_those_that_are_there() {
    let many = 100;
    let (mut helper, asker) = (helper(many), asker(2));
    let hello = asker.hello();
    for n in (2..many + 2).rev() {
        feed(&mut helper, NOW, Input::Connected { peer: peer_id(n), hello: hello.clone() });
        assert!(helper.is_member("Asker", &peer_id(n)) && !helper.is_member("Helper", &peer_id(n)));
    }
    let members = helper.members("Asker");
    assert!(members.len() == many && members.is_sorted());
    for n in 2..many + 2 {
        feed(&mut helper, NOW, Input::Disconnected { peer: peer_id(n) });
        assert!(!helper.is_member("Asker", &peer_id(n)));
    }
    assert_eq!((helper.members("Asker"), helper.classes().count()), (Vec::new(), 0));
}
