//! The loop: what happens goes into the engine, what it says is done.

use super::swarm::BehaviourEvent;
use super::{Inbox, Node};
use crate::event::Event;
use crate::handle::{Order, Seen};
use bb_engine::Input;
use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// How many frames are taken before the engine runs.
const FRAMES_PER_TURN: usize = 64;
/// How many of the engine's steps are done before the rest of the world is looked at.
const STEPS_PER_TURN: usize = 4096;
/// And how many ops run before it is.
const OPS_PER_TURN: u32 = 100_000;

impl Node {
    /// Runs until it is told to stop, or nobody is left who could. `early` is what happened before.
    pub async fn run(mut self, mut inbox: Inbox, early: Vec<SwarmEvent<BehaviourEvent>>) {
        for event in early {
            self.on_swarm(event);
        }
        let stopped = loop {
            self.dial_due();
            self.settle();
            self.keep();
            let wake = self.wake();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(incoming) = inbox.incoming.recv() => {
                    self.on_incoming(incoming);
                    for _ in 1..FRAMES_PER_TURN {
                        let Ok(incoming) = inbox.incoming.try_recv() else { break };
                        self.on_incoming(incoming);
                    }
                }
                Some(done) = inbox.done.recv() => {
                    for answer in self.components.done(done) {
                        self.answer(answer);
                    }
                }
                Some(lost) = inbox.lost.recv() => self.lost(lost),
                Some(kept) = inbox.kept.recv() => self.on_kept(kept),
                Some(call) = inbox.dropped.recv() => self.drop_call(call),
                order = inbox.orders.recv() => match order {
                    None => break None,
                    Some(Order::Shutdown(reply)) => break Some(reply),
                    Some(order) => self.on_order(order),
                },
                Some(written) = self.writers.join_next() => self.on_written(written),
                Some(read) = self.readers.join_next() => self.on_read(read),
                () = tokio::time::sleep_until(wake) => self.on_time(),
            }
        };
        self.stop(inbox).await;
        if let Some(reply) = stopped {
            // Whoever asked may have gone.
            let _ = reply.send(());
        }
    }

    /// When something is to be done though nothing happens.
    fn wake(&self) -> Instant {
        let engine = self.engine.deadline().map(|t| self.clock.instant(t));
        let next = [engine, self.dialler.next(), self.peers.next(), self.book.next(), self.keep_again()];
        let next = next.into_iter().flatten().min();
        next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        for lost in self.peers.expired(now) {
            self.lost(lost);
        }
        for (peer, connection) in self.peers.silent(now) {
            self.refuse_stream(&peer, connection, crate::event::StreamFault::NoHello);
        }
        self.sweep_addresses(now);
        self.tell(Input::Tick);
    }

    /// Does what the engine says; whether it has more to say.
    pub(super) fn settle(&mut self) -> bool {
        let mut ops = OPS_PER_TURN;
        for _ in 0..STEPS_PER_TURN {
            let Some(step) = self.engine.poll_within(self.clock.now(), &mut ops) else { return ops == 0 };
            self.step(step);
        }
        true
    }

    pub(super) fn tell(&mut self, input: Input) {
        self.engine.handle(self.clock.now(), input);
    }

    pub(super) fn publish(&self, event: Event) {
        // An error means that nobody listens.
        let _ = self.events.send(event);
    }

    pub(super) fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
