//! Messages go out.

use super::Engine;
use super::frame::{Frame, FrameRef, NO_LANE};
use super::outbox::{Due, Sent};
use super::peers::PeerIx;
use super::shares::Holder;
use super::timers::Timer;
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{Cause, EngineStep, Event, Gate, GateReason, LimitKind};
use crate::input::{GraphId, Refusal, SendId};
use crate::outgoing::Outgoing;
use crate::plan::{Destination, NodeIx, NodeKind, SendPlan};
use crate::time::Time;
use bb_ir::codec::{self, Parts};
use bb_ir::envelope::{Envelope, Fill, FillContent, Fills};
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How long a message without fills may wait in the host's queue.
const BARE_WITHIN: Duration = Duration::from_secs(1);

/// Where a Send leads: the peer, the lane in the envelope, and the lane of this frame.
struct To {
    peer: PeerId,
    lane: Option<u32>,
    own_lane: Option<u32>,
}

/// What says of each of a Send's payloads that it will not come.
fn failure_fills(send: &SendPlan, cause: &Cause) -> Fills<Parts> {
    let content = || FillContent::Failure { code: cause.code, message: cause.message.clone() };
    send.payloads.iter().map(|(_, address, _)| Fill { address: *address, content: content() }).collect()
}

/// The lane that a message of this frame to one peer names.
fn around(frame: &Frame, lane: Option<u32>) -> Option<u32> {
    if frame.plan.each { Some(frame.key.lane).filter(|l| *l != NO_LANE) } else { lane }
}

impl Engine {
    pub(super) fn send_plan(plan: &crate::plan::PlacePlan, node: NodeIx) -> Option<&SendPlan> {
        match &plan.node(node).kind {
            NodeKind::Send(send) => Some(send),
            _ => None,
        }
    }

    /// Whom a Send reaches; nobody where its peer is not there.
    fn destinations(&self, at: FrameRef, send: &SendPlan, lane: Option<u32>) -> impl Iterator<Item = To> + use<> {
        let (mut one, mut members) = (None, Vec::new());
        if let Some(frame) = self.frames.get(at) {
            let to = |peer: &PeerId| To { peer: peer.clone(), lane: around(frame, lane), own_lane: lane };
            match &send.peer {
                Destination::Static(peer) => one = Some(to(peer)),
                Destination::Site(site) => match frame.value(*site, lane) {
                    Some(Value::Peer(peer)) => one = Some(to(peer)),
                    Some(Value::Seq(all)) => {
                        let lanes = all.iter().filter_map(Value::as_peer).zip(u32::from(has(Bug::WrongLane))..);
                        let to =
                            |(peer, i): (&PeerId, u32)| To { peer: peer.clone(), lane: Some(i), own_lane: Some(i) };
                        members = lanes.map(to).collect();
                    }
                    Some(_) => {}
                    None => one = frame.refused.iter().find(|r| r.sender == *site && r.lane == lane).map(|r| to(&r.by)),
                },
            }
        }
        one.into_iter().chain(members)
    }

    /// A Send fires: one message, or one per lane.
    pub(super) fn send(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(send) = Self::send_plan(&plan, node) else { return };
        let deadline = send.deadline_ns.map(|ns| self.now.after(Duration::from_nanos(ns)));
        let expires = deadline.map_or(frame.deadline, |d| d.min(frame.deadline));
        let mut fills = Fills::with_capacity(send.payloads.len());
        for (site, address, type_hash) in &send.payloads {
            let content = if send.trigger_only {
                FillContent::Trigger { type_hash: *type_hash }
            } else {
                // An op fires when its inputs are there, and a Send's are never moved.
                let Some(value) = frame.value(*site, lane) else { return };
                FillContent::Payload {
                    bytes: codec::encode(value, &|p| self.peers.addresses(p)),
                    type_hash: *type_hash,
                }
            };
            fills.push(Fill { address: *address, content });
        }
        let wire = send.wire;
        let mut all = self.destinations(at, send, lane).peekable();
        while let Some(to) = all.next() {
            if expires <= self.now {
                self.too_late(at, send, to);
            } else {
                // The last one may have them.
                let fills = if all.peek().is_some() { fills.clone() } else { std::mem::take(&mut fills) };
                self.emit(at, wire, to, fills, expires);
            }
        }
        self.clocks_start(at, node, lane);
    }

