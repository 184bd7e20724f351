//! Nanoseconds and allocations per op: a chain of trivial ops in an installed engine; messages between two engines; fills.
//!
//! `-- messages`, `-- fills` and `-- ops` measure that alone.
#![allow(missing_docs)]

use bb::engine::{Arg, CallId, Config, Engine, EngineStep, GraphId, Input, Time, Value};
use bb::prelude::*;
use bb::{PeerId, kernels};
use bb_components as _;
use std::time::{Duration, Instant};

#[derive(bb::Peer)]
pub struct Here;

/// Hands its value on.
#[bb::op]
fn same(x: f32) -> f32 {
    x
}

#[bb::op]
fn add(a: f32, b: f32) -> f32 {
    a + b
}

#[bb::op]
fn add_all(a: f32, b: f32, c: f32, d: f32) -> f32 {
    a + b + c + d
}

fn installed(ops: usize) -> (Engine, GraphId) {
    let program = bb::compile(move |_: &Graph, x: On<Here, f32>| (0..ops).fold(x, |x, _| same(x)));
    assert_eq!(program.diagnostics, []);
    let peer = PeerId::from_bytes([1; 38]).expect("as long as that of a key");
    let mut engine = Engine::new(Config::new(peer, 1));
    let artifact = &program.artifact("Here").expect("one class").bytes;
    let graph = engine.install(artifact, &kernels(), &[]).expect("it installs").graph;
    (engine, graph)
}

/// One call, until it has resolved.
fn call(engine: &mut Engine, graph: GraphId, n: u64) {
    let now = Time(n);
    let args = vec![Arg::Value(Value::scalar(1.0f32))];
    engine.handle(now, Input::Call { call: CallId(n), graph, args, budget: Duration::from_secs(60) });
    let mut resolved = false;
    while let Some(step) = engine.poll(now) {
        resolved |= matches!(step, EngineStep::CallResolved { result: Ok(_), .. });
    }
    assert!(resolved);
}

/// A small message there, and one back, between two engines in one thread: as much as 256 calls have in flight. Frames are
/// written behind each other and read from there, as the driver does it.
mod pair {
    use super::*;

    #[derive(bb::Peer)]
    pub struct Asker;
    #[derive(bb::Peer)]
    pub struct Helper;

    const IN_FLIGHT: u64 = 256;

    pub struct Pair {
        engines: [Engine; 2],
        graph: GraphId,
        now: u64,
        calls: u64,
        resolved: u64,
        pub messages: u64,
        /// Where frames end that are written behind each other.
        ends: Vec<usize>,
    }

    fn peer(n: u8) -> PeerId {
        PeerId::from_bytes([n; 38]).expect("as long as that of a key")
    }

