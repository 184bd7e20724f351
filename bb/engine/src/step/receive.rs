//! Messages come in (SEMANTICS 1.3, 1.4, 1.6).

use super::Engine;
use super::frame::{FrameKey, FrameRef, NO_LANE, RecvState, Refused};
use super::lanes::LaneRecv;
use super::peers::PeerIx;
use super::processes::ProcessIx;
use super::shares::Holder;
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{Cause, EngineStep, Event, ExecutionId, LimitKind, ReceiveFault};
use crate::input::GraphId;
use crate::plan::{Filler, PlacePlan, RecvIx, RecvPlan};
use crate::time::Time;
use bb_ir::codec;
use bb_ir::envelope::{self, Envelope, Fill, FillContent};
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

impl Engine {
    pub(super) fn received(&mut self, peer: &PeerId, frame: Bytes) {
        let Some(from) = self.peers.speaks(peer) else {
            self.event(Event::EnvelopeRefused { peer: peer.clone(), reason: "it has not said Hello".into() });
            return;
        };
        if !self.rx_gates(peer) {
            return;
        }
        let mut envelope = self.envelope.take().unwrap_or_default();
        match envelope::decode_into(&frame, &self.config.limits.wire, &mut envelope) {
            Ok(()) => self.accepted(peer, from, Some(from), &mut envelope),
            Err(refusal) => self.violation(peer, refusal.to_string()),
        }
        envelope.clear();
        self.envelope = Some(envelope);
    }

    /// An envelope that is one. Payloads are taken out of it; frames that it opens are the holder's.
    pub(super) fn accepted(&mut self, peer: &PeerId, from: PeerIx, holder: Holder, envelope: &mut Envelope) {
        if let Err(reason) = self.peers.plausible(from, envelope.seq, envelope.ack) {
            return self.violation(peer, reason.into());
        }
        self.acknowledged(from, envelope.ack);
        if let Some(report) = envelope.rtt.last() {
            self.peers.outbox(from).1.told(report);
        }
        if envelope.seq > 0 {
            let new = self.peers.is_new(from, envelope.seq);
            self.owe_ack(from);
            if !new && !has(Bug::DedupOff) {
                self.event(Event::Duplicate { peer: peer.clone(), seq: envelope.seq });
                return;
            }
        }
        let Some(name) = &envelope.execution else { return };
        let (origin, epoch) = (name.origin.as_ref().unwrap_or(peer), name.epoch);
        let execution = Execution { origin, epoch, counter: name.counter };
        let (lane, remaining_ns) = (envelope.lane, envelope.remaining_ns);
        // All payloads of a wire stand side by side, in their order.
        let mut fills = envelope.fills.as_mut_slice();
        while let Some(first) = fills.first() {
            let Some((graph, place, recv)) = self.addresses.get(&first.address).copied() else {
                self.fault(peer, None, ReceiveFault::UnknownSite);
                fills = &mut fills[1..];
                continue;
            };
            let Some(plan) = self.place_of(graph, place) else { return };
            let it = plan.recv(recv);
            let count = it.payloads.len();
            let whole = |f: &[Fill]| f.iter().zip(&it.payloads).all(|(f, p)| f.address == p.1);
            if !fills.get(..count).is_some_and(whole) {
                self.fault(peer, Some(it.wire), ReceiveFault::Incomplete);
                fills = &mut fills[1..];
                continue;
            }
            let (of_wire, rest) = fills.split_at_mut(count);
            let execution = &execution;
            let m = Message { peer, from, holder, execution, graph, recv, place: &plan, plan: it, lane, remaining_ns };
            self.deliver(&m, of_wire);
            self.settle();
            self.came_to = Some((graph, place, plan));
            fills = rest;
        }
    }

    /// A place's plan, to be kept at hand once a message for it is delivered.
    fn place_of(&mut self, graph: GraphId, place: u32) -> Option<Arc<PlacePlan>> {
        match self.came_to.take() {
            Some((last_graph, last_place, plan)) if (last_graph, last_place) == (graph, place) => Some(plan),
            _ => self.graphs[graph.0 as usize].places[place as usize].clone(),
        }
    }

    fn fault(&mut self, peer: &PeerId, wire: Option<u64>, kind: ReceiveFault) {
        self.event(Event::WireReceiveError { peer: peer.clone(), wire, kind });
    }