    /// A Send will not fire: who would have got its message is told.
    pub(super) fn send_cancelled(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>, cause: &Arc<Cause>) {
        if has(Bug::FailureNotTold) {
            return;
        }
        if let Some(wire) = self.send_failure(at, node, lane, cause) {
            self.awaited_fails(at, wire, lane, cause);
        }
    }

    /// Tells by a failure fill; the wire.
    pub(super) fn send_failure(
        &mut self,
        at: FrameRef,
        node: NodeIx,
        lane: Option<u32>,
        cause: &Arc<Cause>,
    ) -> Option<u64> {
        let frame = self.frames.get(at)?;
        let (plan, expires) = (frame.plan.clone(), frame.deadline);
        let send = Self::send_plan(&plan, node)?;
        let (wire, fills) = (send.wire, failure_fills(send, cause));
        for to in self.destinations(at, send, lane) {
            self.emit(at, wire, to, fills.clone(), expires);
        }
        Some(wire)
    }

    /// A message for which there is no time left. Who would have got it learns: there may be time where that was called.
    fn too_late(&mut self, at: FrameRef, send: &SendPlan, to: To) {
        let Some((execution, expires)) = self.execution_of(at).zip(self.frames.get(at).map(|f| f.deadline)) else {
            return;
        };
        self.refuses(Gate::DeadlineCheck, GateReason::Deadline, &to.peer, Some(send.wire), Some(execution));
        let message = format!("there was no time left for a message to {}", to.peer);
        let cause = Arc::new(Cause { code: FailureCode::Deadline, message, quorum: None });
        self.awaited_fails(at, send.wire, to.own_lane, &cause);
        self.emit(at, send.wire, to, failure_fills(send, &cause), expires);
    }

    fn emit(&mut self, at: FrameRef, wire: u64, to: To, fills: Fills<Parts>, expires: Time) {
        let Some((key, holder)) = self.frames.get(at).map(|f| (f.key, f.holder)) else { return };
        let name = self.processes.name(&key);
        let to_me = to.peer == self.config.peer;
        let Some(peer) = self.intern_or_tell(&to.peer) else {
            let message = format!("nothing is sent to {}: this node knows as many peers as it may", to.peer);
            let cause = Arc::new(Cause { code: FailureCode::SendRefused, message, quorum: None });
            return self.awaited_fails(at, wire, to.own_lane, &cause);
        };
        if !to_me && let Err(reason) = self.tx_gates(peer, &to.peer, wire, &key) {
            let message = format!("nothing is sent to {}: {reason}", to.peer);
            let cause = Arc::new(Cause { code: FailureCode::SendRefused, message, quorum: None });
            return self.awaited_fails(at, wire, to.own_lane, &cause);
        }
        if !to_me && self.peers.runs_another(peer, GraphId(key.graph)) {
            let (execution, code) = (self.processes.execution(&key), FailureCode::SendRefused);
            let message = format!("nothing is sent to {}: it does not run this build of the program", to.peer);
            self.event(Event::SendFailed { execution, wire, peer: to.peer, code });
            return self.awaited_fails(at, wire, to.own_lane, &Arc::new(Cause { code, message, quorum: None }));
        }
        let ack = self.peers.arrived(peer);
        let (outbox, rtt) = self.peers.outbox(peer);
        let rtt = rtt.report(wire).into_iter().collect();
        let seq = outbox.next_number();
        let id = SendId { peer: peer.0, seq };
        let envelope = Envelope { execution: Some(name), lane: to.lane, fills, rtt, ..Envelope::bare(seq, ack) };
        let outgoing = Outgoing { id, peer: to.peer, expires, envelope: Arc::new(envelope) };
        self.counters.accepted += 1;
        let limits = &self.config.limits;
        let full = outbox.bytes() + outgoing.bytes() as u64 > limits.unacknowledged_bytes_max
            || outbox.len() >= limits.unacknowledged_max;
        let sent = Sent { frame: at, wire, lane: to.own_lane, outgoing };
        if full {
            self.limit(LimitKind::Unacknowledged, Some(self.processes.execution(&key)));
            return self.not_delivered(sent, FailureCode::SendRefused);
        }
        if to_me {
            self.loopback.push_back((sent, holder));
            return;
        }
        outbox.push(sent, self.now);
        self.pressure(peer);
        self.go_out(peer);
    }

