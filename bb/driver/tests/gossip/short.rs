//! Some thousand messages, every allocation counted.

use super::equals::Equals;
use bb_driver::engine::Limits;
use tokio::runtime::Builder;

const NODES: u8 = 5;
/// Talks of each node in half of the time: a message there and one back.
const TALKS: usize = 500;
/// Buffers and tables grow by doubling: where they are a little fuller than ever before, one does.
const SLACK_BYTES: i64 = 128 << 10;

async fn talks(equals: &Equals) {
    for n in 0..TALKS {
        let all = (0..equals.0.len()).map(|one| equals.talk(one, equals.other(one, n)));
        let states = futures::future::join_all(all).await;
        assert!(states.iter().all(|s| (0.0..=f32::from(NODES)).contains(s)), "{states:?}");
    }
    equals.rest().await;
}

#[test]
fn what_nodes_hold_does_not_grow_with_what_they_have_said() {
    // Everything on one thread, which is the one whose allocations are counted.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    // What is remembered of ended frames is as much as it may be long before the first half is over.
    let limits = Limits { remembered_max: 256, ..Limits::default() };
    let equals = runtime.block_on(Equals::start(NODES, limits, true));
    runtime.block_on(talks(&equals));
    let first = runtime.block_on(equals.0[0].counters()).expect("it runs").delivered;
    let held = allocation_counter::measure(|| runtime.block_on(talks(&equals)));
    let second = runtime.block_on(equals.0[0].counters()).expect("it runs").delivered - first;
    println!("{second} messages of one node; of {} B allocated {} B are held", held.bytes_total, held.bytes_current);
    assert!(second >= 2 * TALKS as u64, "{second}");
    assert!(held.bytes_total > 4096 * second, "the values alone are more: the allocations are counted");
    assert!(held.bytes_current < SLACK_BYTES, "{held:?}");
}
