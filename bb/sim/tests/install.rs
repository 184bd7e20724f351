//! What cannot be installed says why, for every reason there is, and leaves the engine as it was; what can runs at once.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{Arg, CallId, Config, Engine, EngineStep, Input, InstallError, Time, Usage, Value};
use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb::ir::verify::Rule;
use bb::ir::views::Metadata;
use bb::ir::{artifact, keys, ops};
use bb::prelude::*;
use bb_sim::peer_id;

#[bb::role]
pub trait Answers {
    fn answer(&mut self, x: f32) -> f32;
}

#[bb::module]
fn ask(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>, answers: AnswersAt<Helper>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(digits(answers.answer(there), there), there.sender::<Asker>())
}

fn piece(class: &str) -> Vec<u8> {
    let program = bb::compile(ask);
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("compiled").bytes.clone()
}
/// The helper's piece, changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = artifact::read(&piece("Helper")).expect("ours");
    change(&mut model);
    artifact::write(&model)
}
fn op<'a>(model: &'a mut ModelProto, name: &str) -> &'a mut NodeProto {
    model.functions[0].node.iter_mut().find(|n| n.op_type() == name).expect("it has one")
}
/// Thirty functions, each of which calls the one before twice: a billion nodes.
fn doubling(model: &mut ModelProto) {
    let call = |callee: &str, i: usize| NodeProto {
        domain: Some(ops::MODULE_DOMAIN.into()),
        op_type: Some(callee.into()),
        name: Some(format!("{callee}_{i}")),
        ..NodeProto::default()
    };
    for i in 0..30 {
        let node =
            if i == 0 { Vec::new() } else { vec![call(&format!("f{}", i - 1), 0), call(&format!("f{}", i - 1), 1)] };
        let function = FunctionProto {
            name: Some(format!("f{i}")),
            domain: Some(ops::MODULE_DOMAIN.into()),
            node,
            ..FunctionProto::default()
        };
        model.functions.push(function);
    }
    model.functions[0].node.push(call("f29", 0));
}

const SLOT: &[&str] = &["answers"];

#[test]
fn every_reason_is_told_and_nothing_is_kept() {
    use InstallError as E;
    let binding = |model: &ModelProto| {
        let (rest, value) = model.metadata_under(keys::BINDING_KEY_PREFIX).next().expect("it has a slot");
        (format!("{}{rest}", keys::BINDING_KEY_PREFIX), value.to_owned())
    };
    let rebound = |key: fn(&str) -> String, value: fn(&str) -> String| {
        changed(|m| {
            let (old, bound) = binding(m);
            m.remove_metadata(&old);
            m.set_metadata(&key(&old), value(&bound));
        })
    };
    let same = |text: &str| text.to_owned();
    let helper = piece("Helper");
    type Is = fn(&E) -> bool;
    let cases: [(&str, Vec<u8>, &[&str], Is); 15] = [
        ("not an artifact", b"not a model at all".to_vec(), SLOT, |e| matches!(e, E::NotAnArtifact(_))),
        ("did not compile", Vec::new(), SLOT, |e| matches!(e, E::NotAnArtifact(_))),
        ("end inside", helper[..helper.len() / 2].to_vec(), SLOT, |e| matches!(e, E::NotAnArtifact(_))),
        ("not compiled", changed(|m| m.remove_metadata(keys::COMPILED_KEY)), SLOT, |e| matches!(e, E::NotCompiled)),
        ("`v9`", changed(|m| m.set_metadata(keys::COMPILED_KEY, "v9")), SLOT, |e| {
            matches!(e, E::IncompatibleCompiledVersion(_))
        }),
        ("which is none", rebound(same, |_| "nonsense".into()), SLOT, |e| matches!(e, E::InvalidBindingTable(_))),
        ("which it does not hold", rebound(|key| key.replace("_Helper", "_Nobody"), same), SLOT, |e| {
            matches!(e, E::UnknownTarget(_))
        }),
        ("the slot `answers`", helper.clone(), &[], |e| matches!(e, E::UnboundSlot { .. })),
        ("no kernel for `unheard_of`", changed(|m| op(m, "digits").op_type = Some("unheard_of".into())), SLOT, |e| {
            matches!(e, E::UnknownOp { .. })
        }),
        (
            "the rule BindingTable",
            changed(|m| op(m, "answer").set_metadata(keys::SLOT_ID_KEY, "7")),
            SLOT,
            |e| matches!(e, E::Broken(violation) if violation.rule == Rule::BindingTable),
        ),
        ("cannot run", changed(|m| op(m, ops::GATE_DEDUP_RX).op_type = Some(ops::GATE_BACKOFF_RX.into())), SLOT, |e| {
            matches!(e, E::BadNode { .. })
        }),
        ("no digest", changed(|m| m.remove_metadata(keys::PROGRAM_DIGEST_KEY)), SLOT, |e| matches!(e, E::Malformed(_))),
        ("share an address", changed(|m| m.set_metadata(keys::PROGRAM_NAME_KEY, "other")), SLOT, |e| {
            matches!(e, E::AddressCollision)
        }),
        ("hosted by this node already", helper.clone(), SLOT, |e| matches!(e, E::AlreadyHosted { .. })),
        ("more than", changed(doubling), SLOT, |e| matches!(e, E::TooLarge { .. })),
    ];
    // A node that hosts the piece already; the last cases need it.
    let mut engine = Engine::new(Config::new(peer_id(1), 1));
    for (says, bytes, bound, is) in cases {
        let collides = matches!(says, "share an address" | "hosted by this node already");
        if collides && engine.graphs().is_empty() {
            engine.install(&helper, &bb::kernels(), SLOT).expect("it installs");
        }
        let before = (engine.graphs().len(), engine.hello());
        let error = engine.install(&bytes, &bb::kernels(), bound).expect_err(says);
        let text = error.to_string();
        assert!(is(&error), "{says}: {error:?}");
        assert!(text.contains(says), "{text}");
        assert_eq!((engine.graphs().len(), engine.hello()), before, "{says}");
    }
}

