//! Processes: which start of which peer has made a call. Frames and messages go by their numbers.

use super::frame::FrameKey;
use crate::event::ExecutionId;
use bb_ir::envelope::ExecutionName;
use bb_ir::peer::PeerId;
use rustc_hash::FxHashMap;

/// A start of a peer that makes calls, as this engine numbers it while it knows a frame of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessIx(u32);

impl ProcessIx {
    /// The engine itself.
    pub const OWN: ProcessIx = ProcessIx(0);
}

/// Every process of which a frame is open, or remembered as ended; and the engine itself.
pub struct Processes {
    all: Vec<Process>,
    by_id: FxHashMap<(PeerId, u64), ProcessIx>,
    /// Numbers that are nobody's, to be given again.
    free: Vec<ProcessIx>,
    /// Messages of one process come in rows.
    last: ProcessIx,
}

struct Process {
    origin: PeerId,
    epoch: u64,
    /// How many frames go by its number.
    frames: usize,
}
impl Process {
    fn is(&self, origin: &PeerId, epoch: u64) -> bool {
        self.epoch == epoch && self.origin == *origin
    }
}

impl Processes {
    /// The engine itself, which is never forgotten.
    pub fn new(me: PeerId, epoch: u64) -> Self {
        let by_id = [((me.clone(), epoch), ProcessIx::OWN)].into_iter().collect();
        let own = Process { origin: me, epoch, frames: 1 };
        Processes { all: vec![own], by_id, free: Vec::new(), last: ProcessIx::OWN }
    }
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.all.len()
    }
    fn at(&self, ix: ProcessIx) -> &Process {
        &self.all[ix.0 as usize]
    }
    /// Its number, if it has one.
    pub fn find(&mut self, origin: &PeerId, epoch: u64) -> Option<ProcessIx> {
        if !self.at(self.last).is(origin, epoch) || self.at(self.last).frames == 0 {
            self.last = *self.by_id.get(&(origin.clone(), epoch))?;
        }
        Some(self.last)
    }
    /// Its number, from now on, to be kept by a frame.
    pub fn intern(&mut self, origin: &PeerId, epoch: u64) -> ProcessIx {
        if let Some(known) = self.find(origin, epoch) {
            return known;
        }
        let process = Process { origin: origin.clone(), epoch, frames: 0 };
        let ix = match self.free.pop() {
            Some(free) => {
                self.all[free.0 as usize] = process;
                free
            }
            None => {
                self.all.push(process);
                ProcessIx(self.all.len() as u32 - 1)
            }
        };
        self.by_id.insert((origin.clone(), epoch), ix);
        ix
    }
    /// One frame more goes by its number.
    pub fn keep(&mut self, ix: ProcessIx) {
        let process = &mut self.all[ix.0 as usize];
        process.frames += 1;
        let known = || self.by_id.get(&(process.origin.clone(), process.epoch)) == Some(&ix);
        debug_assert!(process.frames > 1 || known(), "the number was given back");
    }
    /// One frame less does, which was kept. Behind the last it is forgotten.
    pub fn release(&mut self, ix: ProcessIx) {
        let process = &mut self.all[ix.0 as usize];
        process.frames -= 1;
        if process.frames == 0 {
            self.by_id.remove(&(process.origin.clone(), process.epoch));
            self.free.push(ix);
        }
    }
    /// The peer.
    pub fn origin(&self, ix: ProcessIx) -> &PeerId {
        &self.at(ix).origin
    }
    /// How this engine's messages name what a frame is of.
    pub fn name(&self, key: &FrameKey) -> ExecutionName {
        let Process { origin, epoch, .. } = self.at(key.process);
        let origin = (key.process != ProcessIx::OWN).then(|| origin.clone());
        ExecutionName { origin, epoch: *epoch, counter: key.counter }
    }
    /// What a frame is of, as all nodes call it.
    pub fn execution(&self, key: &FrameKey) -> ExecutionId {
        let Process { origin, epoch, .. } = self.at(key.process);
        ExecutionId { origin: origin.clone(), epoch: *epoch, counter: key.counter }
    }
}
