//! Bootstraps (SEMANTICS 1.13): what runs once per start, before components do anything for calls.
//!
//! One that takes values begins when they are staged, any other with the first poll. It is a frame like others, of execution 0, at a place that no wire leads to. While it is due or runs, methods of the
//! components that it touches are kept back, each in its turn; once it has ended well nothing asks for it any more.

use super::frame::{FrameKey, FrameRef, NO_LANE};
use super::processes::ProcessIx;
use super::{Engine, Ready};
use crate::Value;
use crate::bugs::{Bug, has};
use crate::error::StageError;
use crate::event::{CallError, Cause, Event};
use crate::input::{Arg, ComponentId, GraphId};
use crate::plan::{BootstrapPlan, GraphSlot, SiteIx, Sizes};
use crate::rust;
use bb_ir::failure::FailureCode;
use bb_ir::limits::REMAINING_NS_MAX;
use bb_ir::names;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The number of the execution that a bootstrap is: calls count from 1.
const EXECUTION: u64 = 0;

/// How far a bootstrap is.
#[derive(Clone, Debug)]
pub enum State {
    /// It begins with the poll behind the last of its inputs.
    Due(Vec<Option<Value>>),
    Running(FrameRef),
    Done,
    Failed(Arc<Cause>),
}

impl State {
    /// Of one for which nothing is staged.
    pub fn of(plan: &BootstrapPlan) -> Self {
        State::Due(vec![None; plan.inputs.len()])
    }
    /// Whether all is there that it waits for.
    fn is_due(&self) -> bool {
        matches!(self, State::Due(staged) if staged.iter().all(Option::is_some))
    }
}

struct Bootstrap {
    state: State,
    /// Methods of calls that wait for its end, in the order in which they could fire.
    waiting: VecDeque<Ready>,
}

/// The bootstraps of all graphs that have one.
#[derive(Default)]
pub struct Bootstraps {
    by_graph: BTreeMap<GraphId, Bootstrap>,
    /// How many are not done: while there are none, nothing is looked up.
    open: usize,
}

impl Bootstraps {
    /// That of a graph that has just been installed.
    pub fn add(&mut self, graph: &GraphSlot) {
        if let Some(bootstrap) = &graph.bootstrap {
            self.put(graph.id, State::of(bootstrap));
        }
    }
    pub fn put(&mut self, graph: GraphId, state: State) {
        self.by_graph.insert(graph, Bootstrap { state, waiting: VecDeque::new() });
        self.open = self.by_graph.values().filter(|b| !matches!(b.state, State::Done)).count();
    }
    /// Whether one is to begin.
    pub fn is_due(&self) -> bool {
        self.open > 0 && self.by_graph.values().any(|b| b.state.is_due())
    }
    pub fn state(&self, graph: GraphId) -> Option<&State> {
        self.by_graph.get(&graph).map(|b| &b.state)
    }
    /// All that waits.
    pub fn waiting(&self) -> impl Iterator<Item = &Ready> {
        self.by_graph.values().flat_map(|b| &b.waiting)
    }
    /// Why calls of this graph fail, where its bootstrap has.
    pub fn failure(&self, graph: GraphId) -> Option<&Arc<Cause>> {
        match self.by_graph.get(&graph).map(|b| &b.state) {
            Some(State::Failed(cause)) => Some(cause),
            _ => None,
        }
    }
    /// The graph whose bootstrap runs in that frame.
    fn running_in(&self, frame: FrameRef) -> Option<GraphId> {
        if self.open == 0 {
            return None;
        }
        let in_it = |b: &Bootstrap| matches!(b.state, State::Running(at) if at == frame);
        self.by_graph.iter().find(|(_, b)| in_it(b)).map(|(graph, _)| *graph)
    }
    /// Notes how far one is; what has waited, if nothing has to any more.
    fn set(&mut self, graph: GraphId, state: State) -> VecDeque<Ready> {
        let waiting = self.by_graph.remove(&graph).map(|b| b.waiting).unwrap_or_default();
        self.put(graph, state);
        waiting
    }
}

