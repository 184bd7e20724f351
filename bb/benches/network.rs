//! Messages and bytes per second between two nodes over loopback, beside a raw framed libp2p stream in the same run.
//!
//! Both send a payload and wait for a small answer, with so many at once in flight. Each side has a thread of its own, as
//! each is a process where there are two. *One way* is what an envelope costs
//! without a call of its own: a call sends 64 of them, each with one payload, and gets one answer. `-- small` measures
//! payloads of 64 B alone.
#![allow(missing_docs)]

#[path = "network/asked.rs"]
mod asked;
#[path = "network/raw.rs"]
mod raw;

use bb::prelude::*;
use futures::StreamExt;
use raw::Ran;
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};

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

/// Envelopes of a call.
const ENVELOPES: usize = 64;

#[bb::op]
fn count(a: Tensor<u8>, b: Tensor<u8>) -> Tensor<u8> {
    if a.elements() < b.elements() { b } else { a }
}

#[bb::module]
fn pour(graph: &Graph, x: On<Near, Tensor<u8>>, to: On<Near, Peer<Far>>) -> On<Near, Tensor<u8>> {
    let there = (0..ENVELOPES).map(|_| graph.wire(x, to)).reduce(count);
    graph.wire(there.expect("some"), graph.origin::<Near>())
}

static PROGRAMS: OnceLock<[bb::Compiled; 2]> = OnceLock::new();
fn artifact(program: Program, class: &str) -> Vec<u8> {
    let [asked, poured] = PROGRAMS.get_or_init(|| [bb::compile(push), bb::compile(pour)]);
    let program = if program == Program::Push { asked } else { poured };
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("both classes take part").bytes.clone()
}
#[derive(Clone, Copy, PartialEq)]
enum Program {
    Push,
    Pour,
}

/// How large a payload is, how many are in flight, and how many are sent.
const CASES: [(&str, usize, usize, usize); 3] =
    [("64 B", 64, 256, 200_000), ("64 KiB", 64 << 10, 32, 20_000), ("4 MiB", 4 << 20, 4, 400)];

struct Rate {
    messages: f64,
    mebibytes: f64,
    /// One at a time: the median.
    round_trip: Duration,
}

/// The median time of something of so many bytes that is done again and again.
async fn median(bytes: usize, mut once: impl AsyncFnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..if bytes > 1 << 20 { 50 } else { 2_000 } {
        let start = Instant::now();
        once().await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn rate(count: usize, bytes: usize, ran: Ran) -> Rate {
    let messages = count as f64 / ran.took.as_secs_f64();
    Rate { messages, mebibytes: messages * bytes as f64 / f64::from(1 << 20), round_trip: ran.round_trip }
}

async fn through_bb(program: Program, bytes: usize, window: usize, count: usize) -> Ran {
    let host = |class: &str, components| bb_driver::Hosted {
        artifact: artifact(program, class).into(),
        kernels: bb::kernels(),
        components,
        entries: Vec::new(),
    };
    let sink = <SinkAt<Far> as bb::__private::Accepts<Counts>>::component(Counts);
    let far = bb_driver::Builder::new().listen("/ip4/127.0.0.1/tcp/0").host(host("Far", vec![("sink".into(), sink)]));
    let far = on_far_side(far.start()).await.expect("it starts");
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
    let round_trip = median(bytes, async || drop(call().await.expect("it answers"))).await;
    let start = Instant::now();
    let calls = futures::stream::iter((0..count).map(|_| call())).buffer_unordered(window);
    let answered = calls.filter(|r| std::future::ready(r.is_ok())).count().await;
    let took = start.elapsed();
    assert_eq!(answered, count, "none is lost");
    near.shutdown().await;
    far.shutdown().await;
    Ran { took, round_trip }
}

/// Everything at once, from nothing.
async fn burst() {
    let took = through_bb(Program::Push, 64, 2_000, 2_000).await.took;
    println!("a burst of 2,000 calls: all answered in {:.1} ms", took.as_secs_f64() * 1e3);
}

fn print(name: &str, through: &str, rate: &Rate) {
    let Rate { messages, mebibytes, round_trip } = rate;
    let trip = round_trip.as_nanos() as f64 / 1e3;
    println!("{name:<8} {through:<17} {messages:>12.0} {mebibytes:>10.0} {trip:>11.1} µs");
}

/// One thread: that which blocks on it.
fn side() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The far side's.
static FAR: LazyLock<Handle> = LazyLock::new(|| {
    let far = side();
    let handle = far.handle().clone();
    std::thread::spawn(move || far.block_on(std::future::pending::<()>()));
    handle
});

/// Runs something on the far side's thread.
async fn on_far_side<T: Send + 'static>(what: impl Future<Output = T> + Send + 'static) -> T {
    FAR.spawn(what).await.expect("it does not panic")
}

fn main() {
    side().block_on(all());
}

async fn all() {
    println!("{:<8} {:<17} {:>12} {:>10} {:>14}", "payload", "through", "messages/s", "MiB/s", "p50 of one");
    let small = std::env::args().any(|arg| arg == "small");
    for (name, bytes, window, count) in CASES.into_iter().filter(|(_, bytes, ..)| !small || *bytes == 64) {
        print(name, "raw libp2p", &rate(count, bytes, raw::run(bytes, window, count).await));
        let bb = through_bb(Program::Push, bytes, window, count).await;
        print(name, "bb", &rate(count, bytes, bb));
        if bytes == 64 {
            let calls = 4 * count / ENVELOPES;
            let poured = through_bb(Program::Pour, bytes, 16, calls).await;
            print(name, "bb, one way", &rate(calls * ENVELOPES, bytes, poured));
            print(name, "request_response", &rate(count / 10, bytes, asked::run(bytes, window, count / 10).await));
        }
    }
    burst().await;
}