    impl Pair {
        pub fn new() -> Self {
            Pair::of(bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
                let there = graph.wire(x, to);
                graph.wire(same(there), there.sender::<Asker>())
            }))
        }

        /// So many messages there for one back.
        pub fn one_way(many: u64) -> Self {
            Pair::of(bb::compile(move |graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
                let there = (0..many).map(|_| graph.wire(x, to)).reduce(|sum, last| add(sum, last));
                graph.wire(there.expect("some"), graph.origin::<Asker>())
            }))
        }

        pub fn of(program: bb::Compiled) -> Self {
            assert_eq!(program.diagnostics, []);
            let mut graph = GraphId(0);
            let engines = [("Asker", 1), ("Helper", 2)].map(|(class, n)| {
                let mut engine = Engine::new(Config::new(peer(n), 1));
                let artifact = &program.artifact(class).expect("compiled").bytes;
                graph = engine.install(artifact, &kernels(), &[]).expect("it installs").graph;
                engine
            });
            let mut pair =
                Pair { engines, graph, now: 1_000_000_000, calls: 0, resolved: 0, messages: 0, ends: Vec::new() };
            let hellos = [pair.engines[0].hello(), pair.engines[1].hello()];
            for (i, hello) in [1, 0].into_iter().zip(hellos) {
                let connected = Input::Connected { peer: peer(2 - i as u8), hello };
                pair.engines[i].handle(Time(pair.now), connected);
            }
            pair
        }

        /// So many calls more.
        pub fn run(&mut self, calls: u64) {
            let until = self.resolved + calls;
            while self.resolved < until {
                self.now += 1_000;
                let now = Time(self.now);
                while self.calls < self.resolved + IN_FLIGHT {
                    self.call();
                }
                self.exchange(now);
            }
        }
        fn call(&mut self) {
            self.calls += 1;
            let args = vec![Arg::Value(Value::scalar(1.0f32)), Arg::Value(Value::Peer(peer(2)))];
            let (call, graph, budget) = (CallId(self.calls), self.graph, Duration::from_secs(60));
            self.engines[0].handle(Time(self.now), Input::Call { call, graph, args, budget });
        }
        fn exchange(&mut self, now: Time) {
            for from in [0, 1] {
                let (mut written, mut ends) = (Vec::new(), std::mem::take(&mut self.ends));
                while let Some(step) = self.engines[from].poll(now) {
                    match step {
                        EngineStep::Send(outgoing) => {
                            assert!(outgoing.encode_behind(now, &mut written), "it is small");
                            ends.push(written.len());
                        }
                        EngineStep::CallResolved { result, .. } => {
                            result.expect("it answers");
                            self.resolved += 1;
                        }
                        _ => {}
                    }
                }
                self.messages += ends.len() as u64;
                let (written, mut start) = (bytes::Bytes::from(written), 0);
                for end in ends.drain(..) {
                    let received = Input::Received { peer: peer(1 + from as u8), frame: written.slice(start..end) };
                    self.engines[1 - from].handle(now, received);
                    start = end;
                }
                self.ends = ends;
            }
        }

        /// One call more: the frames that the helper is to be given.
        pub fn asked(&mut self) -> Vec<bytes::Bytes> {
            self.now += 1_000;
            self.call();
            let (now, mut frames) = (Time(self.now), Vec::new());
            while let Some(step) = self.engines[0].poll(now) {
                if let EngineStep::Send(outgoing) = step {
                    let mut frame = Vec::new();
                    assert!(outgoing.encode_behind(now, &mut frame), "it is small");
                    frames.push(frame.into());
                }
            }
            frames
        }
        pub fn received(&mut self, frame: bytes::Bytes) {
            self.engines[1].handle(Time(self.now), Input::Received { peer: peer(1), frame });
        }
        /// Until the call has resolved.
        pub fn settle(&mut self) {
            while self.resolved < self.calls {
                // Acknowledgements wait for a while.
                self.now += 100_000_000;
                self.exchange(Time(self.now));
            }
        }
    }
}

/// From a message's bytes to its op being ready, in a frame that is open: 1,000 wires to one place, an op behind each.
mod filled {
    use super::pair::{Asker, Helper, Pair};
    use super::*;
    use bb::ir::limits::WireLimits;
    use bb::ir::{codec, envelope, types};

    const WIRES: u64 = 1_000;

