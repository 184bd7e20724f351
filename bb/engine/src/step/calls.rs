//! Calls: an entry frame, and the outputs that resolve it.

use super::Engine;
use super::checkpoint::{CallImage, OutputImage};
use super::frame::{FrameKey, FrameRef, Frames, NO_LANE};
use super::processes::ProcessIx;
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{CallError, Cause, EngineStep, Event};
use crate::input::{Arg, CallId, GraphId};
use crate::plan::{EntryInput, Sizes};
use crate::rust;
use bb_ir::failure::FailureCode;
use bb_ir::limits::LANES_MAX;
use bb_ir::types::{DURATION_DENOTATION, ValueType};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
pub struct Calls {
    by_id: FxHashMap<CallId, Call>,
    pub counter: u64,
    /// Counters of executions whose entry frame is open.
    live: FxHashSet<u64>,
}
struct Call {
    graph: GraphId,
    frame: FrameRef,
    /// The outputs at the entry.
    outputs: Vec<Option<Value>>,
    missing: usize,
}

impl Calls {
    pub fn open(&self) -> usize {
        self.by_id.len()
    }
    /// By their numbers.
    fn sorted(&self) -> Vec<(CallId, &Call)> {
        let mut all: Vec<_> = self.by_id.iter().map(|(id, call)| (*id, call)).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }
    pub fn all(&self) -> impl Iterator<Item = (CallId, GraphId)> {
        self.sorted().into_iter().map(|(id, call)| (id, call.graph))
    }
    /// Those of a graph that have no answer yet.
    pub fn of(&self, graph: GraphId) -> Vec<(CallId, FrameRef)> {
        let of = self.sorted().into_iter().filter(|(_, call)| call.graph == graph);
        of.map(|(id, call)| (id, call.frame)).collect()
    }
    pub fn images(&self, numbers: &FxHashMap<FrameRef, u32>) -> Vec<CallImage> {
        let output = |v: &Option<Value>| OutputImage { value: v.as_ref().map(super::checkpoint::value) };
        let image = |(id, call): (CallId, &Call)| {
            let frame = *numbers.get(&call.frame)?;
            Some(CallImage { id: id.0, frame, outputs: call.outputs.iter().map(output).collect() })
        };
        self.sorted().into_iter().filter_map(image).collect()
    }
    pub fn restore(&mut self, counter: u64, calls: Vec<(CallId, FrameRef, Vec<Option<Value>>)>, frames: &Frames) {
        self.counter = if has(Bug::CounterLostAtRestore) { 0 } else { counter };
        for (id, frame, outputs) in calls {
            let missing = outputs.iter().filter(|o| o.is_none()).count();
            let Some(graph) = frames.get(frame).map(|f| GraphId(f.key.graph)) else { continue };
            self.by_id.insert(id, Call { graph, frame, outputs, missing });
        }
        self.live = frames.all().filter(|(_, f)| f.key.place == 0).map(|(_, f)| f.key.counter).collect();
    }
    /// An execution's entry frame has ended.
    pub fn ended(&mut self, counter: u64) {
        self.live.remove(&counter);
    }
    pub fn is_live(&self, counter: u64) -> bool {
        self.live.contains(&counter)
    }
    /// Whether there was an execution of that number, and its entry frame has ended.
    pub fn is_over(&self, counter: u64) -> bool {
        (1..=self.counter).contains(&counter) && !self.is_live(counter)
    }
}

impl Engine {
    pub(super) fn call(&mut self, call: CallId, graph: GraphId, args: Vec<Arg>, budget: Duration) {
        if self.calls.by_id.contains_key(&call) {
            self.event(Event::UnknownInput { what: "a call whose number is in use" });
            return;
        }
        if let Err(error) = self.begin(Some(call), graph, args, budget) {
            self.steps.push_back(EngineStep::CallResolved { call, graph, result: Err(error) });
        }
    }

