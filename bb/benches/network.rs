//! Messages and bytes per second between two nodes over loopback, beside a raw framed libp2p stream in the same run.
//!
//! Both send a payload and wait for a small answer, with so many at once in flight.
#![allow(missing_docs)]

#[path = "network/raw.rs"]
mod raw;

use bb::prelude::*;
use futures::StreamExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[derive(bb::Peer)]
pub struct Near;
#[derive(bb::Peer)]
pub struct Far;

#[bb::role]
pub trait Sink {
    #[bb(inline)]
    fn take(&mut self, x: Tensor<u8>) -> u64;
}
struct Counts;
impl Sink for Counts {
    fn take(&mut self, x: Tensor<u8>) -> u64 {
        x.elements()
    }
}

#[bb::module]
fn push(graph: &Graph, x: On<Near, Tensor<u8>>, to: On<Near, Peer<Far>>, sink: SinkAt<Far>) -> On<Near, u64> {
    graph.wire(sink.take(graph.wire(x, to)), graph.origin::<Near>())
}

static ARTIFACTS: OnceLock<bb::Compiled> = OnceLock::new();
fn artifact(class: &str) -> Vec<u8> {
    let program = ARTIFACTS.get_or_init(|| bb::compile(push));
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("both classes take part").bytes.clone()
}

/// How large a payload is, how many are in flight, and how many are sent.
const CASES: [(&str, usize, usize, usize); 3] =
    [("64 B", 64, 256, 40_000), ("64 KiB", 64 << 10, 32, 8_000), ("4 MiB", 4 << 20, 4, 200)];

struct Rate {
    messages: f64,
    mebibytes: f64,
    /// One at a time.
    round_trip: Duration,
}

fn rate(count: usize, bytes: usize, took: Duration, round_trip: Duration) -> Rate {
    let messages = count as f64 / took.as_secs_f64();
    Rate { messages, mebibytes: messages * bytes as f64 / f64::from(1 << 20), round_trip }
}

async fn through_bb(bytes: usize, window: usize, count: usize) -> Rate {
    let host = |class: &str, components| bb_driver::Hosted {
        artifact: artifact(class).into(),
        kernels: bb::kernels(),
        components,
    };
    let sink = <SinkAt<Far> as bb::__private::Accepts<Counts>>::component(Counts);
    let far = bb_driver::Builder::new().listen("/ip4/127.0.0.1/tcp/0").host(host("Far", vec![("sink".into(), sink)]));
    let far = far.start().await.expect("it starts");
    let near = bb_driver::Builder::new().dial(&far.listen_addresses()[0]).host(host("Near", Vec::new()));
    let near = near.start().await.expect("it starts");
    assert!(near.wait_for("Far", 1).await);
    let graph = near.graphs()[0].graph;
    let payload = Tensor::<u8>::from_vec(&[bytes as u64], vec![7; bytes]).expect("as many");
    let call = || {
        let args = vec![
            bb_driver::engine::Arg::Value(bb::ir::value::Value::Tensor(payload.clone().into_raw())),
            bb_driver::engine::Arg::Value(bb::ir::value::Value::Peer(far.peer_id().clone())),
        ];
        near.call(graph, args, Duration::from_secs(60))
    };
    let mut alone = Duration::MAX;
    for _ in 0..50 {
        let start = Instant::now();
        call().await.expect("it answers");
        alone = alone.min(start.elapsed());
    }
    let start = Instant::now();
    let calls = futures::stream::iter((0..count).map(|_| call())).buffer_unordered(window);
    let answered = calls.filter(|r| std::future::ready(r.is_ok())).count().await;
    let took = start.elapsed();
    assert_eq!(answered, count);
    near.shutdown().await;
    far.shutdown().await;
    rate(count, bytes, took, alone)
}

#[tokio::main]
async fn main() {
    println!("{:<8} {:<12} {:>12} {:>10} {:>14}", "payload", "through", "messages/s", "MiB/s", "round trip");
    for (name, bytes, window, count) in CASES {
        let raw = raw::run(bytes, window, count).await;
        let raw = rate(count, bytes, raw.took, raw.round_trip);
        let bb = through_bb(bytes, window, count).await;
        for (through, rate) in [("raw libp2p", raw), ("bb", bb)] {
            let Rate { messages, mebibytes, round_trip } = rate;
            println!(
                "{name:<8} {through:<12} {messages:>12.0} {mebibytes:>10.0} {:>11.1} µs",
                round_trip.as_nanos() as f64 / 1e3
            );
        }
    }
}