    /// Messages of one fill each.
    pub fn ones() -> bb::Compiled {
        bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
            let there = (0..WIRES).map(|_| same(graph.wire(x, to))).reduce(|_, last| last);
            graph.wire(there.expect("some"), graph.origin::<Asker>())
        })
    }
    /// Messages of four.
    pub fn fours() -> bb::Compiled {
        bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
            let there = (0..WIRES).map(|_| {
                let (a, b, c, d) = graph.wire((x, x, x, x), to);
                add_all(a, b, c, d)
            });
            graph.wire(there.reduce(|_, last| last).expect("some"), graph.origin::<Asker>())
        })
    }

    /// The best time of a message in nanoseconds, and what decoding takes of it.
    pub fn run(program: bb::Compiled) -> (f64, f64) {
        let mut pair = Pair::of(program);
        let (mut taken, mut decoded) = (f64::MAX, f64::MAX);
        let f32 = types::ValueType::tensor(types::ElementKind::F32);
        for _ in 0..200 {
            let frames = pair.asked();
            assert_eq!(frames.len() as u64, WIRES);
            // The first opens the frame.
            let (first, rest) = frames.split_first().expect("some");
            pair.received(first.clone());
            let start = Instant::now();
            for frame in rest {
                let envelope = envelope::decode(frame.clone(), &WireLimits::default()).expect("it was encoded");
                for fill in &envelope.fills {
                    let envelope::FillContent::Payload { bytes, .. } = &fill.content else { panic!("a payload") };
                    std::hint::black_box(codec::decode(&f32, bytes.clone()).expect("a number"));
                }
            }
            decoded = decoded.min(start.elapsed().as_nanos() as f64 / rest.len() as f64);
            let start = Instant::now();
            rest.iter().for_each(|frame| pair.received(frame.clone()));
            taken = taken.min(start.elapsed().as_nanos() as f64 / rest.len() as f64);
            pair.settle();
        }
        (taken, decoded)
    }
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, measure) in [("messages", messages as fn()), ("fills", fills), ("ops", ops)] {
        if only.is_empty() || only.iter().any(|only| only == name) {
            measure();
        }
    }
}

fn messages() {
    for (name, mut pair, calls) in
        [("there and back", pair::Pair::new(), 200_000), ("64 for 1 back", pair::Pair::one_way(64), 5_000)]
    {
        pair.run(calls / 10);
        let best = (0..5).map(|_| {
            let (before, start) = (pair.messages, Instant::now());
            pair.run(calls);
            (pair.messages - before) as f64 / start.elapsed().as_secs_f64()
        });
        let best = best.fold(0.0, f64::max);
        let (before, mut messages) = (pair.messages, 0);
        let allocations = allocation_counter::measure(|| {
            pair.run(1_000);
            messages = pair.messages - before;
        });
        println!(
            "two engines, {name}: {best:>10.0} messages/s, {:>6.0} ns each, {:.1} allocations each",
            1e9 / best,
            allocations.count_total as f64 / messages as f64
        );
    }
}

fn fills() {
    let [one, four] = [filled::ones(), filled::fours()].map(|program| {
        let (taken, decoded) = filled::run(program);
        (taken, decoded, taken - decoded)
    });
    let (taken, decoded, more) = one;
    println!(
        "a message of one fill: {taken:.0} ns from its bytes to the op being ready, {decoded:.0} ns of them to decode: {more:.0} ns more"
    );
    println!(
        "each further fill of a message: {:.0} ns, {:.0} ns of them to decode: {:.0} ns more",
        (four.0 - taken) / 3.0,
        (four.1 - decoded) / 3.0,
        (four.2 - more) / 3.0
    );
}

fn ops() {
    for ops in [1, 1_000, 10_000] {
        let (mut engine, graph) = installed(ops);
        let mut n = 0;
        let mut calls = |calls: u64| {
            for _ in 0..calls {
                n += 1;
                call(&mut engine, graph, n);
            }
        };
        let rounds = (2_000_000 / ops as u64).clamp(100, 200_000);
        calls(rounds / 10);
        // The best of five: what else the machine does only ever makes it slower.
        let best = (0..5).map(|_| {
            let start = Instant::now();
            calls(rounds);
            start.elapsed()
        });
        let best = best.min().expect("five");
        let allocations = allocation_counter::measure(|| calls(100)).count_total as f64 / 100.0;
        let per_call = best.as_nanos() as f64 / rounds as f64;
        println!(
            "chain of {ops:>6} ops: {:>8.1} ns/op, {per_call:>11.0} ns/call, {:>7.4} allocations/op, {allocations:>6.1} allocations/call",
            per_call / ops as f64,
            allocations / ops as f64,
        );
    }
}