    /// Sends what the window to a peer has room for.
    fn go_out(&mut self, ix: PeerIx) {
        let (now, mut some) = (self.now, false);
        while let Some((number, message)) = self.peers.outbox(ix).0.go_out(now) {
            some = true;
            match message {
                Some(outgoing) => {
                    self.peers.ack_owed(ix);
                    self.tell(EngineStep::Send(outgoing));
                }
                None => self.bare(ix, number),
            }
        }
        let (outbox, rtt) = self.peers.outbox(ix);
        if some && outbox.needs_timer(now, rtt) {
            self.look_after(ix);
        }
    }

    /// A message to this node itself arrives, or is more than a frame may hold.
    pub(super) fn looped_back(&mut self, sent: Sent, holder: Holder) {
        if sent.outgoing.is_expired(self.now) {
            return self.not_delivered(sent, FailureCode::Deadline);
        }
        let frame: Bytes = sent.outgoing.encode(self.now).concat().into();
        match bb_ir::envelope::decode(frame, &self.config.limits.wire) {
            Ok(envelope) => {
                self.counters.delivered += 1;
                let me = self.config.peer.clone();
                let ix = self.peers.intern(&me);
                self.accepted(&me, ix, holder, &mut Envelope { seq: 0, ..envelope });
            }
            Err(_) => self.not_delivered(sent, FailureCode::SendRefused),
        }
    }

    /// An acknowledgement that nothing else has carried.
    pub(super) fn acknowledge(&mut self, peer: PeerIx) {
        // To itself a node says nothing over a connection.
        if self.peers.ack_owed(peer) && self.peers.id(peer) != self.config.peer {
            self.bare(peer, 0);
        }
    }

    /// A number, or none, and what has arrived.
    pub(super) fn bare(&mut self, ix: PeerIx, seq: u64) {
        if seq > 0 && has(Bug::NumberSkipped) {
            return;
        }
        let (peer, ack) = (self.peers.id(ix), self.peers.arrived(ix));
        let id = SendId { peer: ix.0, seq: self.peers.unnumbered(ix) };
        let expires = self.now.after(BARE_WITHIN);
        let envelope = Arc::new(Envelope::bare(seq, ack));
        self.tell(EngineStep::Send(Outgoing { id, peer, expires, envelope }));
    }

    /// The host could not send a message.
    pub(super) fn refused(&mut self, send: SendId, reason: Refusal) {
        let ix = PeerIx(send.peer);
        // It may have been for a peer that is forgotten.
        if !self.peers.is_of(ix, send.seq) {
            return;
        }
        match reason {
            Refusal::Unreachable => {
                self.peer_fails(ix, FailureCode::Unreachable);
                self.give_up(ix, send.seq, FailureCode::Unreachable);
            }
            Refusal::Expired => _ = self.give_up(ix, send.seq, FailureCode::Deadline),
            // It has gone out once, and is not known to be lost.
            Refusal::QueueFull if self.peers.outbox(ix).0.was_sent_again(send.seq) => {}
            Refusal::QueueFull | Refusal::TooLarge => {
                if reason == Refusal::QueueFull {
                    self.peer_fails(ix, FailureCode::SendRefused);
                }
                if self.give_up(ix, send.seq, FailureCode::SendRefused) {
                    // Its number would be waited for: it goes out without fills.
                    self.send_again(ix, send.seq);
                }
            }
            // The peer is lost, or is connected again: either says what becomes of it.
            Refusal::PeerLost => {}
        }
    }