    fn deliver(&mut self, m: &Message, fills: &mut [Fill]) {
        // What this node says to itself is of a program that it runs.
        let own = *m.peer == self.config.peer;
        let admitted = match self.peers.admitted(m.from, m.graph, m.plan.from_place) {
            _ if own => self.peers.hosts_class(&m.plan.from_class),
            Some(admitted) => admitted,
            None => return self.fault(m.peer, Some(m.plan.wire), ReceiveFault::ForeignProgram),
        };
        let needs_lane = m.place.each || m.plan.lanes.is_some();
        if needs_lane != m.lane.is_some() {
            return self.fault(m.peer, Some(m.plan.wire), ReceiveFault::Lane);
        }
        let Some(at) = self.frame_for(m, admitted) else { return };
        if !self.may_fill(m, at) {
            return self.event(m.unexpected());
        }
        let Some(frame) = self.frames.get(at) else { return };
        let lane = m.plan.lanes.and(m.lane);
        match (m.plan.lanes, lane) {
            (Some(lanes), Some(lane)) => {
                let state = frame.lanes[lanes.0 as usize].as_ref().and_then(|l| l.lane(lane)).map(|l| l.recv);
                match state {
                    Some(LaneRecv::Waiting) => {}
                    Some(LaneRecv::Filled) => return self.event(m.duplicate()),
                    Some(LaneRecv::Failed | LaneRecv::Closed) => return self.event(m.late()),
                    None => return self.fault(m.peer, Some(m.plan.wire), ReceiveFault::Lane),
                }
            }
            _ => match frame.recvs[m.recv.0 as usize] {
                RecvState::Waiting => {}
                RecvState::Filled(_) => return self.event(m.duplicate()),
                RecvState::Failed => return self.event(m.late()),
            },
        }
        for fill in &*fills {
            if let FillContent::Failure { code, message } = &fill.content {
                let cause = Cause { code: *code, message: message.clone(), quorum: None };
                return self.fail_recv(at, m.recv, lane, Arc::new(cause));
            }
        }
        let mut values = std::mem::take(&mut self.brought);
        let read = self.read(m, fills, &mut values).and_then(|()| self.of_one_size(m, at, &values));
        match read {
            Ok(()) => self.fill(m, at, lane, &mut values),
            Err(kind) => {
                let why = format!("what {} sent is not what the program says: {kind}", m.peer);
                self.fault(m.peer, Some(m.plan.wire), kind);
                self.refuse(m, at, lane, &why);
            }
        }
        values.clear();
        self.brought = values;
    }

    /// A wire's values came and are not taken: they will not come again, and their sender does not know.
    fn refuse(&mut self, m: &Message, at: FrameRef, lane: Option<u32>, why: &str) {
        if let Some(frame) = self.frames.get_mut(at) {
            frame.refused.push(Refused { sender: m.plan.sender, lane, by: m.peer.clone() });
        }
        let message = format!("wire {} was refused: {why}", m.plan.wire);
        let cause = Cause { code: FailureCode::SendRefused, message, quorum: None };
        self.fail_recv(at, m.recv, lane, Arc::new(cause));
    }

    /// The frame a message is for, opened if that is due.
    fn frame_for(&mut self, m: &Message, admitted: bool) -> Option<FrameRef> {
        let Execution { origin, epoch, counter } = *m.execution;
        let process = self.processes.find(origin, epoch);
        let own = process == Some(ProcessIx::OWN);
        if !own && *origin == self.config.peer {
            self.event(m.stale());
            return None;
        }
        if !admitted {
            self.event(m.unexpected());
            return None;
        }
        let lane = if m.place.each { m.lane.unwrap_or(NO_LANE) } else { NO_LANE };
        let key = |process| FrameKey { process, counter, graph: m.graph.0, place: m.place.place, lane };
        if let Some(at) = process.and_then(|process| self.frames.find(&key(process))) {
            return Some(at);
        }
        let entry_is_over = own && m.place.place == 0 && self.calls.is_over(counter);
        let has_ended = process.is_some_and(|process| self.ended.contains(&key(process)));
        if entry_is_over || (has_ended && !has(Bug::LateApplied)) {
            self.event(m.late());
            return None;
        }
        if m.place.place == 0 || (own && !self.calls.is_live(counter)) {
            self.event(m.stale());
            return None;
        }
        if m.plan.filler == Filler::Origin && m.peer != origin {
            self.event(m.unexpected());
            return None;
        }
        if m.remaining_ns == 0 {
            self.event(m.late());
            return None;
        }
        // What is left was written down half a round trip ago.
        let rest = Duration::from_nanos(m.remaining_ns).saturating_sub(self.peers.rtt(m.from) / 2);
        let deadline = if has(Bug::DeadlineAbsolute) { Time(m.remaining_ns) } else { self.now.after(rest) };
        let key = key(self.processes.intern(origin, epoch));
        self.open(key, m.place, deadline, None, m.holder, 0).ok()
    }

    fn may_fill(&self, m: &Message, at: FrameRef) -> bool {
        let Some(frame) = self.frames.get(at) else { return false };
        match &m.plan.filler {
            Filler::Origin => m.peer == m.execution.origin,
            Filler::Member => {
                let lanes = m.plan.lanes.and_then(|l| frame.lanes[l.0 as usize].as_ref());
                let member = m.lane.and_then(|lane| lanes?.members.get(lane as usize));
                member == Some(m.peer)
            }
            Filler::Named(site) => {
                frame.value(*site, None).and_then(Value::as_peer).is_none_or(|named| named == m.peer)
            }
            Filler::Same(recvs) => recvs.iter().all(|r| match frame.recvs[r.0 as usize] {
                RecvState::Filled(by) => by == m.from,
                _ => true,
            }),
        }
    }