    /// Starts an execution at the entry: of a call, or of nobody who waits.
    pub(super) fn begin(
        &mut self,
        call: Option<CallId>,
        graph: GraphId,
        args: Vec<Arg>,
        budget: Duration,
    ) -> Result<(), CallError> {
        let slot = self.graphs.get(graph.0 as usize).ok_or(CallError::NotTheEntry)?;
        let plan = slot.places.first().and_then(Option::as_ref).filter(|_| slot.is_entry_point());
        let plan = plan.ok_or(CallError::NotTheEntry)?.clone();
        if args.len() != slot.inputs.len() {
            let expected = format!("{} arguments", slot.inputs.len());
            return Err(CallError::BadArgument { index: slot.inputs.len(), expected });
        }
        let mut values = Vec::with_capacity(args.len());
        for (index, (arg, input)) in args.into_iter().zip(&slot.inputs).enumerate() {
            let value = self.argument(graph, &arg, input);
            let most = if input.ty.is_cohort() { format!(" of at most {LANES_MAX}") } else { String::new() };
            let expected = || {
                format!("`{}` is a {}{most}, this is a {}", input.name, rust::of_type(&input.ty), rust::of_arg(&arg))
            };
            values.push(value.ok_or_else(|| CallError::BadArgument { index, expected: expected() })?);
        }
        let mut sizes = Sizes::of(&plan);
        for (index, (site, value)) in plan.inputs.iter().zip(&values).enumerate() {
            sizes.learn(&plan, *site, value).map_err(|expected| CallError::BadArgument { index, expected })?;
        }
        let outputs = slot.outputs_at_entry();
        if let Some(cause) = self.bootstraps.failure(graph) {
            return Err(CallError::Failed((**cause).clone()));
        }

        self.calls.counter += 1;
        let counter = self.calls.counter;
        let key = FrameKey { process: ProcessIx::OWN, counter, graph: graph.0, place: 0, lane: NO_LANE };
        let budget = budget.min(Duration::from_nanos(bb_ir::limits::REMAINING_NS_MAX));
        let deadline = self.now.after(budget);
        self.calls.live.insert(counter);
        let bytes = values.iter().map(Value::bytes).sum();
        let frame = self.open(key, &plan, deadline, call, None, bytes).map_err(|limit| {
            self.calls.live.remove(&counter);
            CallError::Limit(limit)
        })?;
        if let Some(call) = call {
            self.calls.by_id.insert(call, Call { graph, frame, outputs: vec![None; outputs], missing: outputs });
        }
        if let Some(frame) = self.frames.get_mut(frame) {
            frame.sizes = sizes;
        }
        if let Some(start) = plan.start {
            self.put(&plan, frame, start, None, Value::Trigger);
        }
        for (site, value) in plan.inputs.iter().zip(values) {
            self.put(&plan, frame, *site, None, value);
        }
        self.settle();
        self.end_if_done(frame);
        Ok(())
    }

    /// The value of an argument, if it is what the input takes.
    pub(super) fn argument(&self, graph: GraphId, arg: &Arg, input: &EntryInput) -> Option<Value> {
        let value = match arg {
            Arg::Value(value) => value.clone(),
            Arg::AllPeers { and_self } => {
                let slot = self.graphs.get(graph.0 as usize)?;
                let class = input.peer_class.as_deref()?;
                let mut peers = self.peers.members_of_program(class, &slot.digest);
                let hosted = self.graphs.iter().any(|g| g.digest == slot.digest && &*g.class == class);
                if *and_self && hosted {
                    peers.push(self.config.peer.clone());
                }
                peers.sort();
                Value::Seq(peers.into_iter().map(Value::Peer).collect())
            }
        };
        fits(&value, &input.ty).then_some(value)
    }

