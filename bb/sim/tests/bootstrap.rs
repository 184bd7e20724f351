//! What runs once per start, before components do anything for calls.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::__private::Accepts;
use bb::engine::{Arg, CallError, CallId, Config, Engine, EngineStep, Event, GraphId, Input, Time, Usage, Value};
use bb::ir::failure::FailureCode;
use bb::prelude::*;
use bb_sim::{ComponentFaults, Host, NodeIx, World, Wrong};
use std::time::Duration;

/// Has to be opened before it is asked.
#[bb::role]
pub trait Store {
    fn open(&mut self) -> u64;
    /// What it holds is so much more.
    fn fill(&mut self, with: u64);
    /// Takes numbers and their weights, `f32[N]` each.
    fn weigh(&mut self, numbers: Tensor, weights: Tensor);
    fn get(&mut self, x: f32) -> f32;
}
/// How often it was opened, and what it holds.
struct Shelf(u64, u64);
impl Store for Shelf {
    fn open(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
    fn fill(&mut self, with: u64) {
        self.1 += with;
    }
    fn weigh(&mut self, numbers: Tensor, weights: Tensor) {
        assert_eq!(numbers, weights);
    }
    fn get(&mut self, x: f32) -> f32 {
        x + 10.0 * self.0 as f32 + 100.0 * self.1 as f32
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some([self.0.to_le_bytes(), self.1.to_le_bytes()].concat())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let number = |i: usize| state.get(i..i + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let both = number(0).zip(number(8)).ok_or_else(|| OpError::new("no two numbers"))?;
        (self.0, self.1) = both;
        Ok(())
    }
}

#[bb::role]
pub trait Plain {
    fn twice(&mut self, x: f32) -> f32;
}
struct Twice;
impl Plain for Twice {
    fn twice(&mut self, x: f32) -> f32 {
        2.0 * x
    }
}

/// What a store here and one there make of a number, and what a component does that needs no preparing.
#[bb::module]
fn stored(
    graph: &Graph,
    x: On<Asker, f32>,
    to: On<Asker, Peer<Helper>>,
    here: StoreAt<Asker>,
    there: StoreAt<Helper>,
    plain: PlainAt<Asker>,
) -> (On<Asker, f32>, On<Asker, f32>, On<Asker, f32>) {
    let far = graph.wire(x, to);
    (plain.twice(x), here.get(x), graph.wire(there.get(far), far.sender::<Asker>()))
}

/// Opens both stores, and puts how often that was into the one there.
#[bb::bootstrap(stored)]
fn open_stores(graph: &Graph, there: StoreAt<Helper>, here: StoreAt<Asker>) {
    there.fill(there.open(graph));
    let _ = here.open(graph);
}

/// The same by a bootstrap that is told on each side what the store holds at first.
#[bb::module]
fn told(
    graph: &Graph,
    x: On<Asker, f32>,
    to: On<Asker, Peer<Helper>>,
    here: StoreAt<Asker>,
    there: StoreAt<Helper>,
) -> (On<Asker, f32>, On<Asker, f32>) {
    let far = graph.wire(x, to);
    (here.get(x), graph.wire(there.get(far), far.sender::<Asker>()))
}

#[bb::bootstrap(told)]
fn fill_both(
    graph: &Graph,
    first: On<Asker, u64>,
    rates: On<Asker, Tensor>,
    others: On<Helper, u64>,
    here: StoreAt<Asker>,
    there: StoreAt<Helper>,
) {
    let _ = here.open(graph);
    here.fill(first);
    here.weigh(rates, rates.relu());
    there.fill(others);
}

const HELPER: NodeIx = NodeIx(1);
const MS: Duration = Duration::from_millis(1);

fn hosts() -> [Host; 2] {
    let program = bb::compile(stored);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let here = || <StoreAt<Asker> as Accepts<Shelf>>::component(Shelf(0, 0));
    let there = || <StoreAt<Helper> as Accepts<Shelf>>::component(Shelf(0, 0));
    let plain = || <PlainAt<Asker> as Accepts<Twice>>::component(Twice);
    [host("Asker").bind("here", here).bind("plain", plain), host("Helper").bind("there", there)]
}
/// Opening takes 100 ms, everything else none.
fn world() -> World {
    let mut world = World::new(7, bb::kernels());
    world.set_cost(|_, method| if method == "open" { 100 * MS } else { Duration::ZERO });
    world
}
fn running() -> World {
    let mut world = world();
    for host in hosts() {
        world.add(vec![host]).expect("installs");
    }
    world.connect_all();
    world
}
fn args() -> Vec<Arg> {
    vec![number(1.0), peer(1)]
}
/// Opened once: 10 more; filled with 1: 100 more.
fn right() -> Result<Vec<Value>, CallError> {
    Ok([2.0f32, 11.0, 111.0].map(Value::scalar).to_vec())
}
fn at_rest(world: &World) {
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

#[test]
fn methods_wait_for_the_bootstrap_that_touches_their_component_and_others_do_not() {
    let mut world = running();
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(50 * MS);
    let ran = |world: &World| -> Vec<String> {
        let methods = world.trace().iter().filter_map(|row| match &row.what {
            bb_sim::What::Ran { method } => Some(format!("{}:{method}", row.node.0)),
            _ => None,
        });
        methods.collect()
    };
    assert_eq!(ran(&world), ["0:open", "1:open", "0:twice"]);
    assert_eq!(world.result(call), None);
    world.run_until(5 * S);
    assert_eq!(world.result(call), Some(&right()));
    let mut behind = ran(&world).split_off(3);
    behind.sort();
    assert_eq!(behind, ["0:get", "1:fill", "1:get"]);
    assert_eq!(events(&world, |e| matches!(e, Event::Bootstrapped { .. })), 2);
    at_rest(&world);
}

#[test]
fn it_runs_once_per_start() {
    let mut world = running();
    for _ in 0..3 {
        let call = world.call(ASKER, args(), 60 * S);
        world.run_until(world.elapsed() + S);
        assert_eq!(world.result(call), Some(&right()));
    }
    world.kill(HELPER);
    world.start(HELPER).expect("installs");
    world.connect(ASKER, HELPER);
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(world.elapsed() + S);
    assert_eq!(world.result(call), Some(&right()), "a new process opens its own store");
    assert_eq!(events(&world, |e| matches!(e, Event::Bootstrapped { .. })), 3);
}

#[test]
fn a_node_that_hosts_two_classes_does_the_part_of_each() {
    let mut world = world();
    world.add(hosts().into()).expect("installs");
    let call = world.call(ASKER, vec![number(1.0), peer(0)], 60 * S);
    world.run_until(5 * S);
    assert_eq!(world.result(call), Some(&right()));
    assert_eq!(events(&world, |e| matches!(e, Event::Bootstrapped { .. })), 2);
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
}

fn failed(world: &World, call: bb_sim::CallIx, text: &str) {
    let Some(Err(CallError::Failed(cause))) = world.result(call) else { panic!("{:?}", world.result(call)) };
    assert!(cause.code == FailureCode::BootstrapFailed && cause.message.contains(text), "{cause:?}");
}
/// The call itself was failed, not an op that it needs.
fn failed_itself(world: &World, call: bb_sim::CallIx) {
    let Some(Err(CallError::Failed(cause))) = world.result(call) else { panic!("{:?}", world.result(call)) };
    assert!(cause.message.starts_with("the bootstrap of `stored` failed: `open_"), "{cause:?}");
}

#[test]
fn where_it_fails_calls_fail() {
    for wrong in [Wrong::Error, Wrong::Panic] {
        let mut world = world();
        for host in hosts() {
            world.add(vec![host]).expect("installs");
        }
        // Faults are for what runs from now on: the node starts once more with them.
        world.set_component_faults(ASKER, "here", ComponentFaults::default().at(1, wrong));
        world.kill(ASKER);
        world.start(ASKER).expect("installs");
        world.connect_all();
        let early = world.call(ASKER, args(), 60 * S);
        assert_eq!(world.result(early), None);
        world.run_until(world.elapsed() + S);
        failed(&world, early, "the bootstrap");
        let late = world.call(ASKER, args(), 60 * S);
        failed(&world, late, "the bootstrap");
        [early, late].iter().for_each(|call| failed_itself(&world, *call));
        world.run_until(world.elapsed() + 5 * S);
        at_rest(&world);
        assert_eq!(events(&world, |e| matches!(e, Event::BootstrapFailed { .. })), 1);
    }
}

#[test]
fn where_it_fails_elsewhere_calls_learn_it_by_the_wire_they_wait_for() {
    let mut world = world();
    for host in hosts() {
        world.add(vec![host]).expect("installs");
    }
    world.set_component_faults(HELPER, "there", ComponentFaults::default().at(1, Wrong::Error));
    world.kill(HELPER);
    world.start(HELPER).expect("installs");
    world.connect_all();
    let calls = [0, 300].map(|ms| {
        world.run_until(world.elapsed() + ms * MS);
        world.call(ASKER, args(), 60 * S)
    });
    world.run_until(world.elapsed() + S);
    calls.iter().for_each(|call| failed(&world, *call, "the bootstrap of `stored` failed"));
    world.run_until(world.elapsed() + 5 * S);
    at_rest(&world);
    // The node is started again, and its store opens.
    world.kill(HELPER);
    world.set_component_faults(HELPER, "there", ComponentFaults::default());
    world.start(HELPER).expect("installs");
    world.connect(ASKER, HELPER);
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(world.elapsed() + 5 * S);
    assert_eq!(world.result(call), Some(&right()));
}

#[test]
fn a_durable_node_goes_on_with_it_and_never_does_it_twice() {
    for killed in [ASKER, HELPER] {
        for at in (0..200).step_by(7) {
            let mut world = world();
            for host in hosts() {
                world.add_durable(vec![host], 2 * MS).expect("installs");
            }
            world.connect_all();
            let first = world.call(ASKER, args(), 60 * S);
            world.run_until(at * MS);
            world.kill(killed);
            world.start(killed).expect("installs");
            world.connect(ASKER, HELPER);
            world.run_until(world.elapsed() + 5 * S);
            let second = world.call(ASKER, args(), 60 * S);
            world.run_until(world.elapsed() + 5 * S);
            // What no checkpoint held of the first call is gone with its node.
            let answers = [first, second].map(|c| world.result(c).cloned());
            assert!(answers[0].is_none() && killed == ASKER || answers[0] == Some(right()), "{at}: {answers:?}");
            assert_eq!(answers[1], Some(right()), "node {} killed after {at} ms", killed.0);
            at_rest(&world);
        }
    }
}

/// An engine that hosts the asker, and nothing more.
fn engine(durable: bool) -> Engine {
    let config = Config { durable, ..Config::new(bb_sim::peer_id(0), 1) };
    let mut engine = Engine::new(config);
    let program = bb::compile(stored);
    let artifact = &program.artifact("Asker").expect("compiled").bytes;
    engine.install(artifact, &bb::kernels(), &["here", "plain"]).expect("it installs");
    engine
}
fn asked(engine: &mut Engine) {
    let args = vec![number(1.0), Arg::Value(Value::Peer(bb_sim::peer_id(1)))];
    engine.handle(Time(0), Input::Call { call: CallId(0), graph: GraphId(0), args, budget: 60 * S });
}
/// The methods that are to run, until nothing is left to be done now.
fn methods(engine: &mut Engine, now: Time) -> Vec<(bb::engine::CommandId, String)> {
    let mut methods = Vec::new();
    while let Some(step) = engine.poll(now) {
        if let EngineStep::Run { command, method, .. } = step {
            methods.push((command, method.to_string()));
        }
    }
    methods
}
fn names(methods: &[(bb::engine::CommandId, String)]) -> Vec<&str> {
    methods.iter().map(|(_, name)| name.as_str()).collect()
}

#[test]
fn it_comes_first_though_a_call_was_there_before_it() {
    let mut engine = engine(false);
    assert_eq!(engine.deadline(), Some(Time(0)), "there is something to do though nothing has happened");
    asked(&mut engine);
    let began = methods(&mut engine, Time(0));
    assert_eq!(names(&began), ["twice", "open"], "the store is not asked");
    let opened = began[1].0;
    engine.handle(Time(5), Input::Completed { command: opened, result: Ok(vec![Value::scalar(1u64)]) });
    assert_eq!(names(&methods(&mut engine, Time(5))), ["get"]);
}

#[test]
fn a_checkpoint_says_how_far_it_is() {
    // Not begun: it begins.
    let mut fresh = engine(true);
    let bytes = fresh.checkpoint().bytes;
    let mut again = engine(true);
    again.restore(Time(0), &bytes).expect("it is its own");
    assert_eq!(names(&methods(&mut again, Time(0))), ["open"]);
    // Under way, with a call that waits: its method runs again, and then the call's.
    asked(&mut again);
    methods(&mut again, Time(0));
    let bytes = again.checkpoint().bytes;
    let mut again = engine(true);
    again.restore(Time(0), &bytes).expect("it is its own");
    let restored = methods(&mut again, Time(0));
    assert_eq!(names(&restored), ["open", "twice"]);
    let result = Ok(vec![Value::scalar(1u64)]);
    again.handle(Time(1), Input::Completed { command: restored[0].0, result });
    let behind = methods(&mut again, Time(1));
    assert_eq!(names(&behind), ["get"]);
    // Done: it is not done again.
    again.handle(Time(2), Input::Drop { call: CallId(0) });
    methods(&mut again, Time(2));
    let bytes = again.checkpoint().bytes;
    let mut done = engine(true);
    done.restore(Time(0), &bytes).expect("it is its own");
    assert_eq!(names(&methods(&mut done, Time(0))), [""; 0]);
    asked(&mut done);
    // Failed: a start is another chance.
    let mut failing = engine(true);
    let began = methods(&mut failing, Time(0));
    let result = Err(bb::engine::ComponentFailure::Error("no disk".into()));
    failing.handle(Time(1), Input::Completed { command: began[0].0, result });
    methods(&mut failing, Time(1));
    let bytes = failing.checkpoint().bytes;
    let mut again = engine(true);
    again.restore(Time(0), &bytes).expect("it is its own");
    assert_eq!(names(&methods(&mut again, Time(0))), ["open"]);
}

#[test]
fn one_that_never_answers_fails_in_the_end() {
    let mut engine = engine(false);
    methods(&mut engine, Time(0));
    let end = engine.deadline().expect("it has one");
    assert_eq!(end, Time(86_400 * 1_000_000_000));
    let told = std::iter::from_fn(|| engine.poll(end)).any(|step| {
        matches!(step, EngineStep::Event(Event::BootstrapFailed { cause, .. }) if cause.message.contains("time is out"))
    });
    assert!(told);
    assert_eq!(engine.usage(), Usage::default());
}

#[test]
fn an_artifact_whose_bootstrap_cannot_be_is_not_installed() {
    use bb::engine::InstallError;
    use bb::ir::proto::onnx::FunctionProto;
    use bb::ir::views::Metadata;
    use bb::ir::{artifact, bindings, keys};
    let program = bb::compile(stored);
    let model = artifact::read(&program.artifact("Asker").expect("compiled").bytes).expect("it is one");
    let refused = |change: &dyn Fn(&mut FunctionProto)| {
        let mut model = model.clone();
        model.functions.iter_mut().filter(|f| bindings::is_bootstrap(f)).for_each(change);
        let mut engine = Engine::new(Config::new(bb_sim::peer_id(0), 1));
        let error = engine.install(&artifact::write(&model), &bb::kernels(), &["here", "plain"]).expect_err("refused");
        assert!(engine.graphs().is_empty() && engine.deadline().is_none(), "nothing of it is kept");
        error
    };
    let malformed = |error: InstallError, text: &str| {
        assert!(matches!(&error, InstallError::Malformed(why) if why.contains(text)), "{error:?}");
    };
    let error = refused(&|f| f.input.push("x".into()));
    assert!(matches!(&error, InstallError::Broken(v) if v.rule == bb::ir::verify::Rule::MissingType), "{error:?}");
    malformed(refused(&|f| f.input[0] = "begin".into()), "is not called as one");
    malformed(refused(&|f| f.output.push("start".into())), "is not called as one");
    malformed(refused(&|f| f.node[0].set_metadata(keys::HOME_CLASS_KEY, "Helper")), "for a bootstrap on `Asker`");
    malformed(refused(&|f| f.node[0].domain = Some(bb::ir::ops::WIRE_DOMAIN.into())), "for a bootstrap on `Asker`");
    let error = refused(&|f| f.node[0].set_metadata(keys::SLOT_ID_KEY, "99"));
    assert!(matches!(&error, InstallError::Broken(v) if v.rule == bb::ir::verify::Rule::BindingTable), "{error:?}");
}

fn told_hosts() -> [Host; 2] {
    let program = bb::compile(told);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let here = || <StoreAt<Asker> as Accepts<Shelf>>::component(Shelf(0, 0));
    let there = || <StoreAt<Helper> as Accepts<Shelf>>::component(Shelf(0, 0));
    [host("Asker").bind("here", here), host("Helper").bind("there", there)]
}
fn whole(number: u64) -> Vec<Arg> {
    vec![Arg::Value(Value::scalar(number))]
}
fn rates() -> Vec<Arg> {
    vec![Arg::Value(Value::Tensor(bb::ir::value::RawTensor::from_vec(&[2], vec![1.0f32, 2.0]).expect("two")))]
}
/// Opened once here, filled with 2 here and with 3 there.
fn told_right() -> Result<Vec<Value>, CallError> {
    Ok([1.0f32 + 10.0 + 200.0, 1.0 + 300.0].map(Value::scalar).to_vec())
}

#[test]
fn one_that_takes_values_begins_when_the_last_is_staged() {
    let [asker, helper] = told_hosts();
    let mut world = world();
    world.add(vec![asker]).expect("installs");
    world.add(vec![helper.stage("others", 3u64)]).expect("installs");
    world.connect_all();
    let call = world.call(ASKER, args(), 60 * S);
    world.run_until(S);
    let done = |world: &World| events(world, |e| matches!(e, Event::Bootstrapped { .. }));
    assert_eq!((done(&world), world.result(call)), (1, None), "the helper has all it needs");
    // Typed, as a node's is.
    world.stage(ASKER, "rates", Tensor::from([1.0f32, 2.0])).expect("it takes them");
    world.run_until(2 * S);
    assert_eq!((done(&world), world.result(call)), (1, None));
    world.stage(ASKER, "first", 2u64).expect("it takes it");
    world.run_until(3 * S);
    assert_eq!((done(&world), world.result(call)), (2, Some(&told_right())));
    at_rest(&world);
}

#[test]
fn a_deadline_says_what_the_bootstrap_waits_for() {
    let mut world = world();
    for host in told_hosts() {
        world.add(vec![host]).expect("installs");
    }
    world.connect_all();
    world.stage_args(ASKER, "first", whole(2)).expect("it takes it");
    let call = world.call(ASKER, args(), 3 * S);
    world.run_until(10 * S);
    let Some(Err(error)) = world.result(call) else { panic!("{:?}", world.result(call)) };
    assert!(error.to_string().ends_with(": its bootstrap waits for `rates`"), "{error}");
    let helper = |e: &Event| matches!(e, Event::FrameExpired { waited_for, .. } if waited_for.iter().any(|w| w.ends_with(": its bootstrap waits for `others`")));
    assert_eq!(events(&world, helper), 1);
}

#[test]
fn what_it_does_not_take_is_refused_and_changes_nothing() {
    use bb::engine::StageError;
    let mut world = world();
    for host in told_hosts() {
        world.add(vec![host]).expect("installs");
    }
    let refused =
        |world: &mut World, name: &str, args: Vec<Arg>| world.stage_args(ASKER, name, args).expect_err("refused");
    let takes = vec!["first".to_owned(), "rates".to_owned()];
    let other =
        |name: &str| StageError::NoSuchInput { program: "told".into(), name: name.into(), takes: takes.clone() };
    assert_eq!(refused(&mut world, "others", whole(1)), other("others"), "that is for the helper");
    assert_eq!(refused(&mut world, "first", [whole(1), whole(2)].concat()), other("first.0"), "one value, not two");
    let wrong = [
        (number(1.0), "`f32`"),
        (Arg::Value(Value::Trigger), "`()`"),
        (Arg::AllPeers { and_self: true }, "`Peers::all()`"),
        (rates().remove(0), "`Tensor<f32>` of [2]"),
    ];
    for (wrong, said) in wrong {
        let error = refused(&mut world, "first", vec![wrong]);
        assert_eq!(error.to_string(), format!("`first` does not fit: it is a `u64`, this is a {said}"));
        assert!(matches!(&error, StageError::WrongType { name, .. } if name == "first"), "{error}");
    }
    world.stage_args(ASKER, "first", whole(2)).expect("it takes it");
    assert_eq!(refused(&mut world, "first", whole(2)), StageError::AlreadyStaged("first".into()));
    world.stage_args(ASKER, "rates", rates()).expect("it takes them");
    world.run_until(S);
    assert_eq!(refused(&mut world, "first", whole(2)), StageError::Begun("told".into()));
    let help = other("others").to_string();
    assert_eq!(help, "the bootstrap of `told` takes no `others` here\n  help: it takes `first`, `rates`");

    // One that takes nothing begins by itself.
    let mut world = running();
    let error = refused(&mut world, "first", whole(1));
    assert!(matches!(&error, StageError::NoSuchInput { takes, .. } if takes.is_empty()), "{error}");
}

#[test]
fn a_durable_node_is_handed_values_at_every_start_and_uses_them_once() {
    for at in (0..200).step_by(7) {
        let mut world = world();
        let [asker, helper] = told_hosts();
        world
            .add_durable(vec![asker.stage_args("first", whole(2)).stage_args("rates", rates())], 2 * MS)
            .expect("installs");
        world.add(vec![helper.stage_args("others", whole(3))]).expect("installs");
        world.run_until(at * MS);
        world.kill(ASKER);
        world.start(ASKER).expect("installs");
        world.connect_all();
        let call = world.call(ASKER, args(), 60 * S);
        world.run_until(world.elapsed() + 5 * S);
        assert_eq!(world.result(call), Some(&told_right()), "killed after {at} ms");
        at_rest(&world);
    }
}
