//! A large program's parts, by several threads. What comes out is what would by one, in the same order.

use crate::driver::Partition;
use bb_ir::index::FunctionIndex;
use bb_ir::proto::onnx::FunctionProto;
use std::cell::Cell;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{LazyLock, Mutex};
use std::thread::{self, Builder};

/// With fewer nodes than this, threads take longer to start than they help.
const NODES_MIN: usize = 4_096;

/// With more than so many all of them wait for memory.
const THREADS_MAX: usize = 8;

/// Asking for it reads files.
static THERE: LazyLock<usize> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    // What cargo gives build scripts: how many jobs it may run.
    let jobs = std::env::var("NUM_JOBS").ok().and_then(|jobs| jobs.parse().ok());
    processors.min(jobs.unwrap_or(THREADS_MAX)).clamp(1, THREADS_MAX)
});

thread_local! {
    static GIVEN: Cell<Option<NonZero<usize>>> = const { Cell::new(None) };
}

/// How many there may be.
pub(crate) fn threads() -> usize {
    GIVEN.get().map_or(*THERE, NonZero::get)
}

/// Does `work` by so many at most, if that is said.
pub(crate) fn by<R>(threads: Option<NonZero<usize>>, work: impl FnOnce() -> R) -> R {
    let before = GIVEN.replace(threads);
    let made = work();
    GIVEN.set(before);
    made
}

/// A function of the whole program, indexed.
pub(crate) fn index(function: &FunctionProto) -> FunctionIndex<'_> {
    FunctionIndex::by(threads(), function)
}

/// What `work` makes of each partition.
pub(crate) fn map<R: Send>(partitions: Vec<Partition>, work: impl Fn(Partition) -> R + Sync) -> Vec<R> {
    let nodes = partitions.iter().map(nodes).sum();
    over(partitions, nodes, work)
}

/// The same, of partitions that stay what they are.
pub(crate) fn look<'p, R: Send>(partitions: &'p [Partition], work: impl Fn(&'p Partition) -> R + Sync) -> Vec<R> {
    over(partitions.iter().collect(), partitions.iter().map(nodes).sum(), work)
}

/// Both, at once if there are so many nodes that it helps.
pub(crate) fn both<A: Send, B>(nodes: usize, one: impl Fn() -> A + Sync, other: impl FnOnce() -> B) -> (A, B) {
    if nodes < NODES_MIN || threads() < 2 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let begun = Builder::new().spawn_scoped(scope, &one);
        let other = other();
        // Where the system gives no thread, one behind the other.
        let one = begun.map_or_else(|_| one(), |begun| begun.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (one, other)
    })
}

/// Does `work` on each item, which it is told the position of.
pub(crate) fn each<T: Send>(items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    let length = if items.len() < NODES_MIN { items.len() } else { items.len().div_ceil(threads()) }.max(1);
    let run = |(at, chunk): (usize, &mut [T])| {
        chunk.iter_mut().enumerate().for_each(|(i, item)| work(at * length + i, item));
    };
    let chunks: Vec<_> = items.chunks_mut(length).enumerate().collect();
    over(chunks, NODES_MIN, run);
}

fn nodes(partition: &Partition) -> usize {
    partition.model.functions.iter().map(|function| function.node.len()).sum()
}

/// What `work` makes of each item, where they have so many nodes.
pub(crate) fn over<T: Send, R: Send>(items: Vec<T>, nodes: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = items.len().min(threads());
    if nodes < NODES_MIN || threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let next = || queue.lock().expect("nobody panics who has it").next();
    let run = || std::iter::from_fn(next).map(|(at, item)| (at, work(item))).collect::<Vec<_>>();
    let mut made = thread::scope(|scope| {
        // Fewer take longer, and leave nothing.
        let others = (1..threads).map_while(|_| Builder::new().spawn_scoped(scope, run).ok());
        let others: Vec<_> = others.collect();
        let mut made = run();
        for other in others {
            made.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        made
    });
    made.sort_unstable_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_stands_in_the_order_of_what_it_is_made_of() {
        for (nodes, threads) in [(0, 3), (NODES_MIN, 1), (NODES_MIN, 3)] {
            GIVEN.set(NonZero::new(threads));
            let made = over((0..1_000_u32).collect(), nodes, |n| n * 2);
            assert!(made.into_iter().eq((0..1_000).map(|n| n * 2)));
            assert_eq!(both(nodes, || 1, || 2), (1, 2));
            let mut items = vec![1; nodes + 1];
            each(&mut items, |at, item| *item += at);
            assert!(items.into_iter().eq(1..nodes + 2));
        }
    }

    #[test]
    #[should_panic(expected = "in the work")]
    fn a_panic_of_the_work_is_its_callers() {
        GIVEN.set(NonZero::new(3));
        over((0..10).collect(), NODES_MIN, |n: u32| assert_ne!(n, 7, "in the work"));
    }
}
