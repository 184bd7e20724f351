//! Whatever comes from outside is a typed event or error that says what and where, and nobody else's work is lost.
#![allow(missing_docs)]

use bb::engine::{
    Arg, CallId, CommandId, Config, DisconnectReason, Engine, EngineStep, Event, GraphId, Input, Membership,
    ReceiveFault, Refusal, SendId, Time, Usage, Value,
};
use bb::ir::envelope::{self, Envelope, FillContent};
use bb::ir::limits::WireLimits;
use bb::ir::site::SiteAddress;
use bb::ir::views::Metadata;
use bb::ir::{artifact, keys};
use bb::prelude::*;
use bb_components as _;
use bb_sim::peer_id;
use bytes::Bytes;
use proptest::prelude::*;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Asker;
#[derive(bb::Peer)]
pub struct Helper;

#[bb::role]
pub trait Answers {
    fn answer(&mut self, x: Tensor) -> Tensor;
}

#[bb::module]
fn ask(
    graph: &Graph,
    x: On<Asker, Tensor>,
    cohort: On<Asker, Peers<Helper>>,
    answers: AnswersAt<Helper>,
) -> On<Asker, u64> {
    let there = graph.wire(x, cohort);
    graph.wire(answers.answer(there), there.sender::<Asker>()).quorum(0.5).count()
}

fn piece(class: &str) -> Vec<u8> {
    static PROGRAM: LazyLock<bb::Compiled> = LazyLock::new(|| bb::compile(ask));
    assert_eq!(PROGRAM.diagnostics, []);
    PROGRAM.artifact(class).expect("compiled").bytes.clone()
}
fn engine(index: usize, membership: Membership) -> Engine {
    let mut config = Config::new(peer_id(index), 100 + index as u64);
    config.membership = membership;
    let installed = |class: &str, bound: &[&str]| {
        let mut engine = Engine::new(Config::new(peer_id(0), 1));
        engine.install(&piece(class), &bb::kernels(), bound).expect("installs");
        engine
    };
    static ASKER: OnceLock<Engine> = OnceLock::new();
    static HELPER: OnceLock<Engine> = OnceLock::new();
    let of = match index {
        0 => ASKER.get_or_init(|| installed("Asker", &[])),
        _ => HELPER.get_or_init(|| installed("Helper", &["answers"])),
    };
    Engine::with_graphs_of(of, config)
}
const NOW: Time = Time(1_000_000_000);
fn steps(engine: &mut Engine, now: Time) -> Vec<EngineStep> {
    std::iter::from_fn(|| engine.poll(now)).collect()
}
fn feed(engine: &mut Engine, input: Input) -> Vec<EngineStep> {
    engine.handle(NOW, input);
    steps(engine, NOW)
}
fn events(steps: Vec<EngineStep>) -> Vec<Event> {
    let event = |s| if let EngineStep::Event(e) = s { Some(e) } else { None };
    steps.into_iter().filter_map(event).collect()
}
/// An asker, two helpers, all connected; a call is on its way to both helpers.
struct Net {
    asker: Engine,
    helpers: Vec<Engine>,
    /// The frames to helpers 1 and 2.
    frames: Vec<Bytes>,
}
fn net() -> Net {
    let mut asker = engine(0, Membership::open());
    let mut helpers: Vec<Engine> = (1..=2).map(|i| engine(i, Membership::open())).collect();
    for (i, helper) in helpers.iter_mut().enumerate() {
        feed(helper, Input::Connected { peer: peer_id(0), hello: asker.hello() });
        feed(&mut asker, Input::Connected { peer: peer_id(i + 1), hello: helper.hello() });
    }
    let x = bb::ir::value::RawTensor::from_vec(&[2], vec![1.0f32, 2.0]).expect("two");
    let args = vec![Arg::Value(Value::Tensor(x)), Arg::AllPeers { and_self: false }];
    let call = Input::Call { call: CallId(1), graph: GraphId(0), args, budget: Duration::from_secs(60) };
    let frames = sent(feed(&mut asker, call));
    assert_eq!(frames.len(), 2);
    Net { asker, helpers, frames }
}
fn sent(steps: Vec<EngineStep>) -> Vec<Bytes> {
    let frame = |s| if let EngineStep::Send(m) = s { Some(m.encode(NOW).concat().into()) } else { None };
    steps.into_iter().filter_map(frame).collect()
}
/// What the helper answers to its frame.
fn answer(helper: &mut Engine, frame: &Bytes) -> Vec<Bytes> {
    let asked = feed(helper, Input::Received { peer: peer_id(0), frame: frame.clone() });
    let [EngineStep::Run { command, inputs, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    sent(feed(helper, Input::Completed { command: *command, result: Ok(inputs.clone()) }))
}
fn read(frame: &Bytes) -> Envelope {
    envelope::decode(frame.clone(), &WireLimits::default()).expect("it was just encoded")
}
fn write(envelope: Envelope) -> Bytes {
    envelope::encode(&envelope.to_be_sent()).concat().into()
}

#[test]
fn a_malformed_frame_is_refused_and_work_goes_on() {
    let whole = net().frames[0].clone();
    let mut broken: Vec<Bytes> = (1..whole.len()).map(|end| whole.slice(..end)).collect();
    broken.extend((0..whole.len() * 8).map(|bit| {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Bytes::from(bytes)
    }));
    let mut refused = 0;
    for frame in broken {
        let mut n = net();
        let what = events(feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame }));
        refused += usize::from(what.iter().any(|e| matches!(e, Event::EnvelopeRefused { .. })));
        // The other helper's answer is enough for the quorum.
        let back = answer(&mut n.helpers[1], &n.frames[1]);
        for frame in back {
            feed(&mut n.asker, Input::Received { peer: peer_id(2), frame });
        }
        let lost = feed(&mut n.asker, Input::Disconnected { peer: peer_id(1) });
        assert!(lost.iter().any(|s| matches!(s, EngineStep::CallResolved { result: Ok(_), .. })), "{lost:?}");
    }
    assert!(refused > whole.len(), "{refused} refusals");
}

