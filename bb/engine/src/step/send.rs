//! Messages go out.

use super::Engine;
use super::frame::{FrameRef, NO_LANE};
use super::peers::PeerIx;
use crate::Value;
use crate::event::{Cause, EngineStep, Event};
use crate::input::{Refusal, SendId};
use crate::outgoing::Outgoing;
use crate::plan::{Destination, NodeIx, NodeKind, SendPlan};
use crate::time::Time;
use bb_ir::codec;
use bb_ir::envelope::{Envelope, ExecutionName, Fill, FillContent, Parts};
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A message that is on its way.
pub struct Sent {
    pub frame: FrameRef,
    pub wire: u64,
    /// The lane of this frame whose member it is for.
    pub lane: Option<u32>,
    pub peer: PeerIx,
    pub seq: u64,
    pub execution: Arc<crate::event::ExecutionId>,
}

/// Where a Send leads: the peer, the lane in the envelope, and the lane of this frame.
struct To {
    peer: PeerId,
    lane: Option<u32>,
    own_lane: Option<u32>,
}

impl Engine {
    pub(super) fn send_plan(plan: &crate::plan::PlacePlan, node: NodeIx) -> Option<&SendPlan> {
        match &plan.node(node).kind {
            NodeKind::Send(send) => Some(send),
            _ => None,
        }
    }

    /// Whom a Send reaches; nobody where its peer is not there.
    fn destinations(&self, at: FrameRef, send: &SendPlan, lane: Option<u32>) -> Vec<To> {
        let Some(frame) = self.frames.get(at) else { return Vec::new() };
        let value = match &send.peer {
            Destination::Static(peer) => Some(Value::Peer(peer.clone())),
            Destination::Site(site) => frame.value(*site, lane).cloned().or_else(|| {
                let sender = frame.refused.iter().find(|r| r.sender == *site && r.lane == lane);
                sender.map(|r| Value::Peer(r.by.clone()))
            }),
        };
        let around = if frame.plan.each { Some(frame.key.lane).filter(|l| *l != NO_LANE) } else { lane };
        match value {
            Some(Value::Peer(peer)) => vec![To { peer, lane: around, own_lane: lane }],
            Some(Value::Seq(members)) => {
                let members = members.iter().filter_map(|m| m.as_peer().cloned());
                members.zip(0u32..).map(|(peer, i)| To { peer, lane: Some(i), own_lane: Some(i) }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A Send fires: one message, or one per lane.
    pub(super) fn send(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let Some(send) = Self::send_plan(&plan, node) else { return };
        let deadline = send.deadline_ns.map(|ns| self.now.after(Duration::from_nanos(ns)));
        let expires = deadline.map_or(frame.deadline, |d| d.min(frame.deadline));
        let mut fills = Vec::with_capacity(send.payloads.len());
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
        for to in self.destinations(at, send, lane) {
            self.emit(at, wire, to, fills.clone(), expires);
        }
        self.clocks_start(at, node, lane);
    }

    /// A Send will not fire: who would have got its message is told.
    pub(super) fn send_cancelled(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>, cause: &Arc<Cause>) {
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
        let fills: Vec<Fill<Parts>> = send
            .payloads
            .iter()
            .map(|(_, address, _)| Fill {
                address: *address,
                content: FillContent::Failure { code: cause.code, message: cause.message.clone() },
            })
            .collect();
        let wire = send.wire;
        for to in self.destinations(at, send, lane) {
            self.emit(at, wire, to, fills.clone(), expires);
        }
        Some(wire)
    }

    fn emit(&mut self, at: FrameRef, wire: u64, to: To, fills: Vec<Fill<Parts>>, expires: Time) {
        let Some(frame) = self.frames.get(at) else { return };
        let execution = frame.key.execution.clone();
        let me = &self.config.peer;
        let name = ExecutionName {
            origin: (execution.origin != *me).then(|| execution.origin.clone()),
            epoch: execution.epoch,
            counter: execution.counter,
        };
        let to_me = to.peer == *me;
        let peer = self.peers.intern(&to.peer);
        let (seq, ack) = self.peers.number(peer);
        let id = SendId(self.next_send);
        self.next_send += 1;
        let mut envelope = Envelope { execution: Some(name), lane: to.lane, fills, ..Envelope::bare(seq, ack) };
        self.sends.insert(id, Sent { frame: at, wire, lane: to.own_lane, peer, seq, execution });
        if to_me {
            envelope.remaining_ns = self.now.until(expires).as_nanos() as u64;
            let pieces = bb_ir::envelope::encode(&envelope);
            self.loopback.push_back((id, pieces.concat().into()));
            return;
        }
        self.peers.sent(peer, seq, id);
        self.steps.push_back(EngineStep::Send(Outgoing { id, peer: to.peer, expires, envelope }));
    }

    /// A message to this node itself arrives, or is more than a frame may hold.
    pub(super) fn looped_back(&mut self, send: SendId, frame: Bytes) {
        match bb_ir::envelope::decode(frame, &self.config.limits.wire) {
            Ok(envelope) => {
                self.sends.remove(&send);
                let me = self.config.peer.clone();
                self.accepted(&me, &envelope);
            }
            Err(_) => self.send_failed(send, FailureCode::SendRefused),
        }
    }

    /// An acknowledgement that nothing else has carried.
    pub(super) fn acknowledge(&mut self, peer: PeerIx) {
        if self.peers.ack_owed(peer) {
            self.bare(peer, 0);
        }
    }

    /// A number, or none, and what has arrived.
    fn bare(&mut self, peer: PeerIx, seq: u64) {
        let (peer, ack) = (self.peers.id(peer), self.peers.arrived(peer));
        let id = SendId(self.next_send);
        self.next_send += 1;
        let expires = self.now.after(Duration::from_secs(1));
        self.steps.push_back(EngineStep::Send(Outgoing { id, peer, expires, envelope: Envelope::bare(seq, ack) }));
    }

    /// The host could not send a message.
    pub(super) fn refused(&mut self, send: SendId, reason: Refusal) {
        let code = match reason {
            Refusal::Unreachable => FailureCode::Unreachable,
            Refusal::QueueFull | Refusal::TooLarge => FailureCode::SendRefused,
            Refusal::Expired => FailureCode::Deadline,
            Refusal::PeerLost => FailureCode::PeerLost,
        };
        if let (Refusal::QueueFull | Refusal::TooLarge, Some(sent)) = (reason, self.sends.get(&send)) {
            // Its number would be waited for: it goes out without fills.
            self.bare(sent.peer, sent.seq);
        }
        self.send_failed(send, code);
    }

    /// A message was not delivered: its lane or frame learns.
    pub(super) fn send_failed(&mut self, send: SendId, code: FailureCode) {
        // One that was acknowledged, or that carried nothing, is not in the table.
        let Some(sent) = self.sends.remove(&send) else { return };
        self.peers.given_up(sent.peer, sent.seq);
        let peer = self.peers.id(sent.peer);
        let message = format!("a message to {peer} was not delivered");
        self.event(Event::SendFailed { execution: (*sent.execution).clone(), wire: sent.wire, peer, code });
        let cause = Arc::new(Cause { code, message, quorum: None });
        self.awaited_fails(sent.frame, sent.wire, sent.lane, &cause);
    }
}
