//! What is to happen when.

use super::frame::FrameRef;
use super::peers::PeerIx;
use crate::plan::NodeIx;
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that is due at a time. What it is about may be gone by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A frame's time is out.
    Frame(FrameRef),
    /// A gather's time is out: for one lane, or for all that no Send in their lane has given more.
    Gather { frame: FrameRef, node: NodeIx, lane: Option<u32> },
    /// An op's time has come.
    Parked { frame: FrameRef, node: NodeIx, lane: Option<u32> },
    /// The next execution starts.
    Interval { number: u32 },
    /// Peers of before a restore have had time to come back.
    Restored,
    /// Messages to a peer are in flight.
    InFlight { peer: PeerIx },
    /// A peer waits for an acknowledgement.
    Ack { peer: PeerIx },
}

#[derive(Default)]
pub struct Timers {
    /// At one time in the order they were set.
    heap: BinaryHeap<Reverse<(Time, u64, Timer)>>,
    set: u64,
    /// About how many of them are dead.
    dead: usize,
}

/// Fewer dead ones are left where they are.
const DEAD_MAX: usize = 1024;

impl Timers {
    pub fn set(&mut self, at: Time, timer: Timer) {
        self.heap.push(Reverse((at, self.set, timer)));
        self.set += 1;
    }
    /// The next that is due.
    pub fn due(&mut self, now: Time) -> Option<Timer> {
        let due = self.heap.peek().is_some_and(|Reverse((at, ..))| *at <= now);
        if due { self.heap.pop().map(|Reverse((_, _, timer))| timer) } else { None }
    }
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }
    /// What a timer was about is gone.
    pub fn died(&mut self) {
        self.dead += 1;
    }
    /// Drops timers from the front as long as they are dead, and all that are dead once they are the most.
    pub fn skip(&mut self, mut dead: impl FnMut(&Timer) -> bool) {
        if self.dead > DEAD_MAX && self.dead > self.heap.len() / 2 {
            self.heap.retain(|Reverse((_, _, timer))| !dead(timer));
            self.dead = 0;
        }
        while self.heap.peek().is_some_and(|Reverse((_, _, timer))| dead(timer)) {
            self.heap.pop();
            self.dead = self.dead.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::peers::Peers;
    use super::*;
    use bb_ir::peer::PeerId;

    #[test]
    fn what_is_due_comes_in_order_and_dead_timers_wake_nobody() {
        let id = |n: u8| PeerId::from_bytes(vec![n]).expect("short");
        let mut peers = Peers::new(id(0));
        let ack = [1, 2, 3].map(|n| Timer::Ack { peer: peers.intern(&id(n)) });
        let mut timers = Timers::default();
        timers.set(Time(20), ack[0]);
        timers.set(Time(10), ack[1]);
        timers.set(Time(10), ack[2]);
        assert_eq!(timers.due(Time(9)), None);
        assert_eq!(
            [timers.due(Time(10)), timers.due(Time(10)), timers.due(Time(10))],
            [Some(ack[1]), Some(ack[2]), None]
        );
        assert_eq!(timers.next(), Some(Time(20)));
        timers.skip(|t| *t == ack[0]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn dead_timers_behind_one_that_lives_are_not_kept_until_their_time() {
        let mut timers = Timers::default();
        timers.set(Time(1), Timer::Restored);
        for n in 0..100_000 {
            timers.set(Time(2 + n), Timer::Interval { number: 0 });
            timers.died();
            timers.skip(|t| *t != Timer::Restored);
        }
        assert!(timers.heap.len() <= DEAD_MAX + 2, "{}", timers.heap.len());
        assert_eq!((timers.next(), timers.due(Time(1))), (Some(Time(1)), Some(Timer::Restored)));
    }
}
