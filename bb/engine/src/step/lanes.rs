//! The lanes of a wire that comes home: one per member of the cohort.

use super::Engine;
use super::frame::{DONE, FrameRef, SiteState};
use super::gather::GatherState;
use crate::event::{Cause, LimitKind};
use crate::plan::{LanesIx, LanesPlan, NodeIx, PlacePlan, Storage};
use crate::time::Time;
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use std::sync::Arc;

/// One lane: what its member sent, and what is made of it.
pub struct Lane {
    pub recv: LaneRecv,
    pub sites: Vec<SiteState>,
    pub pending: Vec<u32>,
    /// When each Send of this lane went out that starts a gather's clock.
    pub sent_at: Vec<Option<Time>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneRecv {
    Waiting,
    Filled,
    Failed,
    /// Every gather has ended: what comes is late.
    Closed,
}

pub struct LanesState {
    pub members: Vec<PeerId>,
    pub lanes: Vec<Lane>,
    /// Lanes whose member has neither answered nor failed.
    pub waiting: u32,
    pub gathers: Vec<GatherState>,
}

impl LanesState {
    pub fn len(&self) -> usize {
        self.lanes.len()
    }
    pub fn lane(&self, lane: u32) -> Option<&Lane> {
        self.lanes.get(lane as usize)
    }
    pub fn lane_mut(&mut self, lane: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(lane as usize)
    }
}

impl Engine {
    /// The cohort is there: its lanes open.
    pub(super) fn open_lanes(&mut self, at: FrameRef, ix: LanesIx) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let lanes = plan.lanes(ix);
        let cohort = frame.value(lanes.cohort, None).and_then(|v| v.as_seq()).unwrap_or_default();
        let members: Vec<PeerId> = cohort.iter().filter_map(|p| p.as_peer().cloned()).collect();
        let too_many = members.len() > bb_ir::limits::LANES_MAX as usize;
        if too_many || self.lanes + members.len() > self.config.limits.lanes_max {
            let execution = self.processes.execution(&frame.key);
            self.limit(LimitKind::Lanes, Some(execution));
            let message = format!("a cohort of {} peers is more than this node holds", members.len());
            let cause = Cause { code: FailureCode::OpFailed, message, quorum: None };
            self.fail_recv(at, lanes.recv, None, Arc::new(cause));
            return;
        }
        let pending: Vec<u32> = lanes.nodes.iter().map(|n| missing_inputs(&plan, frame, *n)).collect();
        let failed: Vec<(NodeIx, Arc<Cause>)> =
            lanes.nodes.iter().filter_map(|n| Some((*n, failed_input(&plan, frame, *n)?))).collect();
        let new = |_: &PeerId| Lane {
            recv: LaneRecv::Waiting,
            sites: lanes.sites.iter().map(|_| SiteState::Empty).collect(),
            pending: pending.clone(),
            sent_at: vec![None; lanes.starts as usize],
        };
        let state = LanesState {
            waiting: members.len() as u32,
            lanes: members.iter().map(new).collect(),
            gathers: lanes.gathers.iter().map(|g| GatherState::new(plan.node(*g), members.len())).collect(),
            members,
        };
        let count = state.len() as u32;
        self.lanes += state.len();
        let Some(frame) = self.frames.get_mut(at) else { return };
        frame.lanes[ix.0 as usize] = Some(state);
        if count == 0 {
            frame.open_recvs -= 1;
        }
        for (node, cause) in failed {
            for lane in 0..count {
                self.fail_node(at, node, Some(lane), cause.clone());
            }
        }
        // Nodes of a lane that wait for values around it alone.
        for (i, node) in lanes.nodes.iter().enumerate() {
            if pending[i] == 0 {
                for lane in 0..count {
                    self.make_ready(at, *node, Some(lane));
                }
            }
        }
        for gather in &lanes.gathers {
            let fired = self.frames.get(at).is_some_and(|f| f.pending[gather.0 as usize] == DONE);
            if fired {
                self.gather_ready(at, *gather);
            }
        }
    }

    /// A value of the frame around is there, for a node of every lane.
    pub(super) fn one_less_in_lanes(&mut self, at: FrameRef, ix: LanesIx, node: NodeIx) {
        let count = self.frames.get(at).and_then(|f| f.lanes[ix.0 as usize].as_ref()).map_or(0, LanesState::len);
        for lane in 0..count as u32 {
            self.one_less(at, node, Some(lane));
        }
    }

    /// A lane's Recv is filled, failed or closed.
    pub(super) fn lane_settled(&mut self, at: FrameRef, ix: LanesIx, lane: u32, to: LaneRecv) -> bool {
        let Some(frame) = self.frames.get_mut(at) else { return false };
        let Some(state) = frame.lanes[ix.0 as usize].as_mut() else { return false };
        let Some(it) = state.lane_mut(lane).filter(|l| l.recv == LaneRecv::Waiting) else { return false };
        it.recv = to;
        state.waiting -= 1;
        if state.waiting == 0 {
            frame.open_recvs -= 1;
        }
        true
    }
}

fn missing_inputs(plan: &PlacePlan, frame: &super::frame::Frame, node: NodeIx) -> u32 {
    let waits = plan.node(node).waits_for.iter();
    waits
        .filter(|s| match plan.site(**s).storage {
            Storage::Frame => !frame.sites[s.0 as usize].is_there(),
            Storage::Lanes(..) => true,
        })
        .count() as u32
}

fn failed_input(plan: &PlacePlan, frame: &super::frame::Frame, node: NodeIx) -> Option<Arc<Cause>> {
    plan.node(node).waits_for.iter().find_map(|s| match (plan.site(*s).storage, &frame.sites[s.0 as usize]) {
        (Storage::Frame, SiteState::Failed(cause)) => Some(cause.clone()),
        _ => None,
    })
}

/// Which lanes of a place wait for a member.
pub fn lanes_of(plan: &PlacePlan) -> impl Iterator<Item = (LanesIx, &LanesPlan)> {
    plan.lanes.iter().enumerate().map(|(i, l)| (LanesIx(i as u32), l))
}
