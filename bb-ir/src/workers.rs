//! Many nodes, looked at by several threads. What is found is what one would find, in the same order.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::{self, Builder};

/// With fewer items each, threads take longer to start than they help.
const ITEMS_MIN: usize = 2_048;

/// What `work` makes of the parts of `0..count`, one part per worker, one behind the other. A part for which the system
/// gives no thread is the caller's.
pub(crate) fn in_parts<R: Send>(workers: usize, count: usize, work: impl Fn(Range<usize>) -> Vec<R> + Sync) -> Vec<R> {
    by_threads(Builder::new, workers, count, work)
}

fn by_threads<R: Send>(
    thread: impl Fn() -> Builder,
    workers: usize,
    count: usize,
    work: impl Fn(Range<usize>) -> Vec<R> + Sync,
) -> Vec<R> {
    let workers = workers.min(count / ITEMS_MIN).max(1);
    let part = |number: usize| work(number * count / workers..(number + 1) * count / workers);
    thread::scope(|scope| {
        let begin = |number| thread().spawn_scoped(scope, move || part(number)).map_err(|_| number);
        let others: Vec<_> = (1..workers).map(begin).collect();
        let mut made = part(0);
        for other in others {
            made.extend(match other {
                Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(number) => part(number),
            });
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_their_order_and_are_all_there() {
        for count in [0, 1, ITEMS_MIN, 3 * ITEMS_MIN + 1] {
            for workers in [0, 1, 2, 3, 100] {
                assert_eq!(in_parts(workers, count, Vec::from_iter), (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn where_there_are_no_threads_the_caller_does_it_all() {
        let refused = || Builder::new().stack_size(1 << 60);
        assert!(refused().spawn(|| ()).is_err());
        let made = by_threads(refused, 3, 3 * ITEMS_MIN, Vec::from_iter);
        assert_eq!(made, (0..3 * ITEMS_MIN).collect::<Vec<_>>());
    }
}
