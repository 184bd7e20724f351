//! The loop: what happens goes into the engine, what it says is done.

use super::keep::Kept;
use super::swarm::BehaviourEvent;
use super::{Inbox, Node};
use crate::components::Done;
use crate::event::Event;
use crate::handle::{Order, Seen};
use crate::plane::{Incoming, Lost};
use bb_engine::{CallId, Input};
use futures::{FutureExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use std::io;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio::time::Instant;

/// How many orders, or frames, are taken before the engine runs: all of them, and answers to the first would wait for the last.
const TAKEN_PER_TURN: usize = 256;
/// How many of the engine's steps are done before the rest of the world is looked at.
pub(super) const STEPS_PER_TURN: usize = 4096;
/// And how many ops run before it is.
const OPS_PER_TURN: u32 = 100_000;
/// After how many turns the swarm is asked first.
const TURNS_PER_LOOK: u32 = 16;
/// And how much of what it has is then taken.
const EVENTS_PER_LOOK: usize = 64;
/// How many steps are done at one time of the clock.
const STEPS_PER_TIME: usize = 64;
/// After how many steps of a turn others come first.
const STEPS_PER_YIELD: usize = 64;
/// How many steps are done before writers are woken for what they are to write.
const STEPS_PER_RING: usize = 256;

/// What has happened.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
enum Turn {
    Swarm(SwarmEvent<BehaviourEvent>),
    Incoming(Incoming),
    Done(Done),
    Lost(Lost),
    Kept(Kept),
    Dropped(CallId),
    Order(Option<Order>),
    Written(Result<io::Result<()>, JoinError>),
    Read(Result<(), JoinError>),
    Time,
}

impl Node {
    /// Runs until it is told to stop, or nobody is left who could. `early` is what happened before.
    pub async fn run(mut self, mut inbox: Inbox, early: Vec<SwarmEvent<BehaviourEvent>>) {
        for event in early {
            self.on_swarm(event);
        }
        let mut turns = 0u32;
        let stopped = loop {
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(TURNS_PER_LOOK) {
                self.look();
            }
            self.dial_due();
            if self.settle() >= STEPS_PER_YIELD {
                // Writers wait for this task, on whose thread they were woken, to pause.
                tokio::task::yield_now().await;
            }
            self.keep();
            let turn = self.turn(&mut inbox).await;
            self.now = self.clock.now();
            match turn {
                Turn::Swarm(event) => self.on_swarm(event),
                Turn::Incoming(incoming) => {
                    let mut taken = self.on_incoming(incoming);
                    while taken < TAKEN_PER_TURN {
                        let Ok(incoming) = inbox.incoming.try_recv() else { break };
                        taken += self.on_incoming(incoming);
                    }
                }
                Turn::Done(done) => {
                    self.on_done(done);
                    for _ in 1..TAKEN_PER_TURN {
                        let Ok(done) = inbox.done.try_recv() else { break };
                        self.on_done(done);
                    }
                }
                Turn::Lost(lost) => self.lost(lost),
                Turn::Kept(kept) => self.on_kept(kept),
                Turn::Dropped(call) => self.drop_call(call),
                Turn::Order(None) => break None,
                Turn::Order(Some(order)) => {
                    if let Some(reply) = self.on_orders(order, &mut inbox) {
                        break Some(reply);
                    }
                }
                Turn::Written(written) => self.on_written(written),
                Turn::Read(read) => self.on_read(read),
                Turn::Time => self.on_time(),
            }
        };
        self.stop(inbox).await;
        if let Some(reply) = stopped {
            // Whoever asked may have gone.
            let _ = reply.send(());
        }
    }

    /// Takes what the swarm has, where others may always have something. Nobody waits here: before this task pauses, the
    /// swarm is asked again.
    fn look(&mut self) {
        self.now = self.clock.now();
        for _ in 0..EVENTS_PER_LOOK {
            let Some(event) = self.swarm.next().now_or_never().flatten() else { break };
            self.on_swarm(event);
        }
    }

    /// What happens next. To ask the swarm costs most and has an answer least often: it is asked last. Of the others none can
    /// keep the rest waiting: who is asked first is drawn, and what each has is taken in bounded portions.
    async fn turn(&mut self, inbox: &mut Inbox) -> Turn {
        let wake = self.wake();
        let messages = async {
            tokio::select! {
                Some(incoming) = inbox.incoming.recv() => Turn::Incoming(incoming),
                Some(done) = inbox.done.recv() => Turn::Done(done),
                Some(lost) = inbox.lost.recv() => Turn::Lost(lost),
                Some(kept) = inbox.kept.recv() => Turn::Kept(kept),
                Some(call) = inbox.dropped.recv() => Turn::Dropped(call),
                order = inbox.orders.recv() => Turn::Order(order),
                Some(written) = self.writers.join_next() => Turn::Written(written),
                Some(read) = self.readers.join_next() => Turn::Read(read),
                () = tokio::time::sleep_until(wake) => Turn::Time,
            }
        };
        tokio::select! {
            biased;
            turn = messages => turn,
            event = self.swarm.select_next_some() => Turn::Swarm(event),
        }
    }

    /// Does what handles want; whom to tell that it has stopped, if one wants that.
    fn on_orders(&mut self, first: Order, inbox: &mut Inbox) -> Option<oneshot::Sender<()>> {
        let mut next = Some(first);
        for _ in 0..TAKEN_PER_TURN {
            match next.take().or_else(|| inbox.orders.try_recv().ok()) {
                None => break,
                Some(Order::Shutdown(reply)) => return Some(reply),
                Some(order) => self.on_order(order),
            }
        }
        None
    }

    fn on_done(&mut self, done: Done) {
        for answer in self.components.done(done, |c| self.engine.waits_for(c)) {
            self.answer(answer);
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

    /// Does what the engine says; how many steps it took. It has more to say where they are all that it may take.
    pub(super) fn settle(&mut self) -> usize {
        let steps = self.steps();
        self.peers.ring();
        steps
    }

    fn steps(&mut self) -> usize {
        let mut ops = OPS_PER_TURN;
        for number in 0..STEPS_PER_TURN {
            if number % STEPS_PER_TIME == 0 {
                self.now = self.clock.now();
            }
            if number % STEPS_PER_RING == 0 {
                self.peers.ring();
            }
            let Some(step) = self.engine.poll_within(self.now, &mut ops) else {
                return if ops == 0 { STEPS_PER_TURN } else { number };
            };
            self.step(step);
        }
        STEPS_PER_TURN
    }

    pub(super) fn tell(&mut self, input: Input) {
        self.engine.handle(self.now, input);
    }

    pub(super) fn publish(&self, event: Event) {
        // An error means that nobody listens.
        let _ = self.events.send(event);
    }

    pub(super) fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
