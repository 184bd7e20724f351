//! Frames: the state of one execution at one place and lane.

use super::calls::is_no_cohort;
use super::ended::UNDER_WAY;
use super::lanes::LanesState;
use super::peers::PeerIx;
use super::processes::ProcessIx;
use super::shares::Holder;
use super::{CallOf, Engine};
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{Cause, ExecutionId, LimitKind};
use crate::input::CommandId;
use crate::plan::{NodeIx, PlacePlan, SiteIx, Sizes, Storage};
use crate::time::Time;
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// No lane: the frame of a place that is one peer.
pub const NO_LANE: u32 = u32::MAX;
/// Of an op that has fired or is cancelled.
pub const DONE: u32 = u32::MAX;

/// Which frame: an execution by its process and counter, a graph, a place and a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameKey {
    pub process: ProcessIx,
    pub counter: u64,
    pub graph: u32,
    pub place: u32,
    pub lane: u32,
}

/// A frame that may have ended: slots are used again, generations are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRef {
    index: u32,
    generation: u32,
}

impl FrameRef {
    /// Of a frame that ended before a restore.
    pub const NONE: FrameRef = FrameRef { index: u32::MAX, generation: 0 };
}

/// A site of a frame.
#[derive(Clone, Debug, Default)]
pub enum SiteState {
    #[default]
    Empty,
    Filled(Value),
    /// Its one reader has it.
    Taken,
    Failed(Arc<Cause>),
}
impl SiteState {
    pub fn value(&self) -> Option<&Value> {
        match self {
            SiteState::Filled(value) => Some(value),
            _ => None,
        }
    }
    pub fn is_empty(&self) -> bool {
        matches!(self, SiteState::Empty)
    }
    pub fn is_there(&self) -> bool {
        matches!(self, SiteState::Filled(_) | SiteState::Taken)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvState {
    Waiting,
    Filled(PeerIx),
    Failed,
}

/// A wire's values that came and were not taken.
pub struct Refused {
    pub sender: SiteIx,
    pub lane: Option<u32>,
    pub by: PeerId,
}

pub struct Frame {
    pub key: FrameKey,
    pub plan: Arc<PlacePlan>,
    pub deadline: Time,
    pub call: CallOf,
    pub holder: Holder,
    pub sites: Vec<SiteState>,
    /// Of the names of dimensions at its place.
    pub sizes: Sizes,
    pub pending: Vec<u32>,
    pub recvs: Vec<RecvState>,
    /// Recvs that can still be filled.
    pub open_recvs: u32,
    pub lanes: Vec<Option<LanesState>>,
    /// When each Send went out that starts a gather's clock.
    pub sent_at: Vec<Option<Time>>,
    /// Ops that are ready or running.
    pub active: u32,
    /// Whose messages were not taken: their senders do not know that yet.
    pub refused: Vec<Refused>,
    /// Methods that the host runs.
    pub commands: Vec<CommandId>,
    /// Ops that wait for a time.
    pub parked: Vec<Parked>,
    /// What its values take.
    pub bytes: u64,
}

/// An op that has its inputs and waits for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked {
    pub node: NodeIx,
    pub lane: Option<u32>,
    pub until: Time,
}

#[derive(Default)]
pub struct Frames {
    slots: Vec<(u32, Option<Box<Frame>>)>,
    free: Vec<u32>,
    by_key: FxHashMap<FrameKey, FrameRef>,
    /// Ended frames, emptied, so that the next of their size allocates nothing.
    #[expect(clippy::vec_box, reason = "frames move between here and the slots by their boxes")]
    reuse: Vec<Box<Frame>>,
}

/// The most emptied frames that are kept.
const REUSE_MAX: usize = 1024;

impl Frames {
    pub fn len(&self) -> usize {
        self.by_key.len()
    }
    #[inline]
    pub fn get(&self, at: FrameRef) -> Option<&Frame> {
        let (generation, frame) = self.slots.get(at.index as usize)?;
        if *generation == at.generation { frame.as_deref() } else { None }
    }
    #[inline]
    pub fn get_mut(&mut self, at: FrameRef) -> Option<&mut Frame> {
        let (generation, frame) = self.slots.get_mut(at.index as usize)?;
        if *generation == at.generation { frame.as_deref_mut() } else { None }
    }
    pub fn find(&self, key: &FrameKey) -> Option<FrameRef> {
        self.by_key.get(key).copied()
    }
    /// Every frame, in the order of slots.
    pub fn all(&self) -> impl Iterator<Item = (FrameRef, &Frame)> {
        self.slots.iter().enumerate().filter_map(|(i, (generation, frame))| {
            Some((FrameRef { index: i as u32, generation: *generation }, frame.as_deref()?))
        })
    }
    fn insert(&mut self, frame: Box<Frame>) -> FrameRef {
        let key = frame.key;
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[index as usize];
        slot.1 = Some(frame);
        let at = FrameRef { index, generation: slot.0 };
        self.by_key.insert(key, at);
        at
    }
    /// A frame that was saved; none where one of that key is there.
    pub fn put(&mut self, frame: Box<Frame>) -> Option<FrameRef> {
        (!self.by_key.contains_key(&frame.key)).then(|| self.insert(frame))
    }
    fn remove(&mut self, at: FrameRef) -> Option<Box<Frame>> {
        let slot = self.slots.get_mut(at.index as usize).filter(|s| s.0 == at.generation)?;
        let frame = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1);
        self.free.push(at.index);
        self.by_key.remove(&frame.key);
        Some(frame)
    }
}

