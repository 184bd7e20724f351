//! Frames that have ended, remembered until nothing can come for them any more: until then it is late.

use super::frame::FrameKey;
use crate::time::Time;
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// How long what was sent before a frame's deadline may be on its way beyond it: its own time was written down when it
/// left.
pub const UNDER_WAY: Duration = Duration::from_secs(10);

pub struct Ended {
    keys: FxHashSet<FrameKey>,
    by_time: BinaryHeap<Reverse<(Time, FrameKey)>>,
    max: usize,
}

impl Ended {
    pub fn new(max: usize) -> Self {
        Ended { keys: FxHashSet::default(), by_time: BinaryHeap::new(), max }
    }
    /// Remembers a frame until then; of too many, those whose time is next are forgotten.
    pub fn remember(&mut self, now: Time, key: FrameKey, until: Time) {
        if until <= now {
            return;
        }
        if self.keys.insert(key.clone()) {
            self.by_time.push(Reverse((until, key)));
        }
        while let Some(Reverse((until, key))) = self.by_time.peek()
            && (*until <= now || self.keys.len() > self.max)
        {
            self.keys.remove(key);
            self.by_time.pop();
        }
    }
    /// Every frame that is remembered, and until when.
    pub fn all(&self) -> impl Iterator<Item = (&FrameKey, Time)> {
        self.by_time.iter().map(|Reverse((until, key))| (key, *until))
    }
    pub fn contains(&self, key: &FrameKey) -> bool {
        self.keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::NO_LANE;
    use super::*;
    use crate::event::ExecutionId;
    use bb_ir::peer::PeerId;
    use std::sync::Arc;

    #[test]
    fn a_frame_is_remembered_until_its_time_and_of_too_many_the_next_to_expire_is_forgotten() {
        let origin = PeerId::from_bytes(vec![1]).expect("short");
        let execution = |counter| Arc::new(ExecutionId { origin: origin.clone(), epoch: 1, counter });
        let key = |counter| FrameKey { execution: execution(counter), graph: 0, place: 0, lane: NO_LANE };
        let mut ended = Ended::new(2);
        ended.remember(Time(0), key(1), Time(0));
        assert!(!ended.contains(&key(1)), "its time has passed");
        for (counter, deadline) in [(1, 30), (2, 10), (3, 20)] {
            ended.remember(Time(0), key(counter), Time(deadline));
        }
        assert_eq!([1, 2, 3].map(|c| ended.contains(&key(c))), [true, false, true]);
        ended.remember(Time(25), key(4), Time(40));
        assert_eq!([1, 3, 4].map(|c| ended.contains(&key(c))), [true, false, true]);
    }
}
