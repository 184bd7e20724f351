//! Frames that have ended, remembered until their deadline: what comes for them is late.

use super::frame::FrameKey;
use crate::time::Time;
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub struct Ended {
    keys: FxHashSet<FrameKey>,
    by_deadline: BinaryHeap<Reverse<(Time, FrameKey)>>,
    max: usize,
}

impl Ended {
    pub fn new(max: usize) -> Self {
        Ended { keys: FxHashSet::default(), by_deadline: BinaryHeap::new(), max }
    }
    /// Remembers a frame until `deadline`; of too many, those whose deadline is next are forgotten.
    pub fn remember(&mut self, now: Time, key: FrameKey, deadline: Time) {
        if deadline <= now {
            return;
        }
        if self.keys.insert(key) {
            self.by_deadline.push(Reverse((deadline, key)));
        }
        while let Some(Reverse((deadline, key))) = self.by_deadline.peek()
            && (*deadline <= now || self.keys.len() > self.max)
        {
            self.keys.remove(key);
            self.by_deadline.pop();
        }
    }
    pub fn contains(&self, key: &FrameKey) -> bool {
        self.keys.contains(key)
    }
}