impl Engine {
    /// Opens a frame that so many bytes are to be written into at once, or says of what the node, or whoever would hold it,
    /// holds as much as it may.
    pub(super) fn open(
        &mut self,
        key: FrameKey,
        plan: &Arc<PlacePlan>,
        deadline: Time,
        call: CallOf,
        holder: Holder,
        bytes: u64,
    ) -> Result<FrameRef, LimitKind> {
        self.processes.keep(key.process);
        let origin = plan.origins.len() * self.processes.origin(key.process).as_bytes().len();
        let bytes = plan.constants.iter().map(|(_, value)| value.bytes()).sum::<u64>() + origin as u64 + bytes;
        let limit = match (self.shares.has_place(holder), self.shares.has_room(holder, bytes)) {
            (true, true) => None,
            (true, false) => Some(LimitKind::Bytes),
            (false, _) => Some(LimitKind::Frames),
        };
        if let Some(limit) = limit {
            self.limit(limit, Some(self.processes.execution(&key)));
            self.processes.release(key.process);
            return Err(limit);
        }
        let mut frame = self.frames.reuse.pop().unwrap_or_else(|| {
            Box::new(Frame {
                key,
                plan: plan.clone(),
                deadline,
                call,
                holder,
                sites: Vec::new(),
                sizes: Sizes::default(),
                pending: Vec::new(),
                recvs: Vec::new(),
                open_recvs: 0,
                lanes: Vec::new(),
                sent_at: Vec::new(),
                active: 0,
                refused: Vec::new(),
                commands: Vec::new(),
                parked: Vec::new(),
                bytes: 0,
            })
        });
        self.shares.opened(holder);
        (frame.key, frame.deadline, frame.call, frame.holder) = (key, deadline, call, holder);
        if !Arc::ptr_eq(&frame.plan, plan) {
            frame.plan = plan.clone();
        }
        frame.sites.resize_with(plan.sites.len(), SiteState::default);
        frame.sizes.forget(plan);
        frame.pending.extend_from_slice(&plan.pending);
        frame.recvs.resize(plan.recvs.len(), RecvState::Waiting);
        frame.lanes.resize_with(plan.lanes.len(), || None);
        frame.sent_at.resize(plan.starts as usize, None);
        frame.open_recvs = plan.recvs.len() as u32;
        let at = self.frames.insert(frame);
        if call.is_none() || !has(Bug::CallDeadlineIgnored) {
            self.timers.set_frame(self.now, deadline, at);
        }
        for node in &plan.sources {
            self.make_ready(at, *node, None);
        }
        for (site, value) in &plan.constants {
            self.put(plan, at, *site, None, value.clone());
        }
        for site in &plan.origins {
            let origin = self.processes.origin(key.process).clone();
            self.put(plan, at, *site, None, Value::Peer(origin));
        }
        Ok(at)
    }

    /// What a frame is of, while it is open.
    pub(super) fn execution_of(&self, at: FrameRef) -> Option<ExecutionId> {
        self.frames.get(at).map(|frame| self.processes.execution(&frame.key))
    }