#[test]
fn versions_and_sizes_are_checked_and_three_refusals_end_the_connection() {
    let mut n = net();
    let mut wrong_version = n.frames[0].to_vec();
    assert_eq!(wrong_version[..2], [0x08, 1], "field 1 is the version");
    wrong_version[1] = 9;
    let oversized = vec![0u8; WireLimits::default().frame_bytes_max + 1];
    for (i, (frame, says)) in
        [(wrong_version, "version 9"), (oversized, "are allowed"), (vec![0xff; 40], "")].into_iter().enumerate()
    {
        let what = feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame: frame.into() });
        let reason = what.iter().find_map(|s| match s {
            EngineStep::Event(Event::EnvelopeRefused { peer, reason }) if *peer == peer_id(0) => Some(reason.clone()),
            _ => None,
        });
        assert!(reason.as_ref().is_some_and(|r| r.contains(says)), "{reason:?}");
        let ended =
            what.iter().any(|s| matches!(s, EngineStep::Disconnect { reason: DisconnectReason::Violations, .. }));
        assert_eq!(ended, i == 2);
    }
}

#[test]
fn what_does_not_fit_its_site_is_said() {
    type Spoil = fn(&mut Envelope);
    let cases: &[(Spoil, ReceiveFault)] = &[
        (|e| e.fills[0].address = SiteAddress([9; 8]), ReceiveFault::UnknownSite),
        (
            |e| {
                if let FillContent::Payload { type_hash, .. } = &mut e.fills[0].content {
                    *type_hash ^= 1;
                }
            },
            ReceiveFault::TypeMismatch,
        ),
        (|e| e.fills[0].content = FillContent::Trigger { type_hash: 1 }, ReceiveFault::TransportMismatch),
        (|e| e.lane = None, ReceiveFault::Lane),
    ];
    for (spoil, fault) in cases {
        let mut n = net();
        let mut envelope = read(&n.frames[0]);
        spoil(&mut envelope);
        let what = events(feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame: write(envelope) }));
        assert!(
            matches!(what.as_slice(), [Event::WireReceiveError { kind, .. }] if kind == fault),
            "{fault:?}: {what:?}"
        );
    }
    let mut n = net();
    let mut envelope = read(&n.frames[0]);
    if let FillContent::Payload { bytes, .. } = &mut envelope.fills[0].content {
        bytes.truncate(10);
    }
    let what = events(feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame: write(envelope) }));
    let [Event::WireReceiveError { kind: ReceiveFault::Payload(text), .. }] = what.as_slice() else {
        panic!("{what:?}")
    };
    assert!(text.contains("ends too early"), "{text}");
}