#[test]
fn what_is_installed_later_runs_like_what_was_there() {
    let later = bb::compile(|_: &Graph, x: On<Asker, f32>| digits(x, x));
    let mut engine = Engine::new(Config::new(peer_id(0), 1));
    engine.install(&piece("Asker"), &bb::kernels(), &[]).expect("it installs");
    let now = Time(1);
    engine.handle(now, Input::Tick);
    while engine.poll(now).is_some() {}
    let graph = engine.install(&later.artifacts[0].bytes, &bb::kernels(), &[]).expect("it installs").graph;
    let call = Input::Call { call: CallId(1), graph, args: vec![Arg::Value(Value::scalar(4.0f32))], budget: S };
    engine.handle(now, call);
    let answer = std::iter::from_fn(|| engine.poll(now)).find_map(|step| match step {
        EngineStep::CallResolved { result, .. } => Some(result),
        _ => None,
    });
    assert_eq!(answer, Some(Ok(vec![Value::scalar(44.0f32)])));
}

#[test]
fn a_host_with_other_things_to_do_says_how_many_ops_may_run() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| (0..100).fold(x, |x, _| positive(x)));
    let mut engine = Engine::new(Config::new(peer_id(0), 1));
    let graph = engine.install(&program.artifacts[0].bytes, &bb::kernels(), &[]).expect("it installs").graph;
    let now = Time(5);
    let args = vec![Arg::Value(Value::scalar(4.0f32))];
    engine.handle(now, Input::Call { call: CallId(1), graph, args, budget: S });
    let mut turns = 0;
    let answer = loop {
        turns += 1;
        let mut ops = 7;
        match engine.poll_within(now, &mut ops) {
            Some(EngineStep::CallResolved { result, .. }) => break result,
            Some(_) => {}
            None => assert_eq!((ops, engine.deadline()), (0, Some(now)), "turn {turns}"),
        }
    };
    assert_eq!(answer, Ok(vec![Value::scalar(4.0f32)]));
    assert!((14..=16).contains(&turns), "{turns}");
    while engine.poll(now).is_some() {}
    assert_eq!(engine.usage(), Usage::default());
}
