//! What will not come: failures run along the frame's edges, and over the wire as failure fills (SEMANTICS 1.8).
//!
//! A failure is put into a queue and taken from there, so that a chain of any length needs no stack.

use super::Engine;
use super::frame::{DONE, Frame, FrameRef, RecvState, SiteState};
use super::lanes::{LaneRecv, LanesState, lanes_of};
use crate::event::{CallError, Cause, Event};
use crate::plan::{LanesIx, NodeIx, NodeKind, RecvIx, SiteIx, Storage};
use bb_ir::failure::FailureCode;
use std::sync::Arc;

/// Something that will not come, and why.
pub struct Failing {
    frame: FrameRef,
    what: What,
    lane: Option<u32>,
    cause: Arc<Cause>,
}
#[derive(Clone, Copy)]
enum What {
    Site(SiteIx),
    Node(NodeIx),
    Recv(RecvIx),
}

impl Engine {
    pub(super) fn fail_site(&mut self, frame: FrameRef, site: SiteIx, lane: Option<u32>, cause: Arc<Cause>) {
        self.failing.push_back(Failing { frame, what: What::Site(site), lane, cause });
    }
    pub(super) fn fail_node(&mut self, frame: FrameRef, node: NodeIx, lane: Option<u32>, cause: Arc<Cause>) {
        self.failing.push_back(Failing { frame, what: What::Node(node), lane, cause });
    }
    /// Of a lane's return: in that lane, or in all.
    pub(super) fn fail_recv(&mut self, frame: FrameRef, recv: RecvIx, lane: Option<u32>, cause: Arc<Cause>) {
        self.failing.push_back(Failing { frame, what: What::Recv(recv), lane, cause });
    }

    /// Follows every failure to where it ends.
    #[inline]
    pub(super) fn settle(&mut self) {
        // What is nearly always so.
        if !self.failing.is_empty() {
            self.failures_end();
        }
    }
    fn failures_end(&mut self) {
        while let Some(Failing { frame, what, lane, cause }) = self.failing.pop_front() {
            match what {
                What::Site(site) => self.site_fails(frame, site, lane, &cause),
                What::Node(node) => self.node_fails(frame, node, lane, &cause),
                What::Recv(recv) => self.recv_fails(frame, recv, lane, &cause),
            }
            if self.failing.is_empty() {
                self.end_if_done(frame);
            }
        }
    }

    fn site_fails(&mut self, at: FrameRef, site: SiteIx, lane: Option<u32>, cause: &Arc<Cause>) {
        self.bootstrap_broken(at, cause);
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        let Some(state) = frame.state_mut(site, lane).filter(|s| s.is_empty()) else { return };
        *state = SiteState::Failed(cause.clone());
        let of = plan.site(site);
        for node in plan.consumers(site) {
            match (of.storage, plan.node(*node).lanes) {
                (Storage::Frame, Some((lanes, _))) => {
                    let frame = self.frames.get(at);
                    let count = frame.and_then(|f| f.lanes[lanes.0 as usize].as_ref()).map_or(0, LanesState::len);
                    for lane in 0..count as u32 {
                        self.fail_node(at, *node, Some(lane), cause.clone());
                    }
                }
                _ => self.fail_node(at, *node, lane, cause.clone()),
            }
        }
        match of.storage {
            Storage::Lanes(lanes, number) => {
                if let Some(lane) = lane {
                    self.lane_value_failed(at, lanes, number, lane, cause.code);
                }
            }
            Storage::Frame => {
                // Without its cohort a wire has no lanes.
                for (_, lanes) in lanes_of(&plan).filter(|(_, l)| l.cohort == site) {
                    self.fail_recv(at, lanes.recv, None, cause.clone());
                }
            }
        }
        if of.output.is_some() {
            self.output_failed(at, cause);
        }
    }

