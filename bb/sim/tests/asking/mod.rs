//! One peer asks, others help: the world of the tests beside this folder.
#![allow(dead_code, reason = "each test uses its part")]

use bb::engine::{Arg, CallError, Event, Limits, Membership, Usage, Value};
use bb_components as _;
use bb_sim::{Host, NodeIx, What, World, peer_id};
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Asker;
#[derive(bb::Peer)]
pub struct Helper;

pub const S: Duration = Duration::from_secs(1);
pub const ASKER: NodeIx = NodeIx(0);

#[bb::op]
pub fn digits(tens: f32, ones: f32) -> f32 {
    tens * 10.0 + ones
}
#[bb::op]
pub fn positive(x: f32) -> Result<f32, String> {
    if x > 0.0 { Ok(x) } else { Err(format!("{x} is not positive")) }
}

/// A world with an asker and so many helpers, all connected.
pub fn world(program: &bb::Compiled, helpers: usize) -> World {
    world_with(program, &vec![Limits::default(); helpers])
}
/// The same, each helper with limits of its own.
pub fn world_with(program: &bb::Compiled, helpers: &[Limits]) -> World {
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| program.artifact(class).map(|a| vec![Host::new(a.bytes.clone())]);
    let mut world = World::new(7, bb::kernels());
    world.add(host("Asker").expect("compiled")).expect("installs");
    for limits in helpers {
        world.add_with(host("Helper").expect("compiled"), Membership::open(), limits.clone()).expect("installs");
    }
    world.connect_all();
    world
}
pub fn number(x: f32) -> Arg {
    Arg::Value(Value::scalar(x))
}
pub fn peer(index: usize) -> Arg {
    Arg::Value(Value::Peer(peer_id(index)))
}
pub const EVERYONE: Arg = Arg::AllPeers { and_self: false };
/// Calls, lets everything happen, and gives the numbers that came back; afterwards nothing is held anywhere.
pub fn ask(world: &mut World, args: Vec<Arg>) -> Result<Vec<f32>, CallError> {
    let call = world.call(ASKER, args, 60 * S);
    world.run_until(world.elapsed() + 30 * S);
    let answer = world.result(call).expect("it resolves").clone();
    for node in 0..world.len() {
        assert_eq!(world.usage(NodeIx(node)), Some(Usage::default()), "node {node}");
    }
    Ok(answer?
        .iter()
        .map(|v| v.as_scalar::<f32>().or(v.as_scalar::<u64>().map(|n| n as f32)).expect("a number"))
        .collect())
}
pub fn events(world: &World, is: impl Fn(&Event) -> bool) -> usize {
    world.trace().iter().filter(|r| matches!(&r.what, What::Event(e) if is(e))).count()
}
