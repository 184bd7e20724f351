//! Random programs give the same outputs whole, on one node that hosts every class, as sliced over simulated nodes.
//!
//! `BB_PROGRAMS=10000 cargo test --release -p bb-sim --test random_programs` for more of them.
#![allow(missing_docs)]

#[path = "random/program.rs"]
mod program;

use bb::engine::{Arg, Value};
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_sim::{Host, Link, NodeIx, World, peer_id};
use program::{A, Count, Plan, WorkerAt, Works};
use std::time::Duration;

/// One program per seed.
const PROGRAMS: u64 = 300;

fn programs() -> u64 {
    std::env::var("BB_PROGRAMS").map_or(PROGRAMS, |n| n.parse().expect("BB_PROGRAMS is a number"))
}
/// Members of the cohort in the sliced run; two answer where one fails, so that a mean of equals is exact.
const MEMBERS: usize = 3;

fn tensor(values: [f32; 3]) -> Arg {
    Arg::Value(Value::Tensor(RawTensor::from_vec(&[3], values.to_vec()).expect("three")))
}
fn peer(node: NodeIx) -> Arg {
    Arg::Value(Value::Peer(peer_id(node.0)))
}
fn cohort(nodes: &[NodeIx]) -> Arg {
    Arg::Value(Value::Seq(nodes.iter().map(|n| Value::Peer(peer_id(n.0))).collect()))
}
fn host(program: &bb::Compiled, class: &str, fails: bool) -> Host {
    let artifact = program.artifact(class).expect("every class takes part in every program");
    let host = Host::new(artifact.bytes.clone());
    if class != "D" {
        return host;
    }
    let worker = move || <WorkerAt<program::D> as bb::__private::Accepts<Works>>::component(Works { fails });
    // A closure's parameters have no names that a program could know: they are a, b, c and so on.
    host.bind("f", worker)
}

/// Calls the program once; its outputs.
fn outputs(world: &mut World, entry: NodeIx, args: [Arg; 3], inputs: [[f32; 3]; 2]) -> Vec<Value> {
    world.connect_all();
    let [b, c, d] = args;
    let args = vec![tensor(inputs[0]), tensor(inputs[1]), b, c, d];
    let call = world.call(entry, args, Duration::from_secs(60));
    world.run(Duration::from_secs(120));
    let outputs = world.result(call).expect("it resolves").clone().expect("it succeeds");
    for node in (0..world.len()).map(NodeIx) {
        assert_eq!(world.usage(node), Some(Default::default()), "nothing runs any more on {node:?}");
    }
    outputs
}

fn whole(program: &bb::Compiled, seed: u64, inputs: [[f32; 3]; 2]) -> Vec<Value> {
    let mut world = World::new(seed, bb::kernels());
    let hosts = ["A", "B", "C", "D"].map(|class| host(program, class, false));
    let one = world.add(hosts.into()).expect("installs");
    outputs(&mut world, one, [peer(one), peer(one), cohort(&[one])], inputs)
}

fn sliced(program: &bb::Compiled, seed: u64, inputs: [[f32; 3]; 2], failing: bool) -> Vec<Value> {
    let mut world = World::new(seed, bb::kernels());
    let ms = Duration::from_millis;
    world.set_link(Link::default().delay(ms(1)..=ms(40)).reorder(0.3).duplicate(0.1));
    let [a, b, c] = ["A", "B", "C"].map(|class| world.add(vec![host(program, class, false)]).expect("installs"));
    let members: Vec<NodeIx> = (0..if failing { MEMBERS } else { 2 })
        .map(|i| world.add(vec![host(program, "D", failing && i == 1)]).expect("installs"))
        .collect();
    outputs(&mut world, a, [peer(b), peer(c), cohort(&members)], inputs)
}

#[test]
fn whole_and_sliced_programs_give_the_same() {
    let mut count = Count::default();
    for seed in 0..programs() {
        let plan = Plan::draw(seed);
        let body = |graph: &Graph,
                    x: On<A, Tensor>,
                    y: On<A, Tensor>,
                    b: On<A, Peer<program::B>>,
                    c: On<A, Peer<program::C>>,
                    d: On<A, Peers<program::D>>,
                    worker: WorkerAt<program::D>| plan.record(graph, [x, y], b, c, d, worker);
        let program = bb::compile(body);
        assert_eq!(program.artifacts, bb::compile(body).artifacts, "the same program gives the same bytes");
        assert_eq!(program.diagnostics, [], "seed {seed}: {plan:?}");
        let inputs = plan.inputs();
        let (one, many) = (whole(&program, seed, inputs), sliced(&program, seed, inputs, plan.failing_lane()));
        assert_eq!(bytes(&one), bytes(&many), "seed {seed}: {plan:?}");
        plan.count(&mut count);
    }
    println!("{count:?}");
    count.assert_all_occurred();
}

/// What is compared: not-a-number is equal to itself here.
fn bytes(values: &[Value]) -> Vec<Vec<u8>> {
    values.iter().map(|v| v.as_tensor().expect("outputs are tensors").data().to_vec()).collect()
}
