//! What is to happen when.

use super::frame::FrameRef;
use super::peers::PeerIx;
use crate::plan::NodeIx;
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

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

/// When, and which of all that were set: at one time the first that was set is first.
type Set = (Time, u64, Timer);

#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<Set>>,
    /// Deadlines of frames that were set in the order of their times: most calls have the same budget.
    frames: VecDeque<Set>,
    set: u64,
    /// About how many of them are dead.
    dead: usize,
}

/// Fewer dead ones are left where they are.
const DEAD_MAX: usize = 1024;
/// A frame's deadline that is further away would keep others from the queue.
const SOON: Duration = Duration::from_secs(600);

impl Timers {
    pub fn set(&mut self, at: Time, timer: Timer) {
        self.heap.push(Reverse((at, self.set, timer)));
        self.set += 1;
    }
    /// Of a frame's deadline.
    pub fn set_frame(&mut self, now: Time, at: Time, frame: FrameRef) {
        let last = self.frames.back().is_none_or(|(last, ..)| *last <= at);
        if last && now.until(at) <= SOON {
            self.frames.push_back((at, self.set, Timer::Frame(frame)));
            self.set += 1;
        } else {
            self.set(at, Timer::Frame(frame));
        }
    }
    /// Whether the next stands in the queue, and it.
    fn first(&self) -> Option<(bool, &Set)> {
        let (heap, queue) = (self.heap.peek().map(|Reverse(set)| set), self.frames.front());
        match (heap, queue) {
            (Some(a), Some(b)) => Some(if b < a { (true, b) } else { (false, a) }),
            (None, Some(b)) => Some((true, b)),
            (Some(a), None) => Some((false, a)),
            (None, None) => None,
        }
    }
    fn pop(&mut self, queue: bool) -> Option<Timer> {
        let set = if queue { self.frames.pop_front() } else { self.heap.pop().map(|Reverse(set)| set) };
        set.map(|(_, _, timer)| timer)
    }
    /// The next that is due.
    pub fn due(&mut self, now: Time) -> Option<Timer> {
        let (queue, _) = self.first().filter(|(_, (at, ..))| *at <= now)?;
        self.pop(queue)
    }
    pub fn next(&self) -> Option<Time> {
        self.first().map(|(_, (at, ..))| *at)
    }
    /// What a timer was about is gone.
    pub fn died(&mut self) {
        self.dead += 1;
    }
    /// Drops timers from the front as long as they are dead, and all that are dead once they are the most.
    pub fn skip(&mut self, mut dead: impl FnMut(&Timer) -> bool) {
        if self.dead > DEAD_MAX && self.dead > (self.heap.len() + self.frames.len()) / 2 {
            self.heap.retain(|Reverse((_, _, timer))| !dead(timer));
            self.frames.retain(|(_, _, timer)| !dead(timer));
            self.dead = 0;
        }
        while let Some((queue, _)) = self.first().filter(|(_, (_, _, timer))| dead(timer)) {
            self.pop(queue);
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
    fn deadlines_come_by_time_and_then_as_they_were_set_wherever_they_stand() {
        let mut timers = Timers::default();
        let frame = FrameRef::NONE;
        // The second and the last are out of order, the third is far away.
        let times = [5, 3, 700_000_000_000, 5, 9, 4];
        times.iter().for_each(|at| timers.set_frame(Time(0), Time(*at), frame));
        timers.set(Time(5), Timer::Restored);
        let mut come = Vec::new();
        while let Some(at) = timers.next() {
            assert_eq!(timers.due(Time(at.0 - 1)), None);
            come.push((at.0, timers.due(at) == Some(Timer::Restored)));
        }
        let expected =
            [(3, false), (4, false), (5, false), (5, false), (5, true), (9, false), (700_000_000_000, false)];
        assert_eq!(come, expected);
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
