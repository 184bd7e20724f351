//! Things that happen per second in a simulated world: peers of one class that ask each other, 200,000 times or as often as
//! an argument says.
#![allow(missing_docs)]

use bb::engine::{Arg, Value};
use bb::prelude::*;
use bb_components as _;
use bb_sim::{Host, Link, NodeIx, World, peer_id};
use std::time::{Duration, Instant};

#[derive(bb::Peer)]
pub struct Equal;

/// Hands its value on.
#[bb::op]
fn same(x: f32) -> f32 {
    x
}

fn main() {
    let program = bb::compile(|graph: &Graph, x: On<Equal, f32>, to: On<Equal, Peer<Equal>>| {
        let there = graph.wire(x, to);
        graph.wire(same(there), there.sender::<Equal>())
    });
    assert_eq!(program.diagnostics, []);
    let calls = std::env::args().find_map(|arg| arg.parse::<u32>().ok()).unwrap_or(200_000);
    for nodes in [2, 100, 1_000] {
        let mut world = World::new(1, bb::kernels());
        world.set_traced(false);
        world.set_link(Link::default().delay(Duration::from_millis(5)..=Duration::from_millis(50)));
        for _ in 0..nodes {
            let host = Host::new(program.artifact("Equal").expect("one class").bytes.clone());
            world.add(vec![host]).expect("it installs");
        }
        for node in 0..nodes {
            world.connect(NodeIx(node), NodeIx((node + 1) % nodes));
        }
        world.run_until(Duration::from_secs(1));
        let rounds = calls / nodes as u32;
        let (before, start) = (world.events(), Instant::now());
        for round in 0..rounds {
            for node in 0..nodes {
                let to = Value::Peer(peer_id((node + 1) % nodes));
                let args = vec![Arg::Value(Value::scalar(round as f32)), Arg::Value(to)];
                world.call(NodeIx(node), args, Duration::from_secs(60));
            }
            world.run_until(world.elapsed() + Duration::from_millis(20));
        }
        world.run_until(world.elapsed() + Duration::from_secs(10));
        let (events, took) = (world.events() - before, start.elapsed());
        println!(
            "{nodes:>5} nodes: {:>9.0} events/s ({events} events, {} calls)",
            events as f64 / took.as_secs_f64(),
            u64::from(rounds) * nodes as u64
        );
    }
}