    fn node_fails(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>, cause: &Arc<Cause>) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        let Some(pending) = frame.pending_mut(node, lane) else { return };
        // What is ready or has run is not cancelled any more.
        if *pending == DONE || *pending == 0 || frame.may_yet_come(&plan, node, lane) {
            return;
        }
        if let Some(pending) = frame.pending_mut(node, lane) {
            *pending = DONE;
        }
        match &plan.node(node).kind {
            NodeKind::Send(_) => self.send_cancelled(at, node, lane, cause),
            NodeKind::Gather(_) => self.gather_failed(at, node, cause.clone()),
            _ => {}
        }
        for site in &plan.node(node).outputs {
            self.fail_site(at, *site, lane, cause.clone());
        }
    }

    fn recv_fails(&mut self, at: FrameRef, recv: RecvIx, lane: Option<u32>, cause: &Arc<Cause>) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        let it = plan.recv(recv);
        let sites: Vec<SiteIx> = it.payloads.iter().map(|p| p.0).chain([it.sender]).collect();
        match (it.lanes, lane) {
            (None, _) => {
                let state = &mut frame.recvs[recv.0 as usize];
                if *state != RecvState::Waiting {
                    return;
                }
                *state = RecvState::Failed;
                frame.open_recvs -= 1;
                for site in sites {
                    self.fail_site(at, site, None, cause.clone());
                }
            }
            (Some(lanes), Some(lane)) => {
                if self.lane_settled(at, lanes, lane, LaneRecv::Failed) {
                    for site in sites {
                        self.fail_site(at, site, Some(lane), cause.clone());
                    }
                }
            }
            (Some(lanes), None) => self.all_lanes_fail(at, recv, lanes, cause),
        }
    }

    fn all_lanes_fail(&mut self, at: FrameRef, recv: RecvIx, ix: LanesIx, cause: &Arc<Cause>) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        match frame.lanes[ix.0 as usize].as_ref().map(LanesState::len) {
            Some(count) => {
                for lane in 0..count as u32 {
                    self.fail_recv(at, recv, Some(lane), cause.clone());
                }
            }
            None => {
                let state = &mut frame.recvs[recv.0 as usize];
                if *state != RecvState::Waiting {
                    return;
                }
                *state = RecvState::Failed;
                frame.open_recvs -= 1;
                for gather in &plan.lanes(ix).gathers {
                    self.fail_node(at, *gather, None, cause.clone());
                    self.gather_failed(at, *gather, cause.clone());
                }
            }
        }
    }

    /// A message will not be delivered: what can only come by way of it does not come (in that lane).
    pub(super) fn awaited_fails(&mut self, at: FrameRef, wire: u64, lane: Option<u32>, cause: &Arc<Cause>) {
        let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) else { return };
        for (i, recv) in plan.recvs.iter().enumerate() {
            if recv.awaits.contains(&wire) {
                self.fail_recv(at, RecvIx(i as u32), lane.filter(|_| recv.lanes.is_some()), cause.clone());
            }
        }
    }

    /// A frame's time is out.
    pub(super) fn expire(&mut self, at: FrameRef) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let (execution, call) = (self.processes.execution(&frame.key), frame.call);
        let lane = plan.each.then_some(frame.key.lane);
        let waited_for = self.waited_for(at);
        self.event(Event::FrameExpired {
            execution: execution.clone(),
            place: plan.place,
            lane,
            waited_for: waited_for.clone(),
        });
        if let Some(call) = call {
            self.resolve(call, Err(CallError::Deadline { waited_for }));
        }
        let cause = Arc::new(Cause {
            code: FailureCode::Deadline,
            message: "the execution's time is out".into(),
            quorum: None,
        });
        self.cut_short(at, &cause);
    }

    /// Ends a frame before its time. What has not fired is cancelled, ops that are ready too: whoever would have got a
    /// message of it learns, or a peer that got another of its wires would wait for its deadline.
    pub(super) fn cut_short(&mut self, at: FrameRef, cause: &Arc<Cause>) {
        self.bootstrap_broken(at, cause);
        let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) else { return };
        for node in &plan.sends {
            let lanes = plan.node(*node).lanes.map(|(lanes, _)| lanes);
            let count = |frame: &Frame, l: LanesIx| frame.lanes[l.0 as usize].as_ref().map_or(0, LanesState::len);
            let count = lanes.map(|l| self.frames.get(at).map_or(0, |f| count(f, l) as u32));
            match count {
                None => self.cut_send(at, *node, None, cause),
                Some(count) => (0..count).for_each(|lane| self.cut_send(at, *node, Some(lane), cause)),
            }
        }
        self.end(at);
    }

    fn cut_send(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>, cause: &Arc<Cause>) {
        let Some(pending) = self.frames.get_mut(at).and_then(|f| f.pending_mut(node, lane)) else { return };
        if std::mem::replace(pending, DONE) != DONE {
            self.send_failure(at, node, lane, cause);
        }
    }
}
