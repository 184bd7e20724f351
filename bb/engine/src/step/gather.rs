//! Gathers: what they need, when they end, and what they yield (SEMANTICS 1.7).

use super::Engine;
use super::frame::{DONE, FrameRef};
use super::lanes::LaneRecv;
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{Cause, QuorumFailure};
use crate::input::GraphId;
use crate::plan::{GatherPlan, LanesIx, NeedPlan, NodeIx, NodeKind, NodePlan, WithinPlan};
use crate::time::Time;
use bb_ir::failure::FailureCode;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Waiting,
    Arrived,
    Failed(FailureCode),
}

/// One gather over the lanes of a wire.
pub struct GatherState {
    /// How many members have to arrive; not known before the gather's operands are there.
    pub need: Option<u64>,
    /// Ends as soon as so many have.
    pub first: bool,
    /// What `within` counts for, and from when on it may.
    pub within: Option<(Duration, Time)>,
    /// Per lane, the values that are still to come.
    pub left: Vec<u32>,
    pub members: Vec<Member>,
    arrived: u64,
    waiting: u64,
    pub done: bool,
}

impl GatherState {
    pub fn new(node: &NodePlan, lanes: usize) -> Self {
        let values = match &node.kind {
            NodeKind::Gather(g) => distinct(&g.values),
            _ => 0,
        };
        GatherState {
            need: None,
            first: false,
            within: None,
            left: vec![values; lanes],
            members: vec![Member::Waiting; lanes],
            arrived: 0,
            waiting: lanes as u64,
            done: false,
        }
    }
    /// Everything as it was saved.
    pub fn put(
        &mut self,
        need: Option<u64>,
        first: bool,
        within: Option<(Duration, Time)>,
        left: Vec<u32>,
        members: Vec<Member>,
        done: bool,
    ) {
        let count = |which: fn(&Member) -> bool| members.iter().filter(|m| which(m)).count() as u64;
        self.arrived = count(|m| *m == Member::Arrived);
        self.waiting = count(|m| *m == Member::Waiting);
        (self.need, self.first, self.within) = (need, first, within);
        (self.left, self.members, self.done) = (left, members, done);
    }
    /// A member fails; whether it was still waited for.
    pub fn fails(&mut self, lane: usize, code: FailureCode) -> bool {
        let waited = self.members[lane] == Member::Waiting;
        if waited {
            self.members[lane] = Member::Failed(code);
            self.waiting -= 1;
        }
        waited
    }
}

fn distinct(values: &[u32]) -> u32 {
    values.iter().enumerate().filter(|(i, v)| !values[..*i].contains(v)).count() as u32
}

impl Engine {
    pub(super) fn gather_plan(plan: &crate::plan::PlacePlan, node: NodeIx) -> Option<&GatherPlan> {
        match &plan.node(node).kind {
            NodeKind::Gather(g) => Some(g),
            _ => None,
        }
    }
    pub(super) fn gather_mut(&mut self, at: FrameRef, lanes: LanesIx, number: u32) -> Option<&mut GatherState> {
        self.frames.get_mut(at)?.lanes[lanes.0 as usize].as_mut()?.gathers.get_mut(number as usize)
    }

