//! Ops fire: kernels at once, methods through the host.

use super::calls::fits;
use super::frame::{DONE, Frame, FrameRef, SiteState};
use super::{Engine, Ready};
use crate::Value;
use crate::bugs::{Bug, has};
use crate::event::{Cause, EngineStep, Event, LimitKind};
use crate::input::{CommandId, ComponentFailure};
use crate::plan::{NodeIx, NodeKind, PlacePlan};
use bb_ir::component::OpError;
use bb_ir::failure::FailureCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl Engine {
    pub(super) fn fire(&mut self, ready: Ready) {
        let Ready { frame: at, node, lane } = ready;
        if self.fire_plain(at, node) {
            return;
        }
        let Some(frame) = self.frames.get_mut(at) else { return };
        let plan = frame.plan.clone();
        let Some(pending) = frame.pending_mut(node, lane) else { return };
        *pending = DONE;
        match &plan.node(node).kind {
            NodeKind::Pass => {
                let value = self.take_inputs(&plan, at, node, lane).and_then(|()| self.inputs.pop());
                if let (Some(value), Some(site)) = (value, plan.node(node).outputs.first()) {
                    self.write_by(&plan, at, *site, lane, value);
                }
            }
            NodeKind::Kernel(kernel) => {
                if self.take_inputs(&plan, at, node, lane).is_some() {
                    let (inputs, outputs) = (&mut self.inputs, &mut self.outputs);
                    outputs.clear();
                    let ran = catch_unwind(AssertUnwindSafe(|| kernel.run(inputs, outputs)));
                    self.inputs.clear();
                    match ran {
                        Ok(Ok(())) => self.write_outputs(&plan, at, node, lane),
                        Ok(Err(OpError(text))) => self.op_failed(at, node, lane, FailureCode::OpFailed, text),
                        Err(panic) => self.op_failed(at, node, lane, FailureCode::OpFailed, panicked(panic.as_ref())),
                    }
                }
            }
            NodeKind::Method { component, method } => {
                if self.kept_by_bootstrap(ready, *component) {
                    return;
                }
                if self.commands.len() >= self.config.limits.commands_max {
                    let execution = self.execution_of(at);
                    self.limit(LimitKind::Commands, execution);
                    self.op_failed(at, node, lane, FailureCode::OpFailed, "too many methods run on this node".into());
                } else if self.take_inputs(&plan, at, node, lane).is_some() {
                    let command = CommandId(self.next_command);
                    self.next_command += 1;
                    let inputs: Vec<Value> = self.inputs.drain(..).collect();
                    let kept = if self.config.durable { inputs.clone() } else { Vec::new() };
                    self.commands.insert(command, (ready, kept));
                    if let Some(frame) = self.frames.get_mut(at) {
                        frame.commands.push(command);
                    }
                    let (component, method) = (*component, method.clone());
                    self.steps.push_back(EngineStep::Run { command, component, method, inputs });
                    return; // It stays active until it has run.
                }
            }
            NodeKind::Syscall(syscall) => {
                if !self.syscall(&plan, at, node, lane, syscall) {
                    return; // It stays active until its time has come.
                }
            }
            NodeKind::Send(_) => self.send(at, node, lane),
            NodeKind::Gather(_) => self.gather_ready(at, node),
        }
        self.settle();
        self.fired(at);
    }

    /// Fires a plain kernel: what most ops are, with the frame looked up once. False, and nothing has happened, where it is
    /// none.
    fn fire_plain(&mut self, at: FrameRef, node: NodeIx) -> bool {
        let Some(frame) = self.frames.get_mut(at) else { return true };
        let Frame { plan, holder, sites, pending, active, bytes, open_recvs, .. } = frame;
        let it = &plan.nodes[node.0 as usize];
        let NodeKind::Kernel(kernel) = &it.kind else { return false };
        if !it.plain || has(Bug::FiresEarly) || has(Bug::FiresTwice) {
            return false;
        }
        pending[node.0 as usize] = DONE;
        self.inputs.clear();
        self.outputs.clear();
        let mut released = 0;
        for (input, moves) in it.inputs.iter().zip(&it.moves) {
            let value = match input {
                None => Value::Absent,
                Some(site) if *moves => match std::mem::replace(&mut sites[site.0 as usize], SiteState::Taken) {
                    SiteState::Filled(value) => {
                        released += value.bytes();
                        value
                    }
                    other => {
                        sites[site.0 as usize] = other;
                        break;
                    }
                },
                Some(site) => match sites[site.0 as usize].value() {
                    Some(value) => value.clone(),
                    None => break,
                },
            };
            self.inputs.push(value);
        }
        if self.inputs.len() == it.inputs.len() {
            let (inputs, outputs) = (&mut self.inputs, &mut self.outputs);
            let ran = catch_unwind(AssertUnwindSafe(|| kernel.run(inputs, outputs)));
            self.inputs.clear();
            let failed = match ran {
                Ok(Ok(())) if self.outputs.len() == it.outputs.len() => None,
                Ok(Ok(())) => Some(format!("it gave {} values, {} are taken", self.outputs.len(), it.outputs.len())),
                Ok(Err(OpError(text))) => Some(text),
                Err(panic) => Some(panicked(panic.as_ref())),
            };
            if let Some(text) = failed {
                self.outputs.clear();
                *bytes -= released;
                self.shares.charge(*holder, 0, released);
                self.op_failed(at, node, None, FailureCode::OpFailed, text);
                self.settle();
                self.fired(at);
                return true;
            }
        }
        let (mut charged, mut without_room) = (0, Vec::new());
        for (site, value) in it.outputs.iter().zip(self.outputs.drain(..)) {
            let state = &mut sites[site.0 as usize];
            if !state.is_empty() {
                continue;
            }
            let size = value.bytes();
            if !self.shares.has_room(*holder, (charged + size).saturating_sub(released)) {
                without_room.push(*site);
                continue;
            }
            charged += size;
            *state = SiteState::Filled(value);
            for reader in plan.consumers(*site) {
                let left = &mut pending[reader.0 as usize];
                if *left == DONE || *left == 0 {
                    continue;
                }
                *left -= 1;
                if *left == 0 {
                    *active += 1;
                    self.ready.push_back(Ready { frame: at, node: *reader, lane: None });
                }
            }
        }
        *bytes = *bytes + charged - released;
        self.shares.charge(*holder, charged, released);
        if !without_room.is_empty() {
            let plan = plan.clone();
            without_room.into_iter().for_each(|site| self.has_no_room(&plan, at, site, None));
            self.settle();
            self.fired(at);
            return true;
        }
        *active -= 1;
        if *active == 0 && *open_recvs == 0 {
            self.end_if_done(at);
        }
        true
    }

    /// A method that was under way when a checkpoint was made.
    pub(super) fn run_again(&mut self, command: CommandId, ready: Ready, inputs: Vec<Value>) {
        let Some(plan) = self.frames.get(ready.frame).map(|f| f.plan.clone()) else { return };
        if let NodeKind::Method { component, method } = &plan.node(ready.node).kind {
            self.commands.insert(command, (ready, inputs.clone()));
            let (component, method) = (*component, method.clone());
            self.steps.push_back(EngineStep::Run { command, component, method, inputs });
        }
    }

    pub(super) fn fired(&mut self, at: FrameRef) {
        if let Some(frame) = self.frames.get_mut(at) {
            frame.active -= 1;
            self.end_if_done(at);
        }
    }

    /// Moves or clones a node's inputs into the scratch buffer; `None` where the frame has lost one.
    pub(super) fn take_inputs(
        &mut self,
        plan: &PlacePlan,
        at: FrameRef,
        node: NodeIx,
        lane: Option<u32>,
    ) -> Option<()> {
        self.inputs.clear();
        let frame = self.frames.get_mut(at)?;
        let it = plan.node(node);
        let mut released = 0;
        for (input, moves) in it.inputs.iter().zip(&it.moves) {
            let Some(site) = input else {
                self.inputs.push(Value::Absent);
                continue;
            };
            let state = frame.state_mut(*site, lane)?;
            if *moves {
                let SiteState::Filled(value) = std::mem::replace(state, SiteState::Taken) else { return None };
                released += value.bytes();
                self.inputs.push(value);
            } else {
                self.inputs.push(state.value()?.clone());
            }
        }
        frame.bytes -= released;
        self.shares.charge(frame.holder, 0, released);
        Some(())
    }

    pub(super) fn write_outputs(&mut self, plan: &PlacePlan, at: FrameRef, node: NodeIx, lane: Option<u32>) {
        let mut outputs = std::mem::take(&mut self.outputs);
        let sites = &plan.node(node).outputs;
        if outputs.len() == sites.len() {
            for (site, value) in sites.iter().zip(outputs.drain(..)) {
                self.write_by(plan, at, *site, lane, value);
            }
        } else {
            let text = format!("it gave {} values, {} are taken", outputs.len(), sites.len());
            outputs.clear();
            self.op_failed(at, node, lane, FailureCode::OpFailed, text);
        }
        self.outputs = outputs;
    }

    /// A method's results. Ops are linked with the types they were recorded by; what a component gives is seen here first.
    fn method_gave(&mut self, plan: &PlacePlan, at: FrameRef, node: NodeIx, lane: Option<u32>, values: Vec<Value>) {
        let sites = &plan.node(node).outputs;
        let types = sites.iter().map(|site| &plan.site(*site).ty);
        if let Some((value, ty)) = values.iter().zip(types).find(|(value, ty)| !fits(value, ty)) {
            let text = format!("it gave {value:?}, which is no {} as the program says", ty.canonical_text());
            self.op_failed(at, node, lane, FailureCode::OpFailed, text);
            return;
        }
        self.outputs = values;
        self.write_outputs(plan, at, node, lane);
    }

    /// An op failed: what needs it will not come.
    pub(super) fn op_failed(&mut self, at: FrameRef, node: NodeIx, lane: Option<u32>, code: FailureCode, text: String) {
        let Some(frame) = self.frames.get(at) else { return };
        let plan = frame.plan.clone();
        let it = plan.node(node);
        let cause = Cause { code, message: format!("`{}` failed: {text}", it.name), quorum: None };
        let (execution, op) = (self.processes.execution(&frame.key), it.name.clone());
        self.event(Event::OpFailed { execution, op, cause: cause.clone() });
        let cause = Arc::new(cause);
        for site in &it.outputs {
            self.fail_site(at, *site, lane, cause.clone());
        }
        self.bootstrap_broken(at, &cause);
    }

    /// Whether anyone still waits for a method: its frame is open, and it has not been answered.
    pub fn waits_for(&self, command: CommandId) -> bool {
        self.commands.contains_key(&command)
    }

    pub(super) fn completed(&mut self, command: CommandId, result: Result<Vec<Value>, ComponentFailure>) {
        let Some((Ready { frame: at, node, lane }, _)) = self.commands.remove(&command) else {
            // Ending a frame has released its commands.
            self.event(if command.0 < self.next_command {
                Event::CompletedAfterEnd { command }
            } else {
                Event::UnknownInput { what: "a completion of no command" }
            });
            return;
        };
        if let Some(frame) = self.frames.get_mut(at) {
            frame.commands.retain(|c| *c != command);
        }
        match result {
            Ok(values) => {
                if let Some(plan) = self.frames.get(at).map(|f| f.plan.clone()) {
                    self.method_gave(&plan, at, node, lane, values);
                }
            }
            Err(ComponentFailure::Error(text)) => self.op_failed(at, node, lane, FailureCode::OpFailed, text),
            Err(ComponentFailure::Panicked(text)) => {
                self.op_failed(at, node, lane, FailureCode::OpFailed, format!("it panicked: {text}"));
            }
            Err(ComponentFailure::Refused) => {
                let text = "the component panicked before and takes no more calls".into();
                self.op_failed(at, node, lane, FailureCode::ComponentFailed, text);
            }
        }
        self.settle();
        self.fired(at);
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("it panicked: {}", text.unwrap_or_else(|| "no message".into()))
}
