//! Random programs give the same sliced over simulated nodes, on one node that hosts every class, and whole, without an
//! engine; compiling them twice gives the same bytes, the verifier takes every artifact, and no pass changes more than it
//! says.
//!
//! `BB_PROGRAMS=10000 cargo test --release -p bb-sim --test random_programs -- --nocapture` for more of them.
#![allow(missing_docs)]

mod count;
#[path = "../../../tests/judge/nodes.rs"]
#[allow(dead_code, reason = "the judge's programs need more of them")]
mod nodes;
mod plan;
mod played;
mod program;
mod values;
mod whole;

use bb::Compiled;
use bb::engine::{Arg, CallError, Value};
use bb::ir::artifact;
use bb::ir::proto::onnx::ModelProto;
use bb::ir::verify::{Level, verify};
use bb_compiler::pipeline::PASSES;
use bb_sim::{Host, Link, NodeIx, World, peer_id};
use count::Count;
use plan::Plan;
use played::{Works, host};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// One program per seed.
const PROGRAMS: u64 = 64;

fn programs() -> u64 {
    std::env::var("BB_PROGRAMS").map_or(PROGRAMS, |n| n.parse().expect("BB_PROGRAMS is a number"))
}

/// Calls the program once; its outputs.
fn outputs(world: &mut World, args: Vec<Value>) -> Result<Vec<Value>, CallError> {
    world.connect_all();
    let call = world.call(NodeIx(0), args.into_iter().map(Arg::Value).collect(), Duration::from_secs(60));
    world.run(Duration::from_secs(120));
    let outputs = world.result(call).expect("it resolves").clone();
    for node in (0..world.len()).map(NodeIx) {
        assert_eq!(world.usage(node), Some(Default::default()), "nothing runs any more on {node:?}");
    }
    outputs
}

/// Every peer is the caller itself.
fn on_one_node(plan: &Plan, program: &Compiled, seed: u64) -> Result<Vec<Value>, CallError> {
    let mut world = World::new(seed, bb::kernels());
    let hosts: Vec<Host> =
        program.artifacts.iter().map(|artifact| host(program, &artifact.class, Works::Adding(0))).collect();
    world.add(hosts).expect("installs");
    let me = || Value::Peer(peer_id(0));
    let mut args = plan.values();
    args.extend([me(), me(), me(), Value::Seq(vec![me()].into())]);
    outputs(&mut world, args)
}

/// Over a network that delays, reorders and doubles.
fn sliced(plan: &Plan, program: &Compiled, seed: u64) -> Result<Vec<Value>, CallError> {
    let mut world = World::new(seed, bb::kernels());
    let ms = Duration::from_millis;
    world.set_link(Link::default().delay(ms(1)..=ms(40)).reorder(0.3).duplicate(0.1));
    let workers = plan.workers();
    let nodes = plan.nodes(workers.len());
    let others = nodes.len() - workers.len();
    for (node, class) in nodes.iter().enumerate() {
        let works = node.checked_sub(others).map_or(Works::Failing, |member| workers[member]);
        world.add(vec![host(program, class, works)]).expect("installs");
    }
    outputs(&mut world, plan.args(&nodes))
}

/// What the program means in ONNX's words, without an engine.
fn whole(plan: &Plan, program: &Compiled, members: usize) -> Vec<Value> {
    let output = program.output.as_ref().expect("it compiles");
    let model = program.whole(&plan.reference(members)).expect("it compiles").expect("everything is played");
    let mut args = vec![Value::Trigger];
    args.extend(plan.args(&plan.nodes(members)));
    whole::outputs(&model, args, output.program.functions[0].output.len())
}

/// The program, or what is wrong with it.
fn judged(plan: &Plan, seed: u64) -> Result<Compiled, String> {
    let program = plan.compile();
    if !program.diagnostics.is_empty() {
        return Err(format!("does not compile: {:?}", program.diagnostics));
    }
    let unrolled = plan.unrolled(plan.members);
    if program.artifacts != unrolled.artifacts {
        return Err("compiled twice, then with its cohort unrolled, it is not the same bytes".into());
    }
    for artifact in &program.artifacts {
        let violations = verify(&artifact::read(&artifact.bytes).expect("an artifact"), Level::Sealed);
        if !violations.is_empty() {
            return Err(format!("the artifact of {}: {violations:?}", artifact.class));
        }
    }
    passes_keep_their_word(&program.recorded)?;
    let same = |how: &str, found: Result<Vec<Value>, CallError>, of: &Compiled, members: usize| {
        let expected = whole(plan, of, members);
        match found {
            Ok(found) if bytes(&found) == bytes(&expected) => Ok(()),
            found => Err(format!("{how} it gives {found:?}, whole {expected:?}")),
        }
    };
    same("on one node", on_one_node(plan, &program, seed), &program, 1)?;
    same("sliced", sliced(plan, &program, seed), &unrolled, plan.members)?;
    Ok(program)
}

/// No pass changes more than it says, which is all that the verifier looks at behind it; and what it does not look at is
/// as it should be.
fn passes_keep_their_word(recorded: &bb::Recorded) -> Result<(), String> {
    let told: Rc<RefCell<(Vec<ModelProto>, Vec<String>)>> = Rc::default();
    let tells = Rc::clone(&told);
    let compiler = bb::Compiler::new().with_observer(move |name, models| {
        let (before, faults) = &mut *tells.borrow_mut();
        if let Some(pass) = PASSES.iter().find(|pass| pass.name == name) {
            let parts = before.iter().zip(models).map(|(before, after)| pass.touches.is_all_between(before, after));
            faults.extend(parts.filter_map(Result::err).map(|what| format!("`{name}` changed {what}")));
            let found = models.iter().flat_map(|model| verify(model, pass.level));
            faults.extend(found.map(|violation| format!("behind `{name}`: {violation}")));
        }
        *before = models.iter().map(|model| (*model).clone()).collect();
    });
    compiler.compile(&recorded.model).map_err(|error| error.to_string())?;
    let (_, faults) = &*told.borrow();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

#[test]
fn sliced_over_engines_random_programs_give_what_they_give_whole() {
    let (mut count, began) = (Count::default(), Instant::now());
    for seed in 0..programs() {
        let plan = Plan::draw(seed);
        match judged(&plan, seed) {
            Ok(program) => count.program(&plan, &program),
            Err(_) => {
                let least = plan.shrunk(|plan| judged(plan, seed).is_err());
                panic!("seed {seed}: {least:#?}\n{}", judged(&least, seed).expect_err("it was shrunk to what fails"));
            }
        }
    }
    println!("{}{:.0?}", count.table(), began.elapsed());
    count.assert_all_occurred();
}

/// Shape and elements: not-a-number is equal to itself here.
fn bytes(values: &[Value]) -> Vec<(Vec<u64>, Vec<u8>)> {
    let tensor = |value: &Value| {
        let tensor = value.as_tensor().expect("outputs are tensors");
        (tensor.shape().to_vec(), tensor.data().to_vec())
    };
    values.iter().map(tensor).collect()
}