#[test]
fn a_site_takes_one_value_of_the_one_who_may_send_it() {
    let mut n = net();
    let back = answer(&mut n.helpers[0], &n.frames[0]);
    let mut receive =
        |from: usize, frame: Bytes| events(feed(&mut n.asker, Input::Received { peer: peer_id(from), frame }));
    // Helper 2 says what helper 1 should.
    let mut forged = read(&back[0]);
    forged.seq = 77;
    let what = receive(2, write(forged));
    assert!(matches!(what.as_slice(), [Event::UnexpectedSender { lane: Some(0), .. }]), "{what:?}");
    assert_eq!(receive(1, back[0].clone()), []);
    assert!(matches!(receive(1, back[0].clone()).as_slice(), [Event::Duplicate { seq: 1, .. }]));
    let again = |seq: u64, change: fn(&mut Envelope)| {
        let mut envelope = read(&back[0]);
        envelope.seq = seq;
        change(&mut envelope);
        write(envelope)
    };
    let what = receive(1, again(2, |_| {}));
    assert!(matches!(what.as_slice(), [Event::DuplicateFill { .. }]), "{what:?}");
    let stale = receive(1, again(3, |e| e.execution.as_mut().expect("named").counter += 5));
    assert!(matches!(stale.as_slice(), [Event::Stale { .. }]), "{stale:?}");
    let stranger = receive(9, again(1, |_| {}));
    assert!(matches!(stranger.as_slice(), [Event::EnvelopeRefused { reason, .. }] if reason.contains("Hello")));
    feed(&mut n.asker, Input::Disconnected { peer: peer_id(2) });
    feed(&mut n.asker, Input::Connected { peer: peer_id(2), hello: n.helpers[1].hello() });
    let late = answer(&mut n.helpers[1], &n.frames[1]);
    let what = events(feed(&mut n.asker, Input::Received { peer: peer_id(2), frame: late[0].clone() }));
    assert!(matches!(what.as_slice(), [Event::Late { lane: Some(1), .. }]), "{what:?}");
}

/// What is left of a call that was answered goes on, and its number may be another's by then.
#[test]
fn a_call_that_takes_the_number_of_an_answered_one_is_its_own() {
    #[bb::module]
    fn lingers(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
        let there = graph.wire(x, to);
        graph.wire(there, there.sender::<Asker>()).emit("back");
        x.identity()
    }
    #[bb::module]
    fn waits(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
        let there = graph.wire(x, to);
        graph.wire(there, there.sender::<Asker>())
    }
    let mut asker = Engine::new(Config::new(peer_id(0), 1));
    for program in [bb::compile(lingers), bb::compile(waits)] {
        assert_eq!(program.diagnostics, []);
        asker.install(&program.artifact("Asker").expect("compiled").bytes, &bb::kernels(), &[]).expect("installs");
    }
    let call = |graph: u32, seconds: u64| {
        let args = vec![Arg::Value(Value::scalar(1.0f32)), Arg::Value(Value::Peer(peer_id(1)))];
        Input::Call { call: CallId(1), graph: GraphId(graph), args, budget: Duration::from_secs(seconds) }
    };
    let answers = |steps: &[EngineStep]| steps.iter().filter(|s| matches!(s, EngineStep::CallResolved { .. })).count();
    assert_eq!(answers(&feed(&mut asker, call(0, 10))), 1);
    assert_eq!(answers(&feed(&mut asker, call(1, 60))), 0);
    let after = |seconds| NOW.after(Duration::from_secs(seconds));
    let ended = steps(&mut asker, after(10));
    assert!(ended.iter().any(|s| matches!(s, EngineStep::Event(Event::FrameExpired { .. }))), "{ended:?}");
    assert_eq!((answers(&ended), asker.usage().calls), (0, 1));
    assert_eq!(answers(&steps(&mut asker, after(60))), 1);
}

#[test]
fn what_is_installed_can_be_looked_at() {
    let engine = engine(1, Membership::open());
    let [graph] = engine.graphs() else { panic!("one artifact") };
    assert_eq!((graph.function().as_str(), graph.is_entry_point()), ("ask_Helper", false));
    let ops: Vec<&str> = graph.op_dispatch().map(|(_, name, _)| name).collect();
    assert_eq!(ops, ["answer_1", "send_2"]);
    let (received, slot) = graph.recv_site_to_slot_id().next().expect("a role op reads what comes");
    assert_eq!(slot, 2);
    assert_eq!(graph.consumers(received), ["answer_1"]);
    let (_, sender) = graph.recv_sender_sites().next().expect("what comes has a sender");
    assert_eq!(graph.consumers(sender), ["send_2"]);
    assert_eq!(graph.recv_wire_type_hash().map(|(site, _)| site).collect::<Vec<_>>(), [received]);
    assert_eq!(graph.top_level_outputs().count(), 0);
    assert!(graph.site_names().any(|(_, name)| name == received));
}

