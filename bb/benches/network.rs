//! Messages and bytes per second between two nodes over loopback, beside a raw framed libp2p stream in the same run.
//!
//! Both send a payload and wait for a small answer, with so many at once in flight. Each side has a thread of its own, as
//! each is a process where there are two. *One way* is what an envelope costs
//! without a call of its own: a call sends 64 of them, each with one payload, and gets one answer. `-- small` measures
//! payloads of 64 B alone, `-- trips` one call at a time.
#![allow(missing_docs)]

#[path = "network/asked.rs"]
mod asked;
#[path = "network/raw.rs"]
mod raw;

use bb::prelude::*;
use futures::StreamExt;
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

/// Two nodes that run a program, and what the near one sends.
struct Pair {
    near: bb_driver::Handle,
    far: bb_driver::Handle,
    payload: Tensor<u8>,
}

impl Pair {
    async fn of(program: Program, bytes: usize) -> Self {
        let host = |class: &str, components| bb_driver::Hosted {
            artifact: artifact(program, class).into(),
            kernels: bb::kernels(),
            components,
            entries: Vec::new(),
        };
        let sink = <SinkAt<Far> as bb::__private::Accepts<Counts>>::component(Counts);
        let far =
            bb_driver::Builder::new().listen("/ip4/127.0.0.1/tcp/0").host(host("Far", vec![("sink".into(), sink)]));
        let far = on_far_side(far.start()).await.expect("it starts");
        let near = bb_driver::Builder::new().dial(&far.listen_addresses()[0]).host(host("Near", Vec::new()));
        let near = near.start().await.expect("it starts");
        assert!(near.wait_for("Far", 1).await);
        let payload = Tensor::<u8>::from_vec(&[bytes as u64], vec![7; bytes]).expect("as many");
        Pair { near, far, payload }
    }

    /// There and back; whether it was answered.
    async fn once(&self) -> bool {
        let args = vec![
            bb_driver::engine::Arg::Value(bb::ir::value::Value::Tensor(self.payload.clone().into_raw())),
            bb_driver::engine::Arg::Value(bb::ir::value::Value::Peer(self.far.peer_id().clone())),
        ];
        self.near.call(self.near.graphs()[0].graph, args, Duration::from_secs(60)).await.is_ok()
    }

    /// So many, of which so many are in flight; the time they take.
    async fn many(&self, window: usize, count: usize) -> Duration {
        let start = Instant::now();
        let calls = futures::stream::iter((0..count).map(|_| self.once())).buffer_unordered(window);
        let answered = calls.filter(|answered| std::future::ready(*answered)).count().await;
        assert_eq!(answered, count, "none is lost");
        start.elapsed()
    }

    async fn shutdown(self) {
        self.near.shutdown().await;
        self.far.shutdown().await;
    }
}

/// So many messages of so many bytes in that time.
fn print(name: &str, through: &str, count: usize, bytes: usize, took: Duration) {
    let messages = count as f64 / took.as_secs_f64();
    println!("{name:<8} {through:<17} {messages:>12.0} {:>10.0}", messages * bytes as f64 / f64::from(1 << 20));
}

/// One at a time: the medians, of rows in turns, since what a thread takes to wake up is another by the minute.
async fn round_trips(name: &str, bytes: usize) {
    let (mut raw, bb) = (raw::Near::of(bytes).await, Pair::of(Program::Push, bytes).await);
    let mut times = [Vec::new(), Vec::new()];
    let (turns, row) = if bytes > 1 << 20 { (5, 20) } else { (40, 100) };
    for _ in 0..turns {
        for _ in 0..row {
            let start = Instant::now();
            raw.once().await;
            times[0].push(start.elapsed());
        }
        for _ in 0..row {
            let start = Instant::now();
            assert!(bb.once().await, "it answers");
            times[1].push(start.elapsed());
        }
    }
    bb.shutdown().await;
    let [raw, bb] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_nanos() as f64 / 1e3
    });
    println!("{name:<8} there and back, one at a time: raw {raw:.1} µs, bb {bb:.1} µs, {:.2} of it (p50)", bb / raw);
}

/// Everything at once, from nothing.
async fn burst() {
    let pair = Pair::of(Program::Push, 64).await;
    let took = pair.many(2_000, 2_000).await;
    pair.shutdown().await;
    println!("a burst of 2,000 calls: all answered in {:.1} ms", took.as_secs_f64() * 1e3);
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
    println!("{:<8} {:<17} {:>12} {:>10}", "payload", "through", "messages/s", "MiB/s");
    let only = |what: &str| std::env::args().any(|arg| arg == what);
    let small = only("small");
    for (name, bytes, window, count) in CASES.into_iter().filter(|(_, bytes, ..)| !small || *bytes == 64) {
        if only("trips") {
            round_trips(name, bytes).await;
            continue;
        }
        let raw = raw::Near::of(bytes).await;
        print(name, "raw libp2p", count, bytes, raw.many(window, count).await);
        let pair = Pair::of(Program::Push, bytes).await;
        print(name, "bb", count, bytes, pair.many(window, count).await);
        pair.shutdown().await;
        if bytes == 64 {
            let (pair, calls) = (Pair::of(Program::Pour, bytes).await, 4 * count / ENVELOPES);
            print(name, "bb, one way", calls * ENVELOPES, bytes, pair.many(16, calls).await);
            pair.shutdown().await;
            print(name, "request_response", count / 10, bytes, asked::run(bytes, window, count / 10).await);
        }
        round_trips(name, bytes).await;
    }
    burst().await;
}