impl Engine {
    /// Hands in what a program's bootstrap takes by that name on the class this node hosts: one value, or those of a tuple;
    /// all or none. With the last of them the bootstrap begins. They are for this start of the node, like its components: a
    /// node that is started again is handed them again.
    ///
    /// # Errors
    /// Says why it cannot be; then nothing has changed.
    pub fn stage(&mut self, graph: GraphId, name: &str, args: Vec<Arg>) -> Result<(), StageError> {
        let slot = self.graphs.get(graph.0 as usize);
        let program = || slot.map(|s| s.program.to_string()).unwrap_or_default();
        let bootstrap = slot.and_then(|s| s.bootstrap.as_ref().zip(s.places.last()?.as_ref()));
        let inputs = bootstrap.map_or(&[][..], |(b, _)| &b.inputs);
        let names: Vec<String> = (0..args.len()).map(|i| names::output(name, i, args.len())).collect();
        let number = |name: &String| {
            inputs.iter().position(|input| *input.name == **name).ok_or_else(|| {
                let takes = inputs.iter().map(|input| input.name.to_string()).collect();
                StageError::NoSuchInput { program: program(), name: name.clone(), takes }
            })
        };
        let numbers = names.iter().map(number).collect::<Result<Vec<usize>, _>>()?;
        let (Some((_, plan)), Some(State::Due(staged))) = (bootstrap, self.bootstraps.state(graph)) else {
            return Err(StageError::Begun(program()));
        };
        let mut staged = staged.clone();
        for ((name, number), arg) in names.into_iter().zip(numbers).zip(args) {
            if staged[number].is_some() {
                return Err(StageError::AlreadyStaged(name));
            }
            let value = self.argument(graph, &arg, &inputs[number]);
            let wrong = || {
                let expected =
                    format!("it is a {}, this is a {}", rust::of_type(&inputs[number].ty), rust::of_arg(&arg));
                StageError::WrongType { name: name.clone(), expected }
            };
            staged[number] = Some(value.ok_or_else(wrong)?);
            let mut sizes = Sizes::of(plan);
            for (site, value) in plan.inputs.iter().zip(&staged) {
                let learnt = value.iter().try_for_each(|value| sizes.learn(plan, *site, value));
                learnt.map_err(|expected| StageError::WrongType { name: name.clone(), expected })?;
            }
        }
        if let Some(bootstrap) = self.bootstraps.by_graph.get_mut(&graph) {
            bootstrap.state = State::Due(staged);
        }
        Ok(())
    }

    /// Begins what is due.
    pub(super) fn begin_bootstraps(&mut self) {
        let due = |id: &GraphId| self.bootstraps.state(*id).is_some_and(State::is_due);
        let due: Vec<GraphId> = self.graphs.iter().map(|g| g.id).filter(due).collect();
        for graph in due {
            self.begin_bootstrap(graph);
        }
    }

    fn begin_bootstrap(&mut self, graph: GraphId) {
        let slot = &self.graphs[graph.0 as usize];
        let Some(place) = slot.bootstrap.as_ref().map(|b| b.place) else { return };
        let Some(plan) = slot.places[place as usize].clone() else { return };
        let (process, counter) = (ProcessIx::OWN, EXECUTION);
        let key = FrameKey { process, counter, graph: graph.0, place, lane: NO_LANE };
        // As long as anything may take: a component that never answers is to be seen at last.
        let deadline = self.now.after(Duration::from_nanos(REMAINING_NS_MAX));
        let Some(State::Due(staged)) = self.bootstraps.state(graph) else { return };
        let bytes = staged.iter().flatten().map(Value::bytes).sum();
        let frame = match self.open(key, &plan, deadline, None, None, bytes) {
            Ok(frame) => frame,
            Err(limit) => return self.bootstrap_fails(graph, &format!("it does not fit the node's limits: {limit:?}")),
        };
        let Some(bootstrap) = self.bootstraps.by_graph.get_mut(&graph) else { return };
        let State::Due(staged) = std::mem::replace(&mut bootstrap.state, State::Running(frame)) else { return };
        let staged = plan.inputs.iter().copied().zip(staged.into_iter().flatten());
        let all: Vec<(SiteIx, Value)> =
            plan.start.map(|start| (start, Value::Trigger)).into_iter().chain(staged).collect();
        let mut sizes = Sizes::of(&plan);
        for (site, value) in &all {
            // Each was compared with the others when it was staged.
            let _ = sizes.learn(&plan, *site, value);
        }
        if let Some(frame) = self.frames.get_mut(frame) {
            frame.sizes = sizes;
        }
        for (site, value) in all {
            self.write(frame, site, None, value);
        }
        self.settle();
        self.end_if_done(frame);
    }