#[test]
fn a_method_that_completes_after_its_frame_has_ended_is_an_event() {
    let mut n = net();
    let asked = feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame: n.frames[0].clone() });
    let [EngineStep::Run { command, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(n.helpers[0].usage().commands, 1);
    let late = NOW.after(Duration::from_secs(61));
    n.helpers[0].handle(late, Input::Tick);
    let expired = steps(&mut n.helpers[0], late);
    // Who asked is told, at once and with the reason.
    assert!(expired.iter().any(|s| matches!(s, EngineStep::Send(m) if m.has_fills())), "{expired:?}");
    assert_eq!(n.helpers[0].usage(), Usage { in_flight: 1, ..Usage::default() });
    let done = Input::Completed { command: *command, result: Ok(vec![]) };
    let what = events(feed(&mut n.helpers[0], done));
    assert_eq!(what, [Event::CompletedAfterEnd { command: *command }]);
    let what = events(feed(&mut n.helpers[0], Input::Completed { command: CommandId(99), result: Ok(vec![]) }));
    assert!(matches!(what.as_slice(), [Event::UnknownInput { .. }]), "{what:?}");
}

/// A host may hand in what a method gave before it lets time pass: then the answer is too late, and its frame not yet over.
#[test]
fn who_waits_for_an_answer_that_is_too_late_learns_at_once() {
    let mut n = net();
    let asked = feed(&mut n.helpers[0], Input::Received { peer: peer_id(0), frame: n.frames[0].clone() });
    let [EngineStep::Run { command, inputs, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let late = NOW.after(Duration::from_secs(61));
    n.helpers[0].handle(late, Input::Completed { command: *command, result: Ok(inputs.clone()) });
    let said = steps(&mut n.helpers[0], late);
    assert_eq!(n.helpers[0].counters().deadline_checks, 1, "{said:?}");
    let frames: Vec<Bytes> = said
        .iter()
        .filter_map(|s| if let EngineStep::Send(m) = s { Some(m.encode(late).concat().into()) } else { None })
        .collect();
    let [frame] = frames.as_slice() else { panic!("{said:?}") };
    let FillContent::Failure { code, .. } = &read(frame).fills[0].content else { panic!("{:?}", read(frame)) };
    assert_eq!(code.number(), 2);
}

/// The one op that reads a peer value may have taken it out of its site; it names the sender all the same.
#[test]
fn nobody_else_answers_for_a_named_peer() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let there = graph.wire(x, to.identity());
        graph.wire(there, graph.origin::<Asker>())
    });
    assert_eq!(program.diagnostics, []);
    let start = |index: usize, class: &str| {
        let mut engine = Engine::new(Config::new(peer_id(index), 1));
        let artifact = &program.artifact(class).expect("compiled").bytes;
        engine.install(artifact, &bb::kernels(), &[]).expect("installs");
        engine
    };
    let (mut asker, mut helper) = (start(0, "Asker"), start(1, "Helper"));
    for other in [1, 2] {
        feed(&mut asker, Input::Connected { peer: peer_id(other), hello: helper.hello() });
    }
    feed(&mut helper, Input::Connected { peer: peer_id(0), hello: asker.hello() });
    let args = vec![Arg::Value(Value::scalar(1.0f32)), Arg::Value(Value::Peer(peer_id(1)))];
    let call = Input::Call { call: CallId(1), graph: GraphId(0), args, budget: Duration::from_secs(60) };
    let asked = sent(feed(&mut asker, call));
    let back = sent(feed(&mut helper, Input::Received { peer: peer_id(0), frame: asked[0].clone() }));
    // Another peer says the same, in a message that is otherwise its own.
    let same = write(Envelope { ack: 0, ..read(&back[0]) });
    let forged = events(feed(&mut asker, Input::Received { peer: peer_id(2), frame: same }));
    assert!(matches!(forged.as_slice(), [Event::UnexpectedSender { .. }]), "{forged:?}");
    let honest = feed(&mut asker, Input::Received { peer: peer_id(1), frame: back[0].clone() });
    assert!(honest.iter().any(|s| matches!(s, EngineStep::CallResolved { result: Ok(_), .. })), "{honest:?}");
}