    /// Ends a frame: everything it holds is released.
    pub(super) fn end(&mut self, at: FrameRef) {
        let Some(mut frame) = self.frames.remove(at) else { return };
        self.shares.charge(frame.holder, 0, if has(Bug::ChargeNotReleased) { 0 } else { frame.bytes });
        self.shares.ended(frame.holder);
        self.lanes -= frame.lane_count();
        for command in frame.commands.drain(..) {
            self.commands.remove(&command);
        }
        self.timers.died();
        if frame.key.place == 0 {
            // Its number says it: see `Calls::is_over`.
            self.calls.ended(frame.key.counter);
        } else {
            self.ended.remember(&mut self.processes, self.now, frame.key, frame.deadline.after(UNDER_WAY));
        }
        self.processes.release(frame.key.process);
        if let Some(call) = frame.call {
            self.entry_ended(call);
        }
        self.bootstrap_ended(at);
        (frame.bytes, frame.active, frame.open_recvs) = (0, 0, 0);
        frame.sites.clear();
        frame.pending.clear();
        frame.recvs.clear();
        frame.lanes.clear();
        frame.sent_at.clear();
        frame.refused.clear();
        frame.parked.clear();
        if self.frames.reuse.len() < REUSE_MAX {
            self.frames.reuse.push(frame);
        }
    }

    /// Ends a frame in which nothing can happen any more.
    pub(super) fn end_if_done(&mut self, at: FrameRef) {
        if self.frames.get(at).is_some_and(|f| f.active == 0 && f.open_recvs == 0) && !has(Bug::FrameNotEnded) {
            self.end(at);
        }
    }

    pub(super) fn make_ready(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        if let Some(frame) = self.frames.get_mut(at) {
            frame.active += 1;
            self.ready.push_back(super::Ready { frame: at, node, lane });
        }
    }

    /// Writes a site and fires what was waiting for it alone, or fails it where that would be more bytes than the node may
    /// hold. A site that is not empty stays as it is.
    pub(super) fn write(&mut self, at: FrameRef, site: SiteIx, lane: Option<u32>, value: Value) {
        if let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) {
            self.write_by(&plan, at, site, lane, value);
        }
    }

    /// The same, by a plan that the caller holds: the way of every op's outputs.
    pub(super) fn write_by(&mut self, plan: &PlacePlan, at: FrameRef, site: SiteIx, lane: Option<u32>, value: Value) {
        let Some(frame) = self.frames.get(at) else { return };
        if self.shares.has_room(frame.holder, value.bytes()) {
            self.put(plan, at, site, lane, value);
        } else {
            self.has_no_room(plan, at, site, lane);
        }
    }

    /// A value would be more than may be held: its site fails.
    pub(super) fn has_no_room(&mut self, plan: &PlacePlan, at: FrameRef, site: SiteIx, lane: Option<u32>) {
        let execution = self.execution_of(at);
        self.limit(LimitKind::Bytes, execution);
        let message = format!("with `{}` the node would hold more bytes than it may", plan.site(site).name);
        let cause = Cause { code: FailureCode::OpFailed, message, quorum: None };
        self.fail_site(at, site, lane, Arc::new(cause));
    }

    /// The same where its bytes were found to have room.
    pub(super) fn put(&mut self, plan: &PlacePlan, at: FrameRef, site: SiteIx, lane: Option<u32>, value: Value) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let of = plan.site(site);
        let value = if of.cohort { distinct(value) } else { value };
        if of.cohort && value.as_seq().is_some_and(is_no_cohort) {
            // What comes from outside is compared with its type; this is an op's.
            let message = format!("`{}` is of more peers than a cohort has", of.name);
            let cause = Cause { code: FailureCode::OpFailed, message, quorum: None };
            return self.fail_site(at, site, lane, Arc::new(cause));
        }
        let bytes = value.bytes();
        let Some(state) = frame.state_mut(site, lane) else { return };
        if !state.is_empty() {
            return;
        }
        let output = of.output.map(|number| (number, value.clone()));
        *state = SiteState::Filled(value);
        frame.bytes += bytes;
        self.shares.charge(frame.holder, bytes, 0);
        match of.storage {
            Storage::Frame if plan.lanes.is_empty() => {
                // What most sites are, with the frame looked up once.
                for node in plan.consumers(site) {
                    let times = less(&mut frame.pending[node.0 as usize]);
                    frame.active += times;
                    for _ in 0..times {
                        self.ready.push_back(super::Ready { frame: at, node: *node, lane: None });
                    }
                }
            }
            Storage::Frame => {
                for node in plan.consumers(site) {
                    match plan.node(*node).lanes {
                        None => self.one_less(at, *node, None),
                        Some((lanes, _)) => self.one_less_in_lanes(at, lanes, *node),
                    }
                }
                for (i, lanes) in plan.lanes.iter().enumerate() {
                    if lanes.cohort == site {
                        self.open_lanes(at, crate::plan::LanesIx(i as u32));
                    }
                }
            }
            Storage::Lanes(lanes, number) => {
                for node in plan.consumers(site) {
                    self.one_less(at, *node, lane);
                }
                if let Some(lane) = lane {
                    self.lane_value(at, lanes, number, lane);
                }
            }
        }
        if let Some((number, value)) = output {
            self.output(at, number, value);
        }
    }

    /// One of the sites a node waits for is there.
    pub(super) fn one_less(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let Some(pending) = self.frames.get_mut(at).and_then(|f| f.pending_mut(node, lane)) else { return };
        for _ in 0..less(pending) {
            self.make_ready(at, node, lane);
        }
    }
}

