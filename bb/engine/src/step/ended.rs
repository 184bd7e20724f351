//! Frames that have ended, remembered until nothing can come for them any more: until then it is late.

use super::frame::FrameKey;
use super::processes::Processes;
use crate::time::Time;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long what was sent before a frame's deadline may be on its way beyond it: its own time was written down when it
/// left.
pub const UNDER_WAY: Duration = Duration::from_secs(10);

pub struct Ended {
    frames: FxHashSet<FrameKey>,
    /// By the second after which they are forgotten: the frame, until when.
    by_second: BTreeMap<u64, Vec<(FrameKey, Time)>>,
    max: usize,
}

impl Ended {
    pub fn new(max: usize) -> Self {
        Ended { frames: FxHashSet::default(), by_second: BTreeMap::new(), max }
    }
    /// Remembers a frame until then, or a little longer, and as long the number of its process; of too many, those whose
    /// time is next are forgotten.
    pub fn remember(&mut self, processes: &mut Processes, now: Time, key: FrameKey, until: Time) {
        if until <= now {
            return;
        }
        if self.frames.insert(key) {
            processes.keep(key.process);
            self.by_second.entry(second(until) + 1).or_default().push((key, until));
        }
        while let Some(mut first) = self.by_second.first_entry() {
            if *first.key() > second(now) && self.frames.len() <= self.max {
                return;
            }
            if let Some((key, _)) = first.get_mut().pop() {
                self.frames.remove(&key);
                processes.release(key.process);
            }
            if first.get().is_empty() {
                first.remove();
            }
        }
    }
    /// Every frame that is remembered, and until when.
    pub fn all(&self) -> impl Iterator<Item = (FrameKey, Time)> {
        self.by_second.values().flatten().copied()
    }
    pub fn contains(&self, key: &FrameKey) -> bool {
        self.frames.contains(key)
    }
}

fn second(time: Time) -> u64 {
    time.0 / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::super::frame::NO_LANE;
    use super::super::processes::ProcessIx;
    use super::*;
    use bb_ir::peer::PeerId;

    fn s(seconds: u64) -> Time {
        Time(seconds * 1_000_000_000)
    }
    fn peer(n: u8) -> PeerId {
        PeerId::from_bytes(vec![n]).expect("short")
    }

    #[test]
    fn a_frame_is_remembered_until_its_time_and_of_too_many_the_next_to_expire_is_forgotten() {
        let key = |counter| FrameKey { process: ProcessIx::OWN, counter, graph: 0, place: 0, lane: NO_LANE };
        let (mut ended, mut processes) = (Ended::new(2), Processes::new(peer(1), 1));
        ended.remember(&mut processes, s(0), key(1), s(0));
        assert!(!ended.contains(&key(1)), "its time has passed");
        for (counter, until) in [(1, 30), (2, 10), (3, 20)] {
            ended.remember(&mut processes, s(0), key(counter), s(until));
        }
        assert_eq!([1, 2, 3].map(|c| ended.contains(&key(c))), [true, false, true]);
        ended.remember(&mut processes, s(25), key(4), s(40));
        assert_eq!([1, 3, 4].map(|c| ended.contains(&key(c))), [true, false, true]);
        assert_eq!(ended.all().map(|(_, until)| until).collect::<Vec<_>>(), [s(30), s(40)]);
    }

    #[test]
    fn processes_are_told_apart_and_those_of_which_nothing_is_remembered_have_no_number() {
        let (mut ended, mut processes) = (Ended::new(100), Processes::new(peer(0), 1));
        for round in 0..50 {
            let keys = [1, 2].map(|n| {
                let process = processes.intern(&peer(n), round);
                FrameKey { process, counter: 7, graph: 1, place: 2, lane: 3 }
            });
            keys.iter().for_each(|key| {
                ended.remember(&mut processes, s(10 * round), *key, s(10 * round + 5));
            });
            assert_eq!(ended.all().map(|(key, _)| key).collect::<Vec<_>>(), keys);
            assert!(keys.iter().all(|key| ended.contains(key)));
            let known = [1, 2].map(|n| [round, round + 1].map(|epoch| processes.find(&peer(n), epoch).is_some()));
            assert_eq!(known, [[true, false]; 2]);
            assert!(round == 0 || processes.find(&peer(1), round - 1).is_none(), "nothing is remembered of it");
            assert!(processes.len() <= 5, "numbers are given again");
        }
    }
}