#[test]
fn a_stranger_that_claims_a_listed_class_is_refused_and_named() {
    let mut asker = engine(0, Membership::open().list("Helper", [peer_id(1)]));
    for i in [1, 2] {
        let what =
            feed(&mut asker, Input::Connected { peer: peer_id(i), hello: engine(i, Membership::open()).hello() });
        let refused = events(what).into_iter().find_map(|e| match e {
            Event::MembershipRefused { peer, class } => Some((peer, class)),
            _ => None,
        });
        assert_eq!(refused, (i == 2).then(|| (peer_id(2), "Helper".to_owned())));
    }
    assert_eq!(asker.members("Helper"), [peer_id(1)]);
}

#[test]
fn another_build_of_a_program_is_told_wire_by_wire() {
    let other = bb::compile(|graph: &Graph, x: On<Asker, u64>, to: On<Asker, Peer<Helper>>| graph.wire(x, to));
    let mut model = artifact::read(&other.artifact("Helper").expect("compiled").bytes).expect("ours");
    model.set_metadata(keys::PROGRAM_NAME_KEY, "ask");
    let mut helper = Engine::new(Config::new(peer_id(1), 1));
    helper.install(&artifact::write(&model), &bb::kernels(), &[]).expect("installs");
    let mut asker = engine(0, Membership::open());
    let what = events(feed(&mut asker, Input::Connected { peer: peer_id(1), hello: helper.hello() }));
    let differences = what.iter().find_map(|e| match e {
        Event::ProgramMismatch { program, differences, .. } if &**program == "ask" => Some(differences),
        _ => None,
    });
    let sentences: Vec<String> = differences.into_iter().flatten().map(ToString::to_string).collect();
    let expected = [
        "the wire Asker -> Helper of f32 is Asker -> Helper of u64 there",
        "the wire Helper -> Asker of f32 is not there",
    ];
    assert_eq!(sentences, expected, "{what:?}");
}

/// Anything a host or a peer could say, some of it true.
fn any_input() -> impl Strategy<Value = Input> {
    let peer = || (0usize..4).prop_map(peer_id);
    let bytes = || proptest::collection::vec(any::<u8>(), 0..60).prop_map(Bytes::from);
    let frame = || prop_oneof![bytes(), (0usize..2).prop_map(|i| net().frames[i].clone())];
    let hello = || prop_oneof![bytes(), Just(engine(1, Membership::open()).hello())];
    let args = prop_oneof![
        Just(vec![]),
        Just(vec![Arg::Value(Value::scalar(1.0f32)), Arg::AllPeers { and_self: true }]),
        Just(vec![Arg::Value(Value::Trigger), Arg::Value(Value::Trigger)]),
    ];
    prop_oneof![
        (0u64..4, 0u32..2, args, 0u64..2_000_000_000).prop_map(|(call, graph, args, ns)| Input::Call {
            call: CallId(call),
            graph: GraphId(graph),
            args,
            budget: Duration::from_nanos(ns),
        }),
        (0u64..4).prop_map(|call| Input::Drop { call: CallId(call) }),
        (peer(), hello()).prop_map(|(peer, hello)| Input::Connected { peer, hello }),
        (peer(), hello()).prop_map(|(peer, hello)| Input::Hosts { peer, hello }),
        peer().prop_map(|peer| Input::Disconnected { peer }),
        (peer(), frame()).prop_map(|(peer, frame)| Input::Received { peer, frame }),
        (0u64..6).prop_map(|send| Input::Refused { send: SendId { peer: 0, seq: send }, reason: Refusal::QueueFull }),
        (0u64..4, any::<bool>()).prop_map(|(command, ok)| Input::Completed {
            command: CommandId(command),
            result: if ok { Ok(vec![Value::scalar(2.0f32)]) } else { Ok(vec![]) },
        }),
        Just(Input::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn nothing_a_host_or_a_peer_says_panics_or_stays(asks in any::<bool>(), inputs in proptest::collection::vec((any_input(), 0u64..500_000_000), 1..40)) {
        let mut engine = engine(usize::from(!asks), Membership::open());
        let mut now = NOW;
        for (input, later) in inputs {
            now = now.after(Duration::from_nanos(later));
            engine.handle(now, input);
            while engine.poll(now).is_some() {}
        }
        // A day later every deadline has passed.
        let end = now.after(Duration::from_secs(90_000));
        engine.handle(end, Input::Tick);
        while engine.poll(end).is_some() {}
        prop_assert_eq!(engine.usage(), Usage::default());
    }
}
