//! Frames that have ended, remembered until nothing can come for them any more: until then it is late.

use super::frame::FrameKey;
use crate::time::Time;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long what was sent before a frame's deadline may be on its way beyond it: its own time was written down when it
/// left.
pub const UNDER_WAY: Duration = Duration::from_secs(10);

pub struct Ended {
    keys: FxHashSet<FrameKey>,
    /// By the second after which they are forgotten.
    by_second: BTreeMap<u64, Vec<(FrameKey, Time)>>,
    max: usize,
}

impl Ended {
    pub fn new(max: usize) -> Self {
        Ended { keys: FxHashSet::default(), by_second: BTreeMap::new(), max }
    }
    /// Remembers a frame until then, or a little longer; of too many, those whose time is next are forgotten.
    pub fn remember(&mut self, now: Time, key: FrameKey, until: Time) {
        if until <= now {
            return;
        }
        if self.keys.insert(key.clone()) {
            self.by_second.entry(second(until) + 1).or_default().push((key, until));
        }
        while let Some(mut first) = self.by_second.first_entry() {
            if *first.key() <= second(now) {
                first.remove().iter().for_each(|(key, _)| _ = self.keys.remove(key));
            } else if self.keys.len() > self.max {
                if let Some((key, _)) = first.get_mut().pop() {
                    self.keys.remove(&key);
                }
                if first.get().is_empty() {
                    first.remove();
                }
            } else {
                return;
            }
        }
    }
    /// Every frame that is remembered, and until when.
    pub fn all(&self) -> impl Iterator<Item = (&FrameKey, Time)> {
        self.by_second.values().flatten().map(|(key, until)| (key, *until))
    }
    pub fn contains(&self, key: &FrameKey) -> bool {
        self.keys.contains(key)
    }
}

fn second(time: Time) -> u64 {
    time.0 / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::super::frame::NO_LANE;
    use super::*;
    use crate::event::ExecutionId;
    use bb_ir::peer::PeerId;

    #[test]
    fn a_frame_is_remembered_until_its_time_and_of_too_many_the_next_to_expire_is_forgotten() {
        let origin = PeerId::from_bytes(vec![1]).expect("short");
        let execution = |counter| ExecutionId { origin: origin.clone(), epoch: 1, counter };
        let key = |counter| FrameKey { execution: execution(counter), graph: 0, place: 0, lane: NO_LANE };
        let mut ended = Ended::new(2);
        let s = |seconds: u64| Time(seconds * 1_000_000_000);
        ended.remember(s(0), key(1), s(0));
        assert!(!ended.contains(&key(1)), "its time has passed");
        for (counter, until) in [(1, 30), (2, 10), (3, 20)] {
            ended.remember(s(0), key(counter), s(until));
        }
        assert_eq!([1, 2, 3].map(|c| ended.contains(&key(c))), [true, false, true]);
        ended.remember(s(25), key(4), s(40));
        assert_eq!([1, 3, 4].map(|c| ended.contains(&key(c))), [true, false, true]);
        assert_eq!(ended.all().map(|(_, until)| until).collect::<Vec<_>>(), [s(30), s(40)]);
    }
}
