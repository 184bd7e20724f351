//! A dimension's name is one size in an execution: what comes from outside is held to it.
#![allow(missing_docs)]

use bb::engine::{
    Arg, CallError, CallId, Config, Engine, EngineStep, Event, GraphId, Input, ReceiveFault, Time, Value,
};
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_components as _;
use bb_sim::peer_id;
use bytes::Bytes;
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Asker;
#[derive(bb::Peer)]
pub struct Helper;
#[derive(bb::Dim)]
pub struct Rows;
#[derive(bb::Dim)]
pub struct Found;

#[bb::role]
pub trait Scores {
    /// A score for each row.
    fn score(&mut self, rows: Tensor<f32, (Rows, D<2>)>) -> Tensor<f32, (Rows,)>;
    /// What it finds in them.
    fn find(&mut self, rows: Tensor<f32, (Rows, D<2>)>) -> Tensor<f32, (Found,)>;
}

/// One helper scores, and there is a weight for each row.
#[bb::module]
fn scored(
    graph: &Graph,
    rows: On<Asker, Tensor<f32, (Rows, D<2>)>>,
    weights: On<Asker, Tensor<f32, (Rows,)>>,
    helper: On<Asker, Peer<Helper>>,
    scores: ScoresAt<Helper>,
) -> On<Asker, Tensor<f32, (Rows,)>> {
    let there = graph.wire(rows, helper);
    let back = graph.wire(scores.score(there), there.sender::<Asker>());
    (back * weights).shaped()
}

/// Every helper scores and finds.
#[bb::module]
fn found(
    graph: &Graph,
    rows: On<Asker, Tensor<f32, (Rows, D<2>)>>,
    helpers: On<Asker, Peers<Helper>>,
    scores: ScoresAt<Helper>,
) -> On<Asker, u64> {
    let there = graph.wire(rows, helpers);
    let both = (scores.score(there), scores.find(there));
    graph.wire(both, there.sender::<Asker>()).quorum(0.5).count()
}

const NOW: Time = Time(1_000_000_000);

fn engines(program: &bb::Compiled, helpers: usize) -> Vec<Engine> {
    assert_eq!(program.diagnostics, []);
    let engine = |index: usize| {
        let (class, bound) = if index == 0 { ("Asker", &[][..]) } else { ("Helper", &["scores"][..]) };
        let mut engine = Engine::new(Config::new(peer_id(index), 100 + index as u64));
        let piece = program.artifact(class).expect("compiled");
        engine.install(&piece.bytes, &bb::kernels(), bound).expect("installs");
        engine
    };
    let mut engines: Vec<Engine> = (0..=helpers).map(engine).collect();
    for helper in 1..=helpers {
        let (asker, said) = (engines[0].hello(), engines[helper].hello());
        feed(&mut engines[helper], Input::Connected { peer: peer_id(0), hello: asker });
        feed(&mut engines[0], Input::Connected { peer: peer_id(helper), hello: said });
    }
    engines
}
fn feed(engine: &mut Engine, input: Input) -> Vec<EngineStep> {
    engine.handle(NOW, input);
    std::iter::from_fn(|| engine.poll(NOW)).collect()
}
fn tensor(shape: &[u64]) -> Value {
    let count = shape.iter().product::<u64>() as usize;
    Value::Tensor(RawTensor::from_vec(shape, vec![1.0f32; count]).expect("as many as the shape says"))
}
fn call(engine: &mut Engine, args: Vec<Value>) -> Vec<EngineStep> {
    let args = args.into_iter().map(Arg::Value).collect();
    let budget = Duration::from_secs(60);
    feed(engine, Input::Call { call: CallId(1), graph: GraphId(0), args, budget })
}
fn frames<'s>(steps: impl IntoIterator<Item = &'s EngineStep>) -> Vec<Bytes> {
    let frame = |s: &EngineStep| if let EngineStep::Send(m) = s { Some(m.encode(NOW).concat().into()) } else { None };
    steps.into_iter().filter_map(frame).collect()
}
fn resolved(steps: &[EngineStep]) -> Option<Result<Vec<Value>, CallError>> {
    steps.iter().find_map(|s| if let EngineStep::CallResolved { result, .. } = s { Some(result.clone()) } else { None })
}
fn refusals(steps: &[EngineStep]) -> Vec<String> {
    let text = |s: &EngineStep| match s {
        EngineStep::Event(Event::WireReceiveError { kind: ReceiveFault::Payload(text), .. }) => Some(text.clone()),
        _ => None,
    };
    steps.iter().filter_map(text).collect()
}
/// What a helper answers to its frame: for each method that runs, a tensor of that shape.
fn answer(helper: &mut Engine, frame: &Bytes, shape_of: impl Fn(&str) -> Vec<u64>) -> Vec<Bytes> {
    let asked = feed(helper, Input::Received { peer: peer_id(0), frame: frame.clone() });
    let mut sent = Vec::new();
    for step in asked {
        if let EngineStep::Run { command, method, .. } = step {
            let result = Ok(vec![tensor(&shape_of(&method))]);
            sent.extend(frames(&feed(helper, Input::Completed { command, result })));
        }
    }
    sent
}
fn receive(engine: &mut Engine, from: usize, frame: Bytes) -> Vec<EngineStep> {
    feed(engine, Input::Received { peer: peer_id(from), frame })
}