    /// Whether a method is not run now since a bootstrap touches its component: it waits, or has failed with it.
    pub(super) fn kept_by_bootstrap(&mut self, ready: Ready, component: ComponentId) -> bool {
        if self.bootstraps.open == 0 || has(Bug::BootstrapNotAwaited) {
            return false;
        }
        let Ready { frame: at, node, lane } = ready;
        let Some(frame) = self.frames.get_mut(at) else { return false };
        let (graph, place) = (GraphId(frame.key.graph), frame.key.place);
        let touched = |b: &crate::plan::BootstrapPlan| b.place != place && b.touches.contains(&component);
        if !self.graphs[graph.0 as usize].bootstrap.as_ref().is_some_and(touched) {
            return false;
        }
        let Some(bootstrap) = self.bootstraps.by_graph.get_mut(&graph) else { return false };
        match &bootstrap.state {
            State::Done => return false,
            State::Due(_) | State::Running(_) => {
                // It has not fired: it is ready still.
                if let Some(pending) = frame.pending_mut(node, lane) {
                    *pending = 0;
                }
                bootstrap.waiting.push_back(ready);
            }
            State::Failed(cause) => {
                let text = cause.message.clone();
                self.op_failed(at, node, lane, FailureCode::BootstrapFailed, text);
                self.settle();
                self.fired(at);
            }
        }
        true
    }

    /// A frame has ended by itself: if a bootstrap ran in it, that is done.
    pub(super) fn bootstrap_ended(&mut self, frame: FrameRef) {
        let Some(graph) = self.bootstraps.running_in(frame) else { return };
        let waiting = self.bootstraps.set(graph, State::Done);
        let program = self.graphs[graph.0 as usize].program.clone();
        self.event(Event::Bootstrapped { graph, program });
        self.go_on(waiting);
    }

    /// An op of a frame has failed, or the frame's time is out: if a bootstrap runs in it, that has failed.
    pub(super) fn bootstrap_broken(&mut self, frame: FrameRef, cause: &Cause) {
        if let Some(graph) = self.bootstraps.running_in(frame) {
            self.bootstrap_fails(graph, &cause.message);
        }
    }

    fn bootstrap_fails(&mut self, graph: GraphId, why: &str) {
        let program = self.graphs[graph.0 as usize].program.clone();
        let message = format!("the bootstrap of `{program}` failed: {why}");
        let cause = Arc::new(Cause { code: FailureCode::BootstrapFailed, message, quorum: None });
        let running = match self.bootstraps.state(graph) {
            Some(State::Running(frame)) => Some(*frame),
            _ => None,
        };
        let waiting = self.bootstraps.set(graph, State::Failed(cause.clone()));
        self.event(Event::BootstrapFailed { graph, program, cause: (*cause).clone() });
        if let Some(frame) = running {
            self.cut_short(frame, &cause);
        }
        for (call, frame) in self.calls.of(graph) {
            self.resolve(call, Err(CallError::Failed((*cause).clone())));
            self.cut_short(frame, &cause);
        }
        self.go_on(waiting);
    }

    /// What has waited could fire before anything that can now.
    fn go_on(&mut self, waiting: VecDeque<Ready>) {
        waiting.into_iter().rev().for_each(|ready| self.ready.push_front(ready));
    }
}
