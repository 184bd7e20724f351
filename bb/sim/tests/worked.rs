//! The two worked examples of the semantics, row by row.
#![allow(missing_docs)]

use bb::__private::Accepts;
use bb::engine::{Arg, CallError, Event, FailureCode, Value};
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_sim::{Host, Link, NodeIx, What, World, peer_id};
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Trainer {
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
}

#[bb::module]
fn round(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    quorum: On<Server, f32>,
    trainer: TrainerAt<Client>,
    average: AggregatorAt<Server>,
) -> On<Server, Tensor> {
    let global = average.params(graph);
    let local = graph.wire(global, cohort);
    let (update, samples) = trainer.train(local);
    let back = graph.wire((update, samples), local.sender::<Server>());
    average.fold(back.quorum(quorum).within(secs(30)))
}

/// Adds its own number.
struct Adds(f32);
impl Trainer for Adds {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        let values = params.as_slice().iter().map(|v| v + self.0).collect();
        (Tensor::from_vec(params.shape(), values).expect("as many"), 1)
    }
}
/// The sum of what came, and behind it one number per missing member: its code.
struct Sums;
impl Aggregator for Sums {
    fn params(&mut self) -> Tensor {
        Tensor::from_vec(&[1], vec![0.0]).expect("one")
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sum: f32 = updates.iter().map(|(_, (t, _))| t.as_slice()[0]).sum();
        let mut values = vec![sum];
        values.extend(updates.missing().iter().map(|(_, reason)| reason.code() as f32));
        Ok(Tensor::from_vec(&[values.len() as u64], values).expect("as many"))
    }
}

/// A server and clients A, B, C that add 1, 10 and 100 and take as many seconds as `costs` says.
fn world(costs: [u64; 3]) -> (World, NodeIx, [NodeIx; 3]) {
    let program = bb::compile(round);
    assert_eq!(program.diagnostics, []);
    let piece = |class: &str| program.artifact(class).expect("compiled").bytes.clone();
    let mut world = World::new(1, bb::kernels());
    world.set_link(Link::default().delay(Duration::ZERO..=Duration::ZERO));
    let average = || <AggregatorAt<Server> as Accepts<Sums>>::component(Sums);
    let server = world.add(vec![Host::new(piece("Server")).bind("average", average)]).expect("installs");
    let clients = [1.0f32, 10.0, 100.0].map(|n| {
        let trainer = move || <TrainerAt<Client> as Accepts<Adds>>::component(Adds(n));
        world.add(vec![Host::new(piece("Client")).bind("trainer", trainer)]).expect("installs")
    });
    world.set_cost(move |node, method| match method {
        "train" => Duration::from_secs(costs[node.0 - 1]),
        _ => Duration::ZERO,
    });
    world.connect_all();
    (world, server, clients)
}
fn args(quorum: f32) -> Vec<Arg> {
    vec![Arg::AllPeers { and_self: false }, Arg::Value(Value::scalar(quorum))]
}
fn tensor(values: &[f32]) -> Vec<Value> {
    vec![Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))]
}
const NEVER: u64 = 1000;
const S: Duration = Duration::from_secs(1);