/// One less to wait for: how often the op fires now.
fn less(pending: &mut u32) -> u32 {
    if *pending == DONE || *pending == 0 {
        return 0;
    }
    *pending = if has(Bug::FiresEarly) { 0 } else { *pending - 1 };
    match *pending {
        0 if has(Bug::FiresTwice) => 2,
        0 => 1,
        _ => 0,
    }
}

impl Frame {
    /// How many lanes its gathers have.
    pub fn lane_count(&self) -> usize {
        self.lanes.iter().flatten().map(LanesState::len).sum()
    }
    pub fn state_mut(&mut self, site: SiteIx, lane: Option<u32>) -> Option<&mut SiteState> {
        match self.plan.sites[site.0 as usize].storage {
            Storage::Frame => self.sites.get_mut(site.0 as usize),
            Storage::Lanes(lanes, number) => {
                let lane = self.lanes[lanes.0 as usize].as_mut()?.lane_mut(lane?)?;
                lane.sites.get_mut(number as usize)
            }
        }
    }
    pub fn state(&self, site: SiteIx, lane: Option<u32>) -> Option<&SiteState> {
        match self.plan.sites[site.0 as usize].storage {
            Storage::Frame => self.sites.get(site.0 as usize),
            Storage::Lanes(lanes, number) => {
                self.lanes[lanes.0 as usize].as_ref()?.lane(lane?)?.sites.get(number as usize)
            }
        }
    }
    pub fn value(&self, site: SiteIx, lane: Option<u32>) -> Option<&Value> {
        self.state(site, lane)?.value()
    }
    pub fn pending_mut(&mut self, node: NodeIx, lane: Option<u32>) -> Option<&mut u32> {
        match self.plan.nodes[node.0 as usize].lanes {
            None => self.pending.get_mut(node.0 as usize),
            Some((lanes, number)) => {
                self.lanes[lanes.0 as usize].as_mut()?.lane_mut(lane?)?.pending.get_mut(number as usize)
            }
        }
    }
}

/// A cohort is distinct peers, sorted by their bytes.
fn distinct(value: Value) -> Value {
    match &value {
        Value::Seq(peers) if !peers.is_sorted_by(|a, b| a.as_peer() < b.as_peer()) => {
            let mut peers: Vec<_> = peers.iter().filter_map(|p| p.as_peer().cloned()).collect();
            peers.sort();
            peers.dedup();
            Value::Seq(peers.into_iter().map(Value::Peer).collect())
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cohort_is_distinct_peers_in_the_order_of_their_bytes() {
        let seq = |ids: &[u8]| {
            Value::Seq(ids.iter().map(|n| Value::Peer(PeerId::from_bytes(vec![*n]).expect("short"))).collect())
        };
        for (given, lanes) in [(&[2, 1, 2][..], &[1, 2][..]), (&[1, 2], &[1, 2]), (&[3, 3], &[3]), (&[], &[])] {
            assert_eq!(distinct(seq(given)), seq(lanes));
        }
    }
}