#[test]
fn arguments_that_share_a_name_are_of_one_size() {
    let program = bb::compile(scored);
    let refused = call(&mut engines(&program, 1)[0], vec![tensor(&[3, 2]), tensor(&[4]), Value::Peer(peer_id(1))]);
    let expected = "`Rows` is 3 in this execution, and here 4".to_owned();
    assert_eq!(resolved(&refused), Some(Err(CallError::BadArgument { index: 1, expected })));
}

#[test]
fn an_argument_of_another_shape_is_told_both_shapes() {
    let program = bb::compile(scored);
    let refused = call(&mut engines(&program, 1)[0], vec![tensor(&[3, 5]), tensor(&[3]), Value::Peer(peer_id(1))]);
    let expected = "`rows` is a `Tensor<f32>` of [Rows, 2], this is a `Tensor<f32>` of [3, 5]".to_owned();
    assert_eq!(resolved(&refused), Some(Err(CallError::BadArgument { index: 0, expected })));
}

#[test]
fn what_comes_back_is_of_the_size_that_was_sent() {
    let program = bb::compile(scored);
    for (size, fits) in [(3, true), (5, false)] {
        let mut all = engines(&program, 1);
        let asked = call(&mut all[0], vec![tensor(&[3, 2]), tensor(&[3]), Value::Peer(peer_id(1))]);
        let back = answer(&mut all[1], &frames(&asked)[0], |_| vec![size]);
        let steps = receive(&mut all[0], 1, back[0].clone());
        assert_eq!(resolved(&steps).expect("it ends").is_ok(), fits, "{steps:?}");
        let said: &[&str] = if fits { &[] } else { &["`Rows` is 3 in this execution, and here 5"] };
        assert_eq!(refusals(&steps), said);
    }
}

#[test]
fn a_size_that_the_program_says_is_the_size_of_what_comes() {
    let mut all = engines(&bb::compile(scored), 1);
    let asked = call(&mut all[0], vec![tensor(&[3, 2]), tensor(&[3]), Value::Peer(peer_id(1))]);
    let mut frame = frames(&asked)[0].to_vec();
    let dims = |a: u64, b: u64| [a.to_le_bytes(), b.to_le_bytes()].concat();
    let at = frame.windows(16).position(|bytes| bytes == dims(3, 2)).expect("the shape is written down");
    frame.splice(at..at + 16, dims(2, 3));
    assert_eq!(refusals(&receive(&mut all[1], 0, frame.into())), ["it has another shape than the program says"]);
}

/// Two helpers that give so many scores, and find so much.
fn two_helpers(given: [(u64, u64); 2]) -> Vec<EngineStep> {
    let mut all = engines(&bb::compile(found), 2);
    let mut members = [peer_id(1), peer_id(2)];
    members.sort();
    let cohort = Value::Seq(members.map(Value::Peer).into());
    let asked = call(&mut all[0], vec![tensor(&[3, 2]), cohort]);
    let mut steps = Vec::new();
    for (helper, (scores, found)) in [1, 2].into_iter().zip(given) {
        let for_it = |s: &&EngineStep| matches!(s, EngineStep::Send(m) if m.peer == peer_id(helper));
        let frame = frames(asked.iter().filter(for_it)).remove(0);
        let shape = |method: &str| vec![if method == "score" { scores } else { found }];
        for back in answer(&mut all[helper], &frame, shape) {
            steps.extend(receive(&mut all[0], helper, back));
        }
    }
    steps
}

#[test]
fn a_lane_has_names_that_the_frame_does_not_know_to_itself() {
    let steps = two_helpers([(3, 7), (3, 9)]);
    assert_eq!(refusals(&steps), [""; 0]);
    assert_eq!(resolved(&steps), Some(Ok(vec![Value::scalar(2u64)])));
}

#[test]
fn a_lane_is_held_to_what_the_frame_knows() {
    let steps = two_helpers([(3, 7), (4, 7)]);
    assert_eq!(refusals(&steps), ["`Rows` is 3 in this execution, and here 4"]);
    assert_eq!(resolved(&steps), Some(Ok(vec![Value::scalar(1u64)])));
}

#[test]
fn sizes_are_known_after_a_restart() {
    let program = bb::compile(scored);
    let mut all = engines(&program, 1);
    let asked = call(&mut all[0], vec![tensor(&[3, 2]), tensor(&[3]), Value::Peer(peer_id(1))]);
    let back = answer(&mut all[1], &frames(&asked)[0], |_| vec![5]);
    let saved = all[0].checkpoint().bytes;
    let mut again = Engine::new(Config::new(peer_id(0), 100));
    again.install(&program.artifact("Asker").expect("compiled").bytes, &bb::kernels(), &[]).expect("installs");
    again.restore(NOW, &saved).expect("it is whole");
    let hello = all[1].hello();
    feed(&mut again, Input::Connected { peer: peer_id(1), hello });
    let steps = receive(&mut again, 1, back[0].clone());
    assert_eq!(refusals(&steps), ["`Rows` is 3 in this execution, and here 5"], "{steps:?}");
}