#[test]
fn federated_average_with_one_dead_and_one_slow() {
    let (mut w, server, [a, b, c]) = world([1, 31, NEVER]);
    let call = w.call(server, args(0.3), 60 * S);
    // 0 s: three envelopes; A, B, C train.
    w.run_until(S / 2);
    let sent =
        w.trace().iter().filter(|r| r.node == server && matches!(r.what, What::Sent { bytes, .. } if bytes > 40));
    assert_eq!(sent.count(), 3);
    assert_eq!(w.trace().iter().filter(|r| matches!(&r.what, What::Ran { method } if &**method == "train")).count(), 3);
    // 1 s: A's update arrives; A's frame has nothing pending and ends.
    w.run_until(S + S / 2);
    assert_eq!(w.usage(a).expect("alive").frames, 0);
    assert_eq!(w.usage(server).expect("alive").frames, 1);
    // 2 s: C is killed; 1 + 1 ≥ 1, so the gather stays open.
    w.run_until(2 * S);
    w.kill(c);
    w.run_until(29 * S);
    assert_eq!(w.result(call), None);
    // 30 s: the deadline yields [A], missing B (Deadline) and C (PeerLost).
    w.run_until(30 * S);
    let deadline = FailureCode::Deadline.number() as f32;
    let lost = FailureCode::PeerLost.number() as f32;
    assert_eq!(w.result(call), Some(&Ok(tensor(&[1.0, deadline, lost]))));
    assert_eq!(w.usage(server).expect("alive"), Default::default());
    // 31 s: B's update is late, nothing else.
    let before = w.trace().len();
    w.run_until(32 * S);
    let events: Vec<_> = w.trace()[before..]
        .iter()
        .filter_map(|r| match &r.what {
            What::Event(event) if r.node == server => Some(event.clone()),
            _ => None,
        })
        .collect();
    let [Event::Late { wire: 1, lane: Some(1), peer, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(*peer, peer_id(b.0));
    assert_eq!(w.usage(b).expect("alive").frames, 0);
}

#[test]
fn nobody_waiting_ends_the_gather() {
    let (mut w, server, [_, _, c]) = world([1, 5, NEVER]);
    let call = w.call(server, args(0.3), 60 * S);
    w.run_until(2 * S);
    w.kill(c);
    w.run_until(5 * S);
    assert_eq!(w.result(call), Some(&Ok(tensor(&[11.0, FailureCode::PeerLost.number() as f32]))));
}

#[test]
fn a_quorum_of_two_is_not_reached_by_one() {
    let (mut w, server, [_, _, c]) = world([1, NEVER, NEVER]);
    let call = w.call(server, args(0.6), 60 * S);
    w.run_until(2 * S);
    w.kill(c);
    w.run_until(30 * S);
    let Some(Err(CallError::Failed(cause))) = w.result(call) else { panic!("{:?}", w.result(call)) };
    let quorum = cause.quorum.as_deref().unwrap_or_else(|| panic!("{cause:?}"));
    assert_eq!((cause.code, quorum.need), (FailureCode::QuorumNotReached, 2));
    assert_eq!(quorum.arrived, [peer_id(1)]);
    assert_eq!(quorum.missing, [(peer_id(2), FailureCode::Deadline), (peer_id(3), FailureCode::PeerLost)]);
    assert_eq!(w.usage(server).expect("alive"), Default::default());
}

#[test]
fn had_b_died_too_it_fails_at_once() {
    let (mut w, server, [_, b, c]) = world([1, NEVER, NEVER]);
    let call = w.call(server, args(0.6), 60 * S);
    w.run_until(2 * S);
    w.kill(c);
    assert_eq!(w.result(call), None);
    w.kill(b);
    assert!(matches!(w.result(call), Some(Err(CallError::Failed(c))) if c.code == FailureCode::QuorumNotReached));
    assert_eq!(w.elapsed(), 2 * S);
}

#[test]
fn who_starts_again_is_in_the_next_cohort() {
    let (mut w, server, [a, b, c]) = world([0, 0, 0]);
    w.kill(c);
    let call = w.call(server, args(1.0), 60 * S);
    w.run_until(S);
    assert_eq!(w.result(call), Some(&Ok(tensor(&[11.0]))));
    w.start(c).expect("starts");
    for other in [server, a, b] {
        w.connect(c, other);
    }
    let call = w.call(server, args(1.0), 60 * S);
    w.run_until(2 * S);
    assert_eq!(w.result(call), Some(&Ok(tensor(&[111.0]))));
}

#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Left;
#[derive(bb::Peer)]
pub struct Right;
#[derive(bb::Peer)]
pub struct Head;

#[bb::role]
pub trait Half {
    fn run(&mut self, x: Tensor) -> Result<Tensor, String>;
}
#[bb::op]
fn join(a: Tensor, b: Tensor) -> Tensor {
    let values: Vec<f32> = a.as_slice().iter().chain(b.as_slice()).copied().collect();
    Tensor::from_vec(&[values.len() as u64], values).expect("as many")
}

#[bb::module]
fn split(
    graph: &Graph,
    x: On<Edge, Tensor>,
    left: On<Edge, Peer<Left>>,
    right: On<Edge, Peer<Right>>,
    head: On<Edge, Peer<Head>>,
    on_left: HalfAt<Left>,
    on_right: HalfAt<Right>,
) -> On<Edge, Tensor> {
    let (at_left, to_head) = graph.wire((x, head), left);
    let a = graph.wire(on_left.run(at_left), to_head);
    let (at_right, to_head) = graph.wire((x, head), right);
    let b = graph.wire(on_right.run(at_right), to_head);
    graph.wire(join(a, b), graph.origin::<Edge>())
}

/// Adds a number, or fails where it gets a negative one.
struct Shifts(f32);
impl Half for Shifts {
    fn run(&mut self, x: Tensor) -> Result<Tensor, String> {
        if x.as_slice()[0] < 0.0 {
            return Err("negative".into());
        }
        let values = x.as_slice().iter().map(|v| v + self.0).collect();
        Ok(Tensor::from_vec(x.shape(), values).expect("as many"))
    }
}

/// Edge, Left (adds 1), Right (adds 2), Head, in this order.
fn split_world() -> World {
    let program = bb::compile(split);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let mut world = World::new(1, bb::kernels());
    world.set_link(Link::default().delay(S..=S));
    world.add(vec![host("Edge")]).expect("installs");
    let left = || <HalfAt<Left> as Accepts<Shifts>>::component(Shifts(1.0));
    world.add(vec![host("Left").bind("on_left", left)]).expect("installs");
    let right = || <HalfAt<Right> as Accepts<Shifts>>::component(Shifts(2.0));
    world.add(vec![host("Right").bind("on_right", right)]).expect("installs");
    world.add(vec![host("Head")]).expect("installs");
    world.connect_all();
    world
}
fn split_args(x: f32) -> Vec<Arg> {
    let mut args: Vec<Arg> = tensor(&[x]).into_iter().map(Arg::Value).collect();
    args.extend([1, 2, 3].map(|i| Arg::Value(Value::Peer(peer_id(i)))));
    args
}

#[test]
fn split_inference_joins_once_at_the_head() {
    let mut w = split_world();
    let edge = NodeIx(0);
    let first = w.call(edge, split_args(5.0), 60 * S);
    let second = w.call(edge, split_args(50.0), 60 * S);
    // Both halves of the first call meet in one frame at Head, those of the second in another.
    w.run_until(2 * S);
    w.run_until(3 * S);
    assert_eq!(w.result(first), Some(&Ok(tensor(&[6.0, 7.0]))));
    assert_eq!(w.result(second), Some(&Ok(tensor(&[51.0, 52.0]))));
    w.run_until(6 * S);
    for node in 0..4 {
        assert_eq!(w.usage(NodeIx(node)).expect("alive"), Default::default(), "node {node}");
    }
}

#[test]
fn a_half_that_fails_is_told_along_the_wires() {
    let mut w = split_world();
    let call = w.call(NodeIx(0), split_args(-5.0), 60 * S);
    w.run_until(2 * S + S / 2);
    assert_eq!(w.result(call), None);
    // One hop to the half, one to the head, one home.
    w.run_until(3 * S);
    let Some(Err(CallError::Failed(cause))) = w.result(call) else { panic!("{:?}", w.result(call)) };
    assert_eq!(cause.code, FailureCode::OpFailed);
    assert!(cause.message.contains("negative"), "{}", cause.message);
    w.run_until(6 * S);
    for node in 0..4 {
        assert_eq!(w.usage(NodeIx(node)).expect("alive"), Default::default(), "node {node}");
    }
}

#[test]
fn a_half_that_dies_ends_the_call_at_its_deadline() {
    let mut w = split_world();
    w.set_cost(|node, _| if node.0 == 2 { 5 * S } else { Duration::ZERO });
    let call = w.call(NodeIx(0), split_args(5.0), 20 * S);
    w.run_until(3 * S);
    w.kill(NodeIx(2));
    w.run_until(19 * S);
    assert_eq!(w.result(call), None);
    w.run_until(20 * S);
    assert!(matches!(w.result(call), Some(Err(CallError::Deadline { .. }))), "{:?}", w.result(call));
    w.run_until(25 * S);
    for node in [0, 1, 3] {
        assert_eq!(w.usage(NodeIx(node)).expect("alive"), Default::default(), "node {node}");
    }
}
