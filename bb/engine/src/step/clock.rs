//! How long a gather waits: `within` counts, for each member, from the last Send to it that its answer depends on
//! (SEMANTICS 1.7). Most Sends go to the whole cohort at once; those in lanes go out as each lane gets there.

use super::Engine;
use super::frame::{Frame, FrameRef};
use super::gather::{GatherState, Member};
use super::lanes::LanesState;
use super::timers::Timer;
use crate::bugs::{Bug, has};
use crate::plan::{Clock, GatherPlan, LanesIx, NodeIx, PlacePlan};
use crate::time::Time;
use bb_ir::failure::FailureCode;

impl Engine {
    /// A Send has gone out: clocks that it starts run from now on.
    pub(super) fn clocks_start(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let (now, Some(frame)) = (self.now, self.frames.get_mut(at)) else { return };
        let plan = frame.plan.clone();
        let Some(send) = Self::send_plan(&plan, node) else { return };
        let Some(number) = send.starts else { return };
        let times = match (plan.node(node).lanes, lane) {
            (Some((lanes, _)), Some(lane)) => {
                frame.lanes[lanes.0 as usize].as_mut().and_then(|l| l.lane_mut(lane)).map(|l| &mut l.sent_at)
            }
            _ => Some(&mut frame.sent_at),
        };
        if let Some(time) = times.and_then(|t| t.get_mut(number as usize)) {
            *time = Some(now);
        }
        for gather in &send.clocks {
            match lane {
                None => self.arm(at, *gather),
                Some(lane) => self.arm_lane(at, *gather, lane),
            }
        }
    }

    /// Sets the deadlines of every gather of a frame.
    pub(super) fn arm_all(&mut self, at: FrameRef) {
        let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) else { return };
        for gather in plan.lanes.iter().flat_map(|l| &l.gathers) {
            self.arm(at, *gather);
        }
    }

    /// Sets a gather's deadlines, once what starts its clock has gone out.
    pub(super) fn arm(&mut self, at: FrameRef, node: NodeIx) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some((g, state)) = running(frame, &plan, node) else { return };
        let clock = &plan.lanes(g.lanes).clock;
        let all = state.within.and_then(|(within, there)| Some(sent_to_all(frame, clock)?.max(there).after(within)));
        if let Some(deadline) = all.filter(|d| *d < frame.deadline) {
            self.timers.set(deadline, Timer::Gather { frame: at, node, lane: None });
        }
        if clock.iter().any(|c| matches!(c, Clock::Lane(..))) {
            for lane in 0..state.members.len() as u32 {
                self.arm_lane(at, node, lane);
            }
        }
    }

    fn arm_lane(&mut self, at: FrameRef, node: NodeIx, lane: u32) {
        let Some(frame) = self.frames.get(at) else { return };
        let Some((g, state)) = running(frame, &frame.plan, node) else { return };
        let own = sent_in_lane(frame, &frame.plan.lanes(g.lanes).clock, lane);
        let deadline = own.and_then(|_| member_deadline(frame, g, state, lane));
        if let Some(deadline) = deadline.filter(|d| *d < frame.deadline) {
            self.timers.set(deadline, Timer::Gather { frame: at, node, lane: Some(lane) });
        }
    }

    /// Time is out for a lane, or for all whose time it is.
    pub(super) fn gather_deadline(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let (now, Some(frame)) = (self.now, self.frames.get(at)) else { return };
        let plan = frame.plan.clone();
        let Some((g, state)) = running(frame, &plan, node) else { return };
        let all = lane.map_or(0..state.members.len() as u32, |lane| lane..lane + 1);
        let due = |lane: &u32| member_deadline(frame, g, state, *lane).is_some_and(|deadline| deadline <= now);
        let waits = |lane: &u32| state.members.get(*lane as usize) == Some(&Member::Waiting);
        let due: Vec<u32> = all.filter(waits).filter(due).collect();
        let Some(state) = self.gather_mut(at, g.lanes, g.number) else { return };
        for lane in due.into_iter().filter(|_| !has(Bug::WithinNever)) {
            state.fails(lane as usize, FailureCode::Deadline);
        }
        self.gather_check(at, node);
        self.settle();
        self.end_if_done(at);
    }
}

/// A gather whose operands are there and that has not ended.
fn running<'a>(frame: &'a Frame, plan: &'a PlacePlan, node: NodeIx) -> Option<(&'a GatherPlan, &'a GatherState)> {
    let g = Engine::gather_plan(plan, node)?;
    let state = frame.lanes[g.lanes.0 as usize].as_ref()?.gathers.get(g.number as usize)?;
    (!state.done && state.need.is_some()).then_some((g, state))
}

/// When the last of the Sends to all members went out; `None` before that.
fn sent_to_all(frame: &Frame, clock: &[Clock]) -> Option<Time> {
    clock.iter().try_fold(Time::default(), |last, c| match c {
        Clock::Frame(number) => Some(last.max((*frame.sent_at.get(*number as usize)?)?)),
        Clock::Lane(..) => Some(last),
    })
}

/// When the last of the Sends in this lane went out, if one has.
fn sent_in_lane(frame: &Frame, clock: &[Clock], lane: u32) -> Option<Time> {
    let lanes = |ix: LanesIx| frame.lanes[ix.0 as usize].as_ref().and_then(|l: &LanesState| l.lane(lane));
    let sent = |c: &Clock| match c {
        Clock::Frame(_) => None,
        Clock::Lane(ix, number) => lanes(*ix)?.sent_at.get(*number as usize).copied().flatten(),
    };
    clock.iter().filter_map(sent).max()
}

/// Until when a gather waits for this member; `None` where it is not yet known, or without limit.
fn member_deadline(frame: &Frame, g: &GatherPlan, state: &GatherState, lane: u32) -> Option<Time> {
    let (within, there) = state.within?;
    let clock = &frame.plan.lanes(g.lanes).clock;
    let last = sent_to_all(frame, clock)?.max(sent_in_lane(frame, clock, lane).unwrap_or_default());
    Some(last.max(there).after(within))
}
