//! Ops that the engine itself runs: time, chance, the first of several, and what leaves a graph at its side.

use super::frame::{Frame, FrameRef, Parked};
use super::timers::Timer;
use super::{Engine, NodeIx};
use crate::Value;
use crate::event::{CallError, EngineStep, Event};
use crate::input::{Arg, GraphId};
use crate::plan::{GraphSlot, NodeKind, PlacePlan, Syscall};
use crate::time::Time;
use bb_ir::failure::FailureCode;
use bb_ir::types::ElementKind;
use bb_ir::value::RawTensor;
use std::time::Duration;

/// How long an execution has that an interval starts: as long as a call where nothing else is said.
const TICK_BUDGET: Duration = Duration::from_secs(60);

/// An interval of a program that is hosted.
pub struct Ticks {
    graph: GraphId,
    period: Duration,
    /// How many executions it has started.
    count: u64,
    /// When the next starts; not before the first poll.
    pub next: Option<Time>,
}
impl Ticks {
    pub fn of(graph: &GraphSlot) -> Option<Ticks> {
        let entry = graph.places.first()?.as_ref()?;
        let period = entry.nodes.iter().find_map(|node| match node.kind {
            NodeKind::Syscall(Syscall::Interval(period)) => Some(period),
            _ => None,
        })?;
        Some(Ticks { graph: graph.id, period, count: 0, next: None })
    }
}

impl Engine {
    /// Runs one. False where it waits for its time.
    pub(super) fn syscall(
        &mut self,
        plan: &PlacePlan,
        at: FrameRef,
        node: NodeIx,
        lane: Option<u32>,
        syscall: &Syscall,
    ) -> bool {
        let value = match syscall {
            Syscall::After => return self.park(plan, at, node, lane),
            Syscall::Any => {
                let Some(frame) = self.frames.get(at) else { return true };
                let there = |site| frame.value(site, lane).cloned();
                plan.node(node).inputs.iter().flatten().find_map(|site| there(*site))
            }
            _ => self.take_inputs(plan, at, node, lane).and_then(|()| self.of_inputs(plan, at, node, lane, syscall)),
        };
        self.inputs.clear();
        if let Some(value) = value {
            self.outputs.clear();
            self.outputs.push(value);
            self.write_outputs(plan, at, node, lane);
        }
        true
    }

    /// What it gives, of the inputs that were taken; `None` where it has failed.
    fn of_inputs(
        &mut self,
        plan: &PlacePlan,
        at: FrameRef,
        node: NodeIx,
        lane: Option<u32>,
        syscall: &Syscall,
    ) -> Option<Value> {
        let key = &self.frames.get(at)?.key;
        let (graph, execution) = (GraphId(key.graph), self.processes.execution(key));
        match syscall {
            Syscall::Clock => Some(Value::scalar(i64::try_from(self.now.0).unwrap_or(i64::MAX))),
            Syscall::Random => Some(Value::scalar(self.gates.random.next_u64())),
            Syscall::Interval(_) => {
                Some(Value::scalar(self.intervals.iter().find(|i| i.graph == graph).map_or(0, |i| i.count)))
            }
            Syscall::Limit { pause, burst } => {
                let free = self.limits.entry((graph.0, plan.place, node)).or_default();
                let next = (*free).max(self.now).after(*pause);
                if self.now.until(next) <= *burst {
                    *free = next;
                    return self.inputs.pop();
                }
                let rest = self.now.until(*free);
                let text = format!("more come by than its limit lets through; the next may in {rest:.1?}");
                self.op_failed(at, node, lane, FailureCode::OpFailed, text);
                None
            }
            Syscall::Emit(topic) => {
                let value = self.inputs.pop()?;
                let module_name = self.graphs[graph.0 as usize].program.clone();
                let topic = topic.clone();
                self.tell(EngineStep::AppEvent { graph, module_name, topic, value, execution });
                Some(Value::Trigger)
            }
            Syscall::Metric(name) => {
                let value = self.inputs.pop()?;
                let Some(number) = value.as_tensor().and_then(number) else {
                    let text = format!("it takes one number, not {value:?}");
                    self.op_failed(at, node, lane, FailureCode::OpFailed, text);
                    return None;
                };
                self.event(Event::Metric { execution, name: name.clone(), value: number });
                Some(Value::Trigger)
            }
            Syscall::After | Syscall::Any => None,
        }
    }

