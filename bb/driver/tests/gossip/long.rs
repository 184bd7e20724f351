//! Ten minutes, and what the process has of the machine's memory. The numbers are in `bb/docs/faults.md`:
//!
//! ```text
//! cargo test --release -p bb-driver --test gossip -- --ignored --nocapture
//! ```

use super::equals::Equals;
use bb_driver::engine::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, interval};

const NODES: u8 = 20;
const TIME: Duration = Duration::from_secs(600);
/// How often each node talks to another.
const EVERY: Duration = Duration::from_millis(10);
const SAMPLES: usize = 60;

/// The memory that is there for this process now, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells it");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("the second number");
    // x86-64's and, where nothing else is said, arm64's.
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes"]
async fn memory_is_flat_in_the_last_third_of_ten_minutes() {
    let equals = Arc::new(Equals::start(NODES, Limits::default(), false).await);
    let (start, talks) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let talker = |one: usize| {
        let (equals, talks) = (equals.clone(), talks.clone());
        async move {
            let mut tick = interval(EVERY);
            for n in 0.. {
                tick.tick().await;
                if start.elapsed() >= TIME {
                    return;
                }
                equals.talk(one, equals.other(one, n)).await;
                talks.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let talkers: Vec<_> = (0..equals.0.len()).map(|one| tokio::spawn(talker(one))).collect();
    let mut samples = Vec::new();
    let mut sample = interval(TIME / SAMPLES as u32);
    sample.tick().await;
    for n in 1..=SAMPLES {
        sample.tick().await;
        samples.push(resident());
        if n % (SAMPLES / 10) == 0 {
            let mebibytes = resident() as f64 / f64::from(1 << 20);
            println!(
                "{:>4} s  {:>9} talks  {mebibytes:>6.1} MiB",
                start.elapsed().as_secs(),
                talks.load(Ordering::Relaxed)
            );
        }
    }
    for talker in talkers {
        talker.await.expect("every talk has its answer");
    }
    equals.rest().await;
    let last = &samples[SAMPLES * 2 / 3..];
    let (least, most) = last.iter().fold((u64::MAX, 0), |(least, most), s| (least.min(*s), most.max(*s)));
    println!("in the last third {least} to {most} bytes: {:.2} %", 100.0 * (most - least) as f64 / least as f64);
    assert!((most - least) * 20 <= least, "more than 5 %: {samples:?}");
}
