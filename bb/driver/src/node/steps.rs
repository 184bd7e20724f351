//! What the engine says, done.

use super::Node;
use crate::components::{Answer, Job};
use crate::error::CallError;
use crate::event::{Event, Parting};
use crate::plane::Lost;
use bb_engine::{EngineStep, Input, LimitKind, Outgoing};
use tokio::time::Instant;

impl Node {
    pub(super) fn step(&mut self, step: EngineStep) {
        match step {
            EngineStep::Send(message) => self.send(message),
            EngineStep::Run { command, component, method, inputs } => {
                if let Some(answer) =
                    self.components.run(Job { command, component, method, inputs }, |c| self.engine.waits_for(c))
                {
                    self.answer(answer);
                }
            }
            EngineStep::CallResolved { call, result, .. } => {
                if let Some(reply) = self.calls.remove(&call) {
                    // The caller may be dropping it at this moment.
                    let _ = reply.send(result.map_err(CallError::Engine));
                }
            }
            EngineStep::AppEvent { graph, module_name, topic, value, execution } => {
                self.publish(Event::Output { graph, program: module_name, topic, value, execution });
            }
            EngineStep::Announced { peer, address } => {
                if self.announced(&peer, &address) {
                    self.tell_addresses(&peer);
                }
            }
            EngineStep::Disconnect { peer, reason } => self.peer_lost(&peer, Parting::Dismissed(reason)),
            EngineStep::Event(event) => self.on_event(event),
        }
    }

    fn on_event(&mut self, event: bb_engine::Event) {
        match &event {
            bb_engine::Event::MemberJoined { peer, class } | bb_engine::Event::MemberLeft { peer, class } => {
                let is_one = self.engine.is_member(class, peer);
                self.see(|s| s.is_member(class, peer, is_one));
                self.check_waiters();
            }
            // Members may have come and gone without an event.
            bb_engine::Event::LimitReached { limit: LimitKind::Steps, .. } => {
                let all = self.engine.classes();
                let all = all.map(|c| (c.to_owned(), self.engine.members(c).into_iter().collect())).collect();
                self.see(|s| s.members = all);
                self.check_waiters();
            }
            bb_engine::Event::OpenMembership { class } => {
                tracing::warn!(%class, "no list of members was given: whoever claims this class is one");
            }
            _ => {}
        }
        self.publish(Event::Engine(event));
    }

    pub(super) fn send(&mut self, message: Outgoing) {
        let to = message.peer.clone();
        if let Err(lost) = self.peers.send(&to, message, Instant::now) {
            self.lost(lost);
        }
    }

    pub(super) fn lost(&mut self, Lost { id, reason }: Lost) {
        self.tell(Input::Refused { send: id, reason });
    }

    pub(super) fn answer(&mut self, Answer { command, result }: Answer) {
        self.tell(Input::Completed { command, result });
    }
}