    /// The operands of a gather are there; its lanes may not be yet.
    pub(super) fn gather_ready(&mut self, at: FrameRef, node: NodeIx) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(g) = Self::gather_plan(&plan, node) else { return };
        let Some(lanes) = frame.lanes[g.lanes.0 as usize].as_ref() else { return };
        let members = lanes.members.len() as u64;
        let count = |site| frame.value(site, None).and_then(Value::as_scalar::<u64>);
        let fraction = |site| frame.value(site, None).and_then(Value::as_scalar::<f32>);
        let of_fraction = |m: u64| (m.saturating_mul(members)).div_ceil(1_000_000).max(1);
        let (need, first) = match g.need {
            NeedPlan::All => (Ok(members), false),
            NeedPlan::Count(n) => (Ok(n.max(1)), false),
            NeedPlan::First(n) => (Ok(n.max(1)), true),
            NeedPlan::Fraction(m) if m <= 1_000_000 => (Ok(of_fraction(m)), false),
            NeedPlan::Fraction(_) => (Err("the quorum's fraction is outside (0, 1]".to_owned()), false),
            NeedPlan::CountOf(site) => {
                (count(site).map(|n| n.max(1)).ok_or("the quorum is no number".to_owned()), false)
            }
            NeedPlan::FirstOf(site) => (count(site).map(|n| n.max(1)).ok_or("`first` is no number".to_owned()), true),
            NeedPlan::FractionOf(site) => {
                let need = fraction(site).and_then(crate::plan::millionths).map(of_fraction);
                (need.ok_or_else(|| format!("the quorum's fraction {:?} is outside (0, 1]", fraction(site))), false)
            }
        };
        let need = match need {
            Ok(need) if need > members && members > 0 => Err(format!("the quorum is {need}, the cohort has {members}")),
            other => other,
        };
        let within = match g.within {
            WithinPlan::Never => None,
            WithinPlan::Constant(ns) if plan.lanes(g.lanes).clock.is_empty() => {
                Some((Duration::from_nanos(ns), self.now))
            }
            WithinPlan::Constant(ns) => Some((Duration::from_nanos(ns), Time::default())),
            WithinPlan::Of(site) => {
                let ns =
                    frame.value(site, None).and_then(Value::as_scalar::<i64>).and_then(|ns| u64::try_from(ns).ok());
                match ns {
                    Some(ns) => Some((Duration::from_nanos(ns), self.now)),
                    None => {
                        let message = "the gather's limit is no duration".to_owned();
                        let cause = Cause { code: FailureCode::OpFailed, message, quorum: None };
                        self.gather_failed(at, node, Arc::new(cause));
                        return;
                    }
                }
            }
        };
        let (lanes, number, graph) = (g.lanes, g.number, GraphId(frame.key.graph));
        let need = match need {
            Ok(need) if has(Bug::QuorumOffByOne) => need.saturating_sub(1),
            Ok(need) => need,
            Err(message) => {
                let cause = Cause { code: FailureCode::OpFailed, message, quorum: None };
                self.gather_failed(at, node, Arc::new(cause));
                return;
            }
        };
        if let Some(state) = self.gather_mut(at, lanes, number) {
            (state.need, state.first, state.within) = (Some(need), first, within);
        }
        if members == 0 {
            let quorum = QuorumFailure { need: need.max(1), arrived: Vec::new(), missing: Vec::new() };
            let message = self.empty_cohort(graph, &plan.recv(plan.lanes(lanes).recv).from_class);
            let cause = Cause { code: FailureCode::QuorumNotReached, message, quorum: Some(Box::new(quorum)) };
            self.gather_failed(at, node, Arc::new(cause));
            return;
        }
        self.arm(at, node);
        self.gather_check(at, node);
    }

    /// A site of a lane is filled: it may be the last that a gather wants of this lane.
    pub(super) fn lane_value(&mut self, at: FrameRef, lanes: LanesIx, site: u32, lane: u32) {
        let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) else { return };
        for node in &plan.lanes(lanes).gathers {
            let wants = Self::gather_plan(&plan, *node).filter(|g| g.values.contains(&site)).map(|g| g.number);
            let Some(state) = wants.and_then(|number| self.gather_mut(at, lanes, number)) else { continue };
            let i = lane as usize;
            state.left[i] = state.left[i].saturating_sub(1);
            if state.left[i] == 0 && state.members[i] == Member::Waiting {
                state.members[i] = Member::Arrived;
                state.arrived += if has(Bug::MemberCountsTwice) { 2 } else { 1 };
                state.waiting -= 1;
                self.gather_check(at, *node);
            }
        }
    }

    /// A site of a lane will not be filled: its member has failed.
    pub(super) fn lane_value_failed(&mut self, at: FrameRef, lanes: LanesIx, site: u32, lane: u32, code: FailureCode) {
        let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) else { return };
        for node in &plan.lanes(lanes).gathers {
            let wants = Self::gather_plan(&plan, *node).filter(|g| g.values.contains(&site)).map(|g| g.number);
            let Some(state) = wants.and_then(|number| self.gather_mut(at, lanes, number)) else { continue };
            let i = lane as usize;
            if state.fails(i, code) {
                self.gather_check(at, *node);
            }
        }
    }

    /// Ends a gather for which that is now settled.
    pub(super) fn gather_check(&mut self, at: FrameRef, node: NodeIx) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(g) = Self::gather_plan(&plan, node) else { return };
        let Some(state) = frame.lanes[g.lanes.0 as usize].as_ref().and_then(|l| l.gathers.get(g.number as usize))
        else {
            return;
        };
        let Some(need) = state.need.filter(|_| !state.done) else { return };
        let enough_first = state.first && state.arrived >= need;
        if enough_first || state.waiting == 0 || state.arrived + state.waiting < need {
            let code = if enough_first { FailureCode::Cancelled } else { FailureCode::QuorumNotReached };
            self.gather_end(at, node, code);
        }
    }

    /// Ends a gather: it yields, or fails for want of members. `late` is why the waiting ones are missing.
    fn gather_end(&mut self, at: FrameRef, node: NodeIx, late: FailureCode) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(g) = Self::gather_plan(&plan, node) else { return };
        let Some(lanes) = frame.lanes[g.lanes.0 as usize].as_ref() else { return };
        let Some(state) = lanes.gathers.get(g.number as usize).filter(|s| !s.done) else { return };
        let Some(need) = state.need else { return };
        let missing = lanes.members.iter().zip(&state.members).filter_map(|(peer, member)| match member {
            Member::Arrived => None,
            Member::Waiting => Some((peer.clone(), late)),
            Member::Failed(code) => Some((peer.clone(), *code)),
        });
        let missing: Vec<_> = missing.collect();
        let arrived: Vec<u32> =
            (0..lanes.len() as u32).filter(|i| state.members[*i as usize] == Member::Arrived).collect();
        let members = arrived.iter().map(|i| lanes.members[*i as usize].clone());
        if (arrived.len() as u64) < need {
            let quorum = QuorumFailure { need, arrived: members.collect(), missing };
            let message = format!(
                "{} of {} members answered, {need} are needed; missing: {}",
                quorum.arrived.len(),
                lanes.members.len(),
                self.missing(at, g, &quorum.missing)
            );
            let cause = Cause { code: FailureCode::QuorumNotReached, message, quorum: Some(Box::new(quorum)) };
            self.gather_failed(at, node, Arc::new(cause));
            return;
        }
        let column = |number: &u32| {
            let value = |lane: &u32| lanes.lane(*lane).and_then(|l| l.sites[*number as usize].value().cloned());
            Value::Seq(arrived.iter().filter_map(value).collect())
        };
        let mut outputs: Vec<Value> = g.values.iter().map(column).collect();
        outputs.push(Value::Seq(members.map(Value::Peer).collect()));
        let entry = |(peer, code): (crate::PeerId, FailureCode)| {
            Value::Bytes([&code.number().to_le_bytes()[..], peer.as_bytes()].concat().into())
        };
        outputs.push(Value::Seq(missing.into_iter().map(entry).collect()));
        let (lanes, number) = (g.lanes, g.number);
        if let Some(state) = self.gather_mut(at, lanes, number) {
            state.done = true;
        }
        for (site, value) in plan.node(node).outputs.iter().zip(outputs) {
            self.write(at, *site, None, value);
        }
        self.close_lanes(at, lanes);
    }

    /// A gather fails: nothing it yields will come.
    pub(super) fn gather_failed(&mut self, at: FrameRef, node: NodeIx, cause: Arc<Cause>) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        let Some(g) = Self::gather_plan(&plan, node) else { return };
        frame.pending[node.0 as usize] = DONE;
        if let Some(state) = self.gather_mut(at, g.lanes, g.number) {
            if state.done {
                return;
            }
            state.done = true;
        }
        for site in &plan.node(node).outputs {
            self.fail_site(at, *site, None, cause.clone());
        }
        self.close_lanes(at, g.lanes);
    }

    /// Once every gather of a wire has ended, what has not run in lanes that did not arrive is cancelled.
    fn close_lanes(&mut self, at: FrameRef, ix: LanesIx) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(lanes) = frame.lanes[ix.0 as usize].as_ref().filter(|l| l.gathers.iter().all(|g| g.done)) else {
            return;
        };
        let arrived = |lane: usize| lanes.gathers.iter().any(|g| g.members[lane] == Member::Arrived);
        let gone: Vec<u32> = (0..lanes.len()).filter(|l| !arrived(*l)).map(|l| l as u32).collect();
        let waiting: Vec<u32> =
            (0..lanes.len() as u32).filter(|l| lanes.lane(*l).is_some_and(|l| l.recv == LaneRecv::Waiting)).collect();
        let cause = Cause { code: FailureCode::Cancelled, message: "the gather has ended".into(), quorum: None };
        let cause = Arc::new(cause);
        for lane in waiting {
            self.lane_settled(at, ix, lane, LaneRecv::Closed);
        }
        for lane in gone {
            for node in &plan.lanes(ix).nodes {
                self.fail_node(at, *node, Some(lane), cause.clone());
            }
        }
    }
}