    /// Sends what is in flight under a number once more; of what was given up the number alone.
    pub(super) fn send_again(&mut self, ix: PeerIx, number: u64) {
        let now = self.now;
        self.counters.sent_again += 1;
        match self.peers.outbox(ix).0.again(number, now) {
            Some(outgoing) => self.tell(EngineStep::Send(outgoing)),
            None => self.bare(ix, number),
        }
    }

    /// A message in flight will not be delivered; whether it was in flight.
    pub(super) fn give_up(&mut self, ix: PeerIx, number: u64, code: FailureCode) -> bool {
        let sent = self.peers.outbox(ix).0.give_up(number);
        let given_up = sent.is_some();
        if let Some(sent) = sent {
            self.not_delivered(sent, code);
            self.pressure(ix);
        }
        given_up
    }

    /// A message was not delivered: its lane or frame learns.
    fn not_delivered(&mut self, sent: Sent, code: FailureCode) {
        self.counters.failed(code);
        let (execution, peer) = (sent.execution(&self.config.peer), sent.outgoing.peer);
        let message = format!("a message to {peer} was not delivered");
        self.event(Event::SendFailed { execution, wire: sent.wire, peer, code });
        let cause = Arc::new(Cause { code, message, quorum: None });
        self.awaited_fails(sent.frame, sent.wire, sent.lane, &cause);
    }

    /// Everything up to `ack` has arrived at the peer.
    pub(super) fn acknowledged(&mut self, ix: PeerIx, ack: u64) {
        let (outbox, rtt) = self.peers.outbox(ix);
        let settled = outbox.acknowledged(ack, self.now);
        if let Some(took) = settled.took {
            rtt.sample(took);
        }
        let rarely = outbox.heard();
        self.peers.meets(ix, ack);
        self.peer_answers(ix, settled.took);
        if settled.numbers > 0 {
            self.counters.delivered += settled.messages;
            self.pressure(ix);
            self.go_out(ix);
        }
        if rarely {
            self.look_after(ix);
        }
    }

    /// Does what is due about messages in flight to a peer, and sets the timer for the next time.
    pub(super) fn look_after(&mut self, ix: PeerIx) {
        let (now, connected) = (self.now, self.peers.is_connected(&self.peers.id(ix)));
        let durable = self.config.durable;
        let (outbox, rtt) = self.peers.outbox(ix);
        if !connected {
            outbox.forget_numbers(durable);
        }
        let (due, next) = outbox.due(now, rtt, connected);
        if let Some(next) = next {
            self.timers.set(next, Timer::InFlight { peer: ix });
        }
        for (number, due) in due {
            match due {
                Due::Again if has(Bug::ResendNever) => {}
                Due::Again => self.send_again(ix, number),
                Due::Lost => {
                    self.peer_fails(ix, FailureCode::PeerLost);
                    self.give_up(ix, number, FailureCode::PeerLost);
                }
                Due::Expired => {
                    // What nobody had time to acknowledge says nothing about the peer.
                    if self.peers.outbox(ix).0.was_sent_again(number) {
                        self.peer_fails(ix, FailureCode::Deadline);
                    }
                    self.give_up(ix, number, FailureCode::Deadline);
                    if connected && self.peers.outbox(ix).0.has_gone_out(number) {
                        self.send_again(ix, number);
                    }
                }
            }
        }
        if !connected {
            self.peers.outbox(ix).0.forget_numbers(durable);
        }
        self.settle();
    }
}

impl SendPlan {
    /// Whether a Send of this frame that has fired went to this peer.
    pub(super) fn reaches(&self, frame: &Frame, peer: &PeerId) -> bool {
        match &self.peer {
            Destination::Static(to) => to == peer,
            Destination::Site(site) => frame.value(*site, None).and_then(Value::as_peer) == Some(peer),
        }
    }
}
