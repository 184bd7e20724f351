//! From one thing that happens to the next.

use super::ways::WayIx;
use super::{NodeIx, World};
use crate::node::{Command, Stable, peer_id};
use crate::trace::{Row, What};
use crate::wrong::WrongCall;
use bb::engine::{CommandId, ComponentFailure, ComponentId, EngineStep, Input, Refusal, SendId, Time};
use bb::ir::value::Value;
use bytes::Bytes;
use std::time::Duration;

/// Steps without time passing after which a world is taken to run in circles.
const STEPS_AT_ONCE_MAX: u64 = 10_000_000;

/// Something that is to happen.
pub(super) enum Due {
    Deliver {
        way: WayIx,
        from: NodeIx,
        to: NodeIx,
        connection: u64,
        frame: Bytes,
    },
    Hello {
        from: NodeIx,
        to: NodeIx,
        connection: u64,
        hello: Bytes,
    },
    Lost {
        node: NodeIx,
        peer: NodeIx,
    },
    Completed {
        node: NodeIx,
        start: u64,
        command: CommandId,
        result: Result<Vec<Value>, ComponentFailure>,
    },
    Refused {
        node: NodeIx,
        start: u64,
        send: SendId,
        reason: Refusal,
    },
    /// A message has waited long enough; `nowhere`: for nobody of this world.
    Unreachable {
        node: NodeIx,
        start: u64,
        send: SendId,
        nowhere: bool,
    },
    Wake {
        node: NodeIx,
        start: u64,
    },
    Written {
        node: NodeIx,
        start: u64,
        id: u64,
        stable: Stable,
    },
    Act(Box<dyn FnOnce(&mut World)>),
}

impl World {
    /// Runs until nothing is left to happen, or `limit` has passed since the world began.
    pub fn run(&mut self, limit: Duration) {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        while let Some(due) = self.next(limit) {
            self.happens(due);
        }
    }
    /// Runs all that happens up to `until` since the world began, and lets the clock stand there.
    pub fn run_until(&mut self, until: Duration) {
        self.run(until);
        self.now = self.now.max(until.as_nanos() as u64);
    }

    /// Lets the next thing happen; false where nothing is left.
    pub fn step(&mut self) -> bool {
        let next = self.next(u64::MAX);
        next.map(|due| self.happens(due)).is_some()
    }

    /// What happens next, if that is no later than `limit`, and lets the clock show its time.
    fn next(&mut self, limit: u64) -> Option<Due> {
        if let Some(due) = self.chosen() {
            return Some(due);
        }
        let (at, due) = self.queue.pop(limit)?;
        self.now = self.now.max(at);
        Some(due)
    }

    fn happens(&mut self, due: Due) {
        self.events += 1;
        match due {
            Due::Hello { from, to, connection, hello } => {
                if self.connection(from, to) == Some(connection) {
                    self.handle(to, Input::Connected { peer: self.nodes[from.0].peer.clone(), hello });
                }
            }
            Due::Deliver { way, from, to, connection, frame } => {
                if self.ways[way].connection == Some(connection) {
                    self.note(to, || What::Received { from, bytes: frame.len(), frame: frame.clone() });
                    self.handle(to, Input::Received { peer: peer_id(from.0), frame });
                }
            }
            Due::Lost { node, peer } => {
                self.handle(node, Input::Disconnected { peer: self.nodes[peer.0].peer.clone() });
            }
            Due::Act(act) => act(self),
            Due::Completed { node, start, command, result } => {
                if self.alive(node, start) {
                    if let Some(running) = &mut self.nodes[node.0].running {
                        running.ran(command);
                    }
                    self.handle(node, Input::Completed { command, result });
                }
            }
            Due::Refused { node, start, send, reason } => {
                if self.alive(node, start) {
                    self.handle(node, Input::Refused { send, reason });
                }
            }
            Due::Unreachable { node, start, send, nowhere } => {
                let of = self.waiting.range_mut((node, NodeIx(0))..(NodeIx(node.0 + 1), NodeIx(0)));
                let waited = of.fold(false, |waited, (_, all)| all.remove(&send).is_some() || waited);
                if self.alive(node, start) && (waited || nowhere) {
                    self.handle(node, Input::Refused { send, reason: Refusal::Unreachable });
                }
            }
            Due::Written { node, start, id, stable } => {
                if self.alive(node, start) {
                    self.nodes[node.0].stable = Some(stable);
                    if let Some(running) = &mut self.nodes[node.0].running {
                        running.engine.checkpoint_durable(id);
                    }
                    self.drain(node);
                }
            }
            Due::Wake { node, start } => {
                // One that was set before an earlier one may be there still.
                if self.alive(node, start) && self.nodes[node.0].wake_at == Some(self.now) {
                    self.nodes[node.0].wake_at = None;
                    self.handle(node, Input::Tick);
                }
            }
        }
    }

