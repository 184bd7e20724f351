//! Frames that have ended, remembered until nothing can come for them any more: until then it is late.

use super::frame::FrameKey;
use crate::event::ExecutionId;
use crate::time::Time;
use bb_ir::peer::PeerId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long what was sent before a frame's deadline may be on its way beyond it: its own time was written down when it
/// left.
pub const UNDER_WAY: Duration = Duration::from_secs(10);

/// There are many, of few processes: a frame is looked up among those of the process that made the call.
pub struct Ended {
    processes: Vec<Process>,
    /// Those that have none, to be used again.
    free: Vec<u32>,
    by_process: FxHashMap<(PeerId, u64), u32>,
    /// By the second after which they are forgotten: the process, the frame, until when.
    by_second: BTreeMap<u64, Vec<(u32, Frame, Time)>>,
    count: usize,
    max: usize,
}

/// A start of a peer, and what ended of its calls.
struct Process {
    id: (PeerId, u64),
    frames: FxHashSet<Frame>,
}

/// A frame among those of one process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Frame {
    counter: u64,
    graph: u32,
    place: u32,
    lane: u32,
}

impl Ended {
    pub fn new(max: usize) -> Self {
        let (processes, free, by_process) = (Vec::new(), Vec::new(), FxHashMap::default());
        Ended { processes, free, by_process, by_second: BTreeMap::new(), count: 0, max }
    }
    /// Remembers a frame until then, or a little longer; of too many, those whose time is next are forgotten.
    pub fn remember(&mut self, now: Time, key: FrameKey, until: Time) {
        if until <= now {
            return;
        }
        let (id, frame) = parts(&key);
        let process = self.process(id);
        if self.processes[process as usize].frames.insert(frame) {
            self.count += 1;
            self.by_second.entry(second(until) + 1).or_default().push((process, frame, until));
        }
        while let Some(mut first) = self.by_second.first_entry() {
            if *first.key() <= second(now) {
                first.remove().into_iter().for_each(|(process, frame, _)| self.forget(process, frame));
            } else if self.count > self.max {
                let last = first.get_mut().pop();
                if first.get().is_empty() {
                    first.remove();
                }
                if let Some((process, frame, _)) = last {
                    self.forget(process, frame);
                }
            } else {
                return;
            }
        }
    }
    /// Every frame that is remembered, and until when.
    pub fn all(&self) -> impl Iterator<Item = (FrameKey, Time)> {
        self.by_second.values().flatten().map(|(process, frame, until)| {
            let (origin, epoch) = self.processes[*process as usize].id.clone();
            let execution = ExecutionId { origin, epoch, counter: frame.counter };
            (FrameKey { execution, graph: frame.graph, place: frame.place, lane: frame.lane }, *until)
        })
    }
    pub fn contains(&self, key: &FrameKey) -> bool {
        let (id, frame) = parts(key);
        self.by_process.get(&id).is_some_and(|process| self.processes[*process as usize].frames.contains(&frame))
    }

    /// The number of a process.
    fn process(&mut self, id: (PeerId, u64)) -> u32 {
        *self.by_process.entry(id).or_insert_with_key(|id| match self.free.pop() {
            Some(free) => {
                self.processes[free as usize].id = id.clone();
                free
            }
            None => {
                self.processes.push(Process { id: id.clone(), frames: FxHashSet::default() });
                self.processes.len() as u32 - 1
            }
        })
    }
    fn forget(&mut self, number: u32, frame: Frame) {
        let process = &mut self.processes[number as usize];
        self.count -= usize::from(process.frames.remove(&frame));
        if process.frames.is_empty() {
            process.frames = FxHashSet::default();
            self.by_process.remove(&process.id);
            self.free.push(number);
        }
    }
}

fn parts(key: &FrameKey) -> ((PeerId, u64), Frame) {
    let FrameKey { execution: ExecutionId { origin, epoch, counter }, graph, place, lane } = key;
    ((origin.clone(), *epoch), Frame { counter: *counter, graph: *graph, place: *place, lane: *lane })
}

fn second(time: Time) -> u64 {
    time.0 / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::super::frame::NO_LANE;
    use super::*;

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

    #[test]
    fn processes_are_told_apart_and_those_of_which_nothing_is_remembered_take_nothing() {
        let s = |seconds: u64| Time(seconds * 1_000_000_000);
        let key = |peer, epoch| {
            let execution = ExecutionId { origin: PeerId::from_bytes(vec![peer]).expect("short"), epoch, counter: 7 };
            FrameKey { execution, graph: 1, place: 2, lane: 3 }
        };
        let mut ended = Ended::new(100);
        for round in 0..50 {
            let keys = [key(1, round), key(2, round)];
            keys.iter().for_each(|key| ended.remember(s(10 * round), key.clone(), s(10 * round + 5)));
            assert_eq!(ended.all().map(|(key, _)| key).collect::<Vec<_>>(), keys);
            assert!(keys.iter().all(|key| ended.contains(key)) && !ended.contains(&key(1, round + 1)));
            assert_eq!(
                (ended.processes.len(), ended.by_process.len(), ended.count),
                (2 + usize::from(round > 0), 2, 2)
            );
        }
    }
}
