//! What is to happen, in its order.

use super::steps::Due;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// By time, and at one time in the order it was put there.
#[derive(Default)]
pub(super) struct Queue {
    /// Times, numbers, and where it stands: what is moved about is small.
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    places: Vec<Option<Due>>,
    free: Vec<u32>,
    /// The number of what is put there next.
    next: u64,
}

/// When something is to happen, and the how manieth it is.
pub(super) struct Entry {
    pub at: u64,
    pub number: u64,
    pub due: Due,
}

impl Queue {
    /// The number of what is put there next: no two have the same.
    pub fn next_number(&self) -> u64 {
        self.next
    }
    pub fn push(&mut self, at: u64, due: Due) {
        let place = self.free.pop().unwrap_or(self.places.len() as u32);
        match self.places.get_mut(place as usize) {
            Some(free) => *free = Some(due),
            None => self.places.push(Some(due)),
        }
        self.heap.push(Reverse((at, self.next, place)));
        self.next += 1;
    }
    /// The next, and when it is to happen, if that is no later than `limit`.
    pub fn pop(&mut self, limit: u64) -> Option<(u64, Due)> {
        self.heap.peek().filter(|Reverse((at, ..))| *at <= limit)?;
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        Some((at, self.places[place as usize].take().expect("what is in the heap has its place")))
    }
    /// Takes out all of a kind, in no order.
    pub fn take(&mut self, mut kind: impl FnMut(&Due) -> bool) -> Vec<Entry> {
        let mut taken = Vec::new();
        self.heap.retain(|Reverse((at, number, place))| {
            let due = self.places[*place as usize].take_if(|due| kind(due));
            self.free.extend(due.is_some().then_some(*place));
            let stays = due.is_none();
            taken.extend(due.map(|due| Entry { at: *at, number: *number, due }));
            stays
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeIx;

    fn wake(start: u64) -> Due {
        Due::Wake { node: NodeIx(0), start }
    }
    fn start_of(due: &Due) -> u64 {
        let Due::Wake { start, .. } = due else { panic!("only wake-ups were put there") };
        *start
    }

    #[test]
    fn what_happens_comes_by_time_and_then_as_it_was_put_there() {
        let mut queue = Queue::default();
        let mut come = Vec::new();
        for (round, times) in [[5, 3, 5], [9, 5, 7]].into_iter().enumerate() {
            (0..).zip(times).for_each(|(n, at)| queue.push(at, wake(10 * round as u64 + n)));
            assert!(queue.pop(2).is_none(), "nothing is to happen so early");
            come.extend(queue.pop(5).map(|(at, due)| (at, start_of(&due))));
        }
        come.extend(std::iter::from_fn(|| queue.pop(u64::MAX)).map(|(at, due)| (at, start_of(&due))));
        assert_eq!(come, [(3, 1), (5, 0), (5, 2), (5, 11), (7, 12), (9, 10)]);
        assert_eq!(queue.places.len(), 5, "the place of what came is used again");
    }

    #[test]
    fn what_is_taken_is_gone_and_the_rest_comes_as_before() {
        let mut queue = Queue::default();
        (0..6).for_each(|n| queue.push(10 - n, wake(n)));
        let mut taken = queue.take(|due| [0, 2, 4].contains(&start_of(due)));
        taken.sort_by_key(|entry| (entry.at, entry.number));
        let taken: Vec<u64> = taken.iter().map(|entry| start_of(&entry.due)).collect();
        assert_eq!(taken, [4, 2, 0]);
        queue.push(6, wake(6));
        let rest: Vec<u64> = std::iter::from_fn(|| queue.pop(u64::MAX)).map(|(_, due)| start_of(&due)).collect();
        assert_eq!(rest, [5, 6, 3, 1]);
    }
}