    pub(super) fn alive(&self, node: NodeIx, start: u64) -> bool {
        let it = &self.nodes[node.0];
        it.running.is_some() && it.starts == start
    }
    pub(super) fn note(&mut self, node: NodeIx, what: impl FnOnce() -> What) {
        if self.traced {
            self.trace.push(Row { at: Duration::from_nanos(self.now), node, what: what() });
        }
    }
    pub(super) fn later(&mut self, after: Duration, due: Due) {
        self.at(self.now.saturating_add(after.as_nanos() as u64), due);
    }
    pub(super) fn at(&mut self, at: u64, due: Due) {
        self.queue.push(at, due);
    }
    pub(super) fn clock(&self, node: NodeIx) -> Time {
        Time(self.now + self.nodes[node.0].clock_origin)
    }

    pub(super) fn handle(&mut self, node: NodeIx, input: Input) {
        let now = self.clock(node);
        if let Some(running) = &mut self.nodes[node.0].running {
            running.engine.handle(now, input);
            self.drain(node);
        }
    }

    /// What goes wrong with the call of a component that is made now.
    fn wrong(&mut self, node: NodeIx, component: ComponentId) -> Option<WrongCall> {
        let it = &mut self.nodes[node.0];
        if it.faulty.is_empty() {
            return None;
        }
        let slot = it.running.as_ref()?.slot(component)?;
        let faulty = it.faulty.iter_mut().find(|f| f.slot == slot)?;
        faulty.call(&self.fate, node.0, component.0 as usize)
    }
    /// Lets results go wrong as they were to, and counts it where they could.
    fn spoil(&mut self, node: NodeIx, wrong: Option<WrongCall>, result: &mut Result<Vec<Value>, ComponentFailure>) {
        let Some((wrong, strike)) = wrong else { return };
        if wrong.failure().is_none() {
            let Some(spoilt) = result.as_ref().ok().and_then(|values| wrong.results(values)) else { return };
            *result = Ok(spoilt);
        }
        self.fate.has_struck(strike);
        self.touched.insert((node, node));
        self.note(node, || What::WentWrong(wrong));
    }

    /// Does what the engine of `node` asks for, until it asks for nothing.
    pub(super) fn drain(&mut self, node: NodeIx) {
        let now = self.clock(node);
        let start = self.nodes[node.0].starts;
        let mut steps = 0u64;
        while let Some(step) = self.nodes[node.0].running.as_mut().and_then(|r| r.engine.poll(now)) {
            steps += 1;
            assert!(steps < STEPS_AT_ONCE_MAX, "node {} asks for more and more while no time passes", node.0);
            match step {
                EngineStep::Send(message) => self.send(node, message),
                EngineStep::Run { command, component, method, inputs } => {
                    let cost = (self.cost)(node, &method);
                    self.note(node, || What::Ran { method: method.clone() });
                    let wrong = self.wrong(node, component);
                    let run = Command { command, component, method, inputs };
                    let world_now = self.now;
                    let running = self.nodes[node.0].running.as_mut().expect("it was polled just now");
                    let (due, mut result) = running.run(world_now, cost, run, wrong.map(|(wrong, _)| wrong));
                    self.spoil(node, wrong, &mut result);
                    self.at(due, Due::Completed { node, start, command, result });
                }
                EngineStep::CallResolved { call, result, .. } => {
                    self.note(node, || What::Resolved(result.clone()));
                    if let Some(made) = self.calls.get_mut(call.0 as usize) {
                        made.answer = Some(result);
                    }
                }
                EngineStep::AppEvent { topic, value, .. } => self.note(node, || What::Output { topic, value }),
                EngineStep::Event(event) => {
                    if let Some(watch) = &mut self.watch {
                        watch(node, &event);
                    }
                    self.note(node, || What::Event(event));
                }
                EngineStep::Disconnect { peer, .. } => {
                    if let Some(other) = self.node_of(&peer) {
                        self.lose(node, other);
                    }
                }
                EngineStep::Announced { .. } => {}
            }
        }
        let it = &mut self.nodes[node.0];
        if let (Some(running), Some(writes_for)) = (&mut it.running, it.writes_for)
            && running.engine.wants_checkpoint()
        {
            let (id, stable) = running.checkpoint();
            self.later(writes_for, Due::Written { node, start, id, stable });
        }
        if let Some(at) = self.nodes[node.0].running.as_ref().and_then(|r| r.engine.deadline()) {
            let at = at.0.saturating_sub(self.nodes[node.0].clock_origin).max(self.now);
            if self.nodes[node.0].wake_at.is_none_or(|wake| at < wake) {
                self.nodes[node.0].wake_at = Some(at);
                self.at(at, Due::Wake { node, start });
            }
        }
    }
}