    /// The values of a wire's payloads, taken from them.
    fn read(&mut self, m: &Message, fills: &mut [Fill], values: &mut Vec<Value>) -> Result<(), ReceiveFault> {
        for (fill, (site, _, hash)) in fills.iter_mut().zip(&m.plan.payloads) {
            let (value, type_hash) = match (&mut fill.content, m.plan.trigger_only) {
                (FillContent::Trigger { type_hash }, true) => (Value::Trigger, *type_hash),
                (FillContent::Payload { bytes, type_hash }, false) if type_hash == hash => {
                    let decoded = codec::decode(&m.place.site(*site).ty, std::mem::take(bytes));
                    let decoded = decoded.map_err(|e| ReceiveFault::Payload(e.to_string()))?;
                    let ty = &m.place.site(*site).ty;
                    if !super::calls::fits(&decoded.value, ty) {
                        return Err(ReceiveFault::Payload("it has another shape than the program says".into()));
                    }
                    for (peer, address) in decoded.addresses {
                        self.steps.push_back(EngineStep::Announced { peer, address });
                    }
                    (decoded.value, *type_hash)
                }
                (FillContent::Payload { type_hash, .. }, false) => (Value::Absent, *type_hash),
                _ => return Err(ReceiveFault::TransportMismatch),
            };
            if type_hash != *hash {
                return Err(ReceiveFault::TypeMismatch);
            }
            values.push(value);
        }
        Ok(())
    }

    /// A dimension's name is one size in an execution. What a lane says of one that the frame does not know is its own.
    fn of_one_size(&mut self, m: &Message, at: FrameRef, values: &[Value]) -> Result<(), ReceiveFault> {
        let Some(frame) = self.frames.get_mut(at) else { return Ok(()) };
        if m.place.names.is_empty() {
            return Ok(());
        }
        let mut sizes = frame.sizes.clone();
        for ((site, ..), value) in m.plan.payloads.iter().zip(values) {
            sizes.learn(&frame.plan, *site, value).map_err(ReceiveFault::Payload)?;
        }
        if m.plan.lanes.is_none() {
            frame.sizes = sizes;
        }
        Ok(())
    }

    /// Writes a wire's values and its sender, in one step.
    fn fill(&mut self, m: &Message, at: FrameRef, lane: Option<u32>, values: &mut Vec<Value>) {
        let sender = if m.plan.sender_read { m.peer.as_bytes().len() as u64 } else { 0 };
        let bytes = values.iter().map(Value::bytes).sum::<u64>() + sender;
        let Some(frame) = self.frames.get(at) else { return };
        if !self.shares.has_room(frame.holder, bytes) {
            self.limit(LimitKind::Bytes, Some(m.execution.id()));
            return self.refuse(m, at, lane, "its receiver holds as many bytes as it may");
        }
        match (m.plan.lanes, lane) {
            (Some(lanes), Some(lane)) => {
                self.lane_settled(at, lanes, lane, LaneRecv::Filled);
            }
            _ => {
                let Some(frame) = self.frames.get_mut(at) else { return };
                frame.recvs[m.recv.0 as usize] = RecvState::Filled(m.from);
                frame.open_recvs -= 1;
            }
        }
        for ((site, ..), value) in m.plan.payloads.iter().zip(values.drain(..)) {
            self.put(m.place, at, *site, lane, value);
        }
        if m.plan.sender_read {
            self.put(m.place, at, m.plan.sender, lane, Value::Peer(m.peer.clone()));
        }
        self.settle();
        self.end_if_done(at);
    }
}

/// What a message is of.
struct Execution<'a> {
    origin: &'a PeerId,
    epoch: u64,
    counter: u64,
}
impl Execution<'_> {
    fn id(&self) -> ExecutionId {
        ExecutionId { origin: self.origin.clone(), epoch: self.epoch, counter: self.counter }
    }
}

/// A wire's fills on their way to their Recv.
struct Message<'a> {
    peer: &'a PeerId,
    from: PeerIx,
    holder: Holder,
    execution: &'a Execution<'a>,
    graph: GraphId,
    place: &'a Arc<PlacePlan>,
    recv: RecvIx,
    plan: &'a RecvPlan,
    lane: Option<u32>,
    remaining_ns: u64,
}

impl Message<'_> {
    fn parts(&self) -> (ExecutionId, u64, Option<u32>, PeerId) {
        (self.execution.id(), self.plan.wire, self.lane, self.peer.clone())
    }
    fn late(&self) -> Event {
        let (execution, wire, lane, peer) = self.parts();
        Event::Late { execution, wire, lane, peer }
    }
    fn stale(&self) -> Event {
        let (execution, wire, lane, peer) = self.parts();
        Event::Stale { execution, wire, lane, peer }
    }
    fn duplicate(&self) -> Event {
        let (execution, wire, lane, peer) = self.parts();
        Event::DuplicateFill { execution, wire, lane, peer }
    }
    fn unexpected(&self) -> Event {
        let (execution, wire, lane, peer) = self.parts();
        Event::UnexpectedSender { execution, wire, lane, peer }
    }
}