    /// A declared output has its value.
    pub(super) fn output(&mut self, at: FrameRef, number: u32, value: Value) {
        let Some(frame) = self.frames.get(at) else { return };
        let (graph, execution, call) = (frame.key.graph, self.processes.execution(&frame.key), frame.call);
        let slot = &self.graphs[graph as usize];
        let Some((topic, _, at_entry)) = slot.outputs.get(number as usize) else { return };
        let (module_name, topic, at_entry) = (slot.program.clone(), topic.clone(), *at_entry);
        self.tell(EngineStep::AppEvent { graph: GraphId(graph), module_name, topic, value: value.clone(), execution });
        let (Some(number), Some(call)) = (at_entry, call) else { return };
        let Some(open) = self.calls.by_id.get_mut(&call) else { return };
        let output = &mut open.outputs[number as usize];
        if output.is_none() {
            *output = Some(value);
            open.missing -= 1;
        }
        if open.missing == 0 {
            let outputs = std::mem::take(&mut open.outputs).into_iter().flatten().collect();
            self.resolve(call, Ok(outputs));
        }
    }

    /// A declared output will not come: at the entry the call fails, and its frame ends.
    pub(super) fn output_failed(&mut self, at: FrameRef, cause: &Arc<Cause>) {
        let Some(call) = self.frames.get(at).and_then(|f| f.call) else { return };
        if self.calls.by_id.contains_key(&call) {
            self.resolve(call, Err(CallError::Failed((**cause).clone())));
            self.cut_short(at, cause);
        }
    }

    pub(super) fn resolve(&mut self, call: CallId, result: Result<Vec<Value>, CallError>) {
        if let Some(Call { graph, frame, .. }) = self.calls.by_id.remove(&call) {
            // What is left of it is nobody's: its number may be another call's from now on.
            if let Some(frame) = self.frames.get_mut(frame) {
                frame.call = None;
            }
            self.tell(EngineStep::CallResolved { call, graph, result });
        }
    }

    /// The entry frame of a call has ended. A call that still waits has no outputs at the entry.
    pub(super) fn entry_ended(&mut self, call: CallId) {
        let Some(open) = self.calls.by_id.get(&call) else { return };
        let result = if open.outputs.is_empty() {
            Ok(Vec::new())
        } else {
            let code = FailureCode::Cancelled;
            let message = "the entry ended before every output was there".into();
            Err(CallError::Failed(Cause { code, message, quorum: None }))
        };
        self.resolve(call, result);
    }

    pub(super) fn drop_call(&mut self, call: CallId) {
        // A call that has resolved may be dropped as well: what is left of it goes on.
        let Some(open) = self.calls.by_id.get(&call) else { return };
        let frame = open.frame;
        self.resolve(call, Err(CallError::Dropped));
        let (code, message) = (FailureCode::Cancelled, "the call was dropped".to_owned());
        self.cut_short(frame, &Arc::new(Cause { code, message, quorum: None }));
    }
}

/// Whether a value is one of this type.
pub fn fits(value: &Value, ty: &ValueType) -> bool {
    match (value, ty) {
        (Value::Trigger, ValueType::Trigger) => true,
        (Value::Tensor(t), ValueType::Tensor { element, shape }) => {
            element.is_none_or(|e| e == t.element())
                && shape.as_ref().is_none_or(|dims| {
                    dims.len() == t.shape().len()
                        && dims.iter().zip(t.shape()).all(|(d, n)| !matches!(d, bb_ir::types::Dim::Size(s) if s != n))
                })
        }
        (Value::Tensor(t), ValueType::Duration) => t.as_scalar::<i64>().is_some(),
        (Value::Peer(_), ty) => ty.is_peer(),
        (Value::Bytes(_), ValueType::Denoted(d)) => d != DURATION_DENOTATION && !ty.is_peer(),
        (Value::Seq(values), ValueType::Seq(of)) => {
            values.iter().all(|v| fits(v, of)) && !(of.is_peer() && is_no_cohort(values))
        }
        _ => false,
    }
}

/// Whether these are more peers than a cohort has: their lanes could not be told.
pub fn is_no_cohort(peers: &[Value]) -> bool {
    let most = LANES_MAX as usize;
    peers.len() > most && peers.iter().filter_map(Value::as_peer).collect::<FxHashSet<_>>().len() > most
}
