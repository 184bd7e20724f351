//! An artifact that comes to a node that runs brings its bootstrap along: it runs once, before its components are asked.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{Arg, CallId, CommandId, Config, Engine, EngineStep, Event, GraphId, Input, Time, Usage, Value};
use bb::prelude::*;
use bb_sim::peer_id;

#[bb::role]
pub trait Store {
    fn open(&mut self) -> u64;
    fn fill(&mut self, with: u64);
    fn get(&mut self, x: f32) -> f32;
}

#[bb::module]
fn kept(_graph: &Graph, x: On<Asker, f32>, store: StoreAt<Asker>) -> On<Asker, f32> {
    store.get(x)
}
#[bb::bootstrap(kept)]
fn open_store(graph: &Graph, store: StoreAt<Asker>) {
    let _ = store.open(graph);
}

#[bb::module]
fn told(_graph: &Graph, x: On<Asker, f32>, store: StoreAt<Asker>) -> On<Asker, f32> {
    store.get(x)
}
#[bb::bootstrap(told)]
fn fill_store(_: &Graph, first: On<Asker, u64>, second: On<Asker, u64>, store: StoreAt<Asker>) {
    store.fill(first);
    store.fill(second);
}

const NOW: Time = Time(5);

/// An engine that has run a while, and the artifact it begins with.
fn running() -> (Engine, GraphId) {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| positive(x));
    let mut engine = Engine::new(Config::new(peer_id(0), 1));
    let graph = engine.install(&program.artifacts[0].bytes, &bb::kernels(), &[]).expect("it installs").graph;
    call(&mut engine, graph, 1);
    assert_eq!(turn(&mut engine).answers, [1]);
    (engine, graph)
}
fn install(engine: &mut Engine, program: &bb::Compiled) -> GraphId {
    assert_eq!(program.diagnostics, []);
    engine.install(&program.artifacts[0].bytes, &bb::kernels(), &["store"]).expect("it installs").graph
}
fn call(engine: &mut Engine, graph: GraphId, id: u64) {
    engine.handle(NOW, Input::Call { call: CallId(id), graph, args: vec![number(4.0)], budget: S });
}
fn completed(engine: &mut Engine, command: CommandId, values: Vec<Value>) {
    engine.handle(NOW, Input::Completed { command, result: Ok(values) });
}
fn whole(number: u64) -> Vec<Arg> {
    vec![Arg::Value(Value::scalar(number))]
}

/// What came of what was told.
#[derive(Default)]
struct Turn {
    methods: Vec<(CommandId, String, Vec<Value>)>,
    answers: Vec<u64>,
    bootstrapped: Vec<GraphId>,
}
impl Turn {
    fn names(&self) -> Vec<&str> {
        self.methods.iter().map(|(_, name, _)| name.as_str()).collect()
    }
}
fn turn(engine: &mut Engine) -> Turn {
    let mut turn = Turn::default();
    while let Some(step) = engine.poll(NOW) {
        match step {
            EngineStep::Run { command, method, inputs, .. } => turn.methods.push((command, method.to_string(), inputs)),
            EngineStep::CallResolved { call, result, .. } => {
                result.expect("it has values");
                turn.answers.push(call.0);
            }
            EngineStep::Event(Event::Bootstrapped { graph, .. }) => turn.bootstrapped.push(graph),
            EngineStep::AppEvent { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    turn
}

#[test]
fn it_runs_once_and_calls_wait_for_it() {
    let (mut engine, plain) = running();
    let graph = install(&mut engine, &bb::compile(kept));
    assert_eq!(engine.deadline(), Some(NOW), "there is something to do though nothing has happened");
    call(&mut engine, graph, 2);
    call(&mut engine, plain, 3);
    let began = turn(&mut engine);
    assert_eq!((began.names(), &began.answers[..]), (vec!["open"], &[3][..]), "others do not wait");
    completed(&mut engine, began.methods[0].0, vec![Value::scalar(1u64)]);
    let behind = turn(&mut engine);
    assert_eq!((behind.names(), &behind.bootstrapped[..]), (vec!["get"], &[graph][..]));
    completed(&mut engine, behind.methods[0].0, vec![Value::scalar(8.0f32)]);
    assert_eq!(turn(&mut engine).answers, [2]);
    // What comes later does not begin it again.
    install(&mut engine, &bb::compile(told));
    call(&mut engine, graph, 4);
    assert_eq!(turn(&mut engine).names(), ["get"]);
}

#[test]
fn one_that_takes_values_begins_when_they_are_staged() {
    let (mut engine, _) = running();
    let graph = install(&mut engine, &bb::compile(told));
    call(&mut engine, graph, 2);
    assert!(turn(&mut engine).methods.is_empty(), "nothing is staged");
    engine.stage(graph, "second", whole(20)).expect("it takes it");
    assert!(turn(&mut engine).methods.is_empty(), "one is not all");
    engine.stage(graph, "first", whole(10)).expect("it takes it");
    let mut filled = turn(&mut engine);
    let ran =
        |turn: &Turn| turn.methods.iter().map(|(_, name, inputs)| (name.clone(), inputs.clone())).collect::<Vec<_>>();
    let fill = |with: u64| ("fill".to_owned(), vec![Value::scalar(with)]);
    assert_eq!(ran(&filled), [fill(10), fill(20)]);
    for (command, ..) in filled.methods.drain(..) {
        completed(&mut engine, command, Vec::new());
    }
    let behind = turn(&mut engine);
    assert_eq!((behind.names(), &behind.bootstrapped[..]), (vec!["get"], &[graph][..]));
    completed(&mut engine, behind.methods[0].0, vec![Value::scalar(8.0f32)]);
    assert_eq!(turn(&mut engine).answers, [2]);
    engine.stage(graph, "first", whole(10)).expect_err("it has run");
    assert_eq!((turn(&mut engine).names().len(), engine.usage()), (0, Usage::default()));
}