    /// Lets an op wait; false unless it has failed.
    fn park(&mut self, plan: &PlacePlan, at: FrameRef, node: NodeIx, lane: Option<u32>) -> bool {
        let Some(frame) = self.frames.get_mut(at) else { return true };
        let time = plan.node(node).inputs.get(1).copied().flatten().and_then(|site| frame.value(site, lane));
        let Some(ns) = time.and_then(Value::as_scalar::<i64>).and_then(|ns| u64::try_from(ns).ok()) else {
            let text = format!("it waits for a duration, not for {time:?}");
            self.op_failed(at, node, lane, FailureCode::OpFailed, text);
            return true;
        };
        let until = self.now.after(Duration::from_nanos(ns));
        frame.parked.push(Parked { node, lane, until });
        self.timers.set(until, Timer::Parked { frame: at, node, lane });
        false
    }

    /// An op's time has come: it gives its first input.
    pub(super) fn unpark(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let (now, Some(frame)) = (self.now, self.frames.get_mut(at)) else { return };
        let due = |p: &Parked| p.node == node && p.lane == lane && p.until <= now;
        let Some(parked) = frame.parked.iter().position(due) else { return };
        frame.parked.swap_remove(parked);
        let plan = frame.plan.clone();
        let value = plan.node(node).inputs.first().copied().flatten().and_then(|site| frame.value(site, lane).cloned());
        if let (Some(value), Some(site)) = (value, plan.node(node).outputs.first()) {
            self.write_by(&plan, at, *site, lane, value);
        }
        self.settle();
        self.fired(at);
    }

    /// After a restore.
    pub(super) fn wake_parked(&mut self, at: FrameRef) {
        let parked = self.frames.get(at).map(|f| f.parked.clone()).unwrap_or_default();
        for Parked { node, lane, until } in parked {
            self.timers.set(until, Timer::Parked { frame: at, node, lane });
        }
    }

    /// Intervals count from the first poll after their program was installed.
    pub(super) fn set_intervals(&mut self) {
        for (ticks, number) in self.intervals.iter_mut().zip(0..).filter(|(ticks, _)| ticks.next.is_none()) {
            let next = self.now.after(ticks.period);
            ticks.next = Some(next);
            self.timers.set(next, Timer::Interval { number });
        }
    }

    /// An interval starts an execution.
    pub(super) fn tick(&mut self, number: u32) {
        let now = self.now;
        let Some(ticks) = self.intervals.get_mut(number as usize) else { return };
        ticks.count += 1;
        // What was missed while nobody polled is not made up for.
        let next = ticks.next.unwrap_or(now).after(ticks.period).max(now);
        ticks.next = Some(next);
        let graph = ticks.graph;
        self.timers.set(next, Timer::Interval { number });
        let args = self.graphs[graph.0 as usize].inputs.iter().map(|_| Arg::Value(Value::Trigger)).collect();
        // Where the bootstrap has failed, that has been told.
        if let Err(CallError::Limit(limit)) = self.begin(None, graph, args, TICK_BUDGET) {
            self.limit(limit, None);
        }
    }
}

impl Frame {
    /// Whether an op that takes what is there first may still get something.
    pub fn may_yet_come(&self, plan: &PlacePlan, node: NodeIx, lane: Option<u32>) -> bool {
        let it = plan.node(node);
        let open = |site| self.state(site, lane).is_some_and(|s| s.is_empty() || s.is_there());
        matches!(it.kind, NodeKind::Syscall(Syscall::Any)) && it.inputs.iter().flatten().any(|site| open(*site))
    }
}

/// The one number in a tensor.
fn number(tensor: &RawTensor) -> Option<f64> {
    if tensor.elements() != 1 {
        return None;
    }
    macro_rules! first {
        ($t:ty) => {
            tensor.to_vec::<$t>()?.first().map(|n| *n as f64)
        };
    }
    match tensor.element() {
        ElementKind::F32 => first!(f32),
        ElementKind::F64 => first!(f64),
        ElementKind::I8 => first!(i8),
        ElementKind::I16 => first!(i16),
        ElementKind::I32 => first!(i32),
        ElementKind::I64 => first!(i64),
        ElementKind::U8 => first!(u8),
        ElementKind::U16 => first!(u16),
        ElementKind::U32 => first!(u32),
        ElementKind::U64 => first!(u64),
        ElementKind::Bool => tensor.to_vec::<bool>()?.first().map(|b| f64::from(u8::from(*b))),
    }
}
