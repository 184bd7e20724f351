//! Components: the methods of each run one at a time, in the order the engine gives, off the node's loop.

use bb_engine::{CommandId, Component, ComponentFailure, ComponentId, OpError, Value};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The components of a node.
pub struct Components {
    slots: BTreeMap<ComponentId, Slot>,
    done: mpsc::UnboundedSender<Done>,
    durable: bool,
}

struct Slot {
    state: State,
    waiting: VecDeque<Job>,
    /// Of a durable node, while a method runs: what the component held before. Such a method runs again after a crash.
    before: Option<Vec<u8>>,
}

enum State {
    Idle(Box<dyn Component>),
    /// A method runs, and has the component with it.
    Busy,
    /// A method panicked: what the component holds may be half done.
    Broken,
}

/// A method that is to run.
pub struct Job {
    pub command: CommandId,
    pub component: ComponentId,
    pub method: Arc<str>,
    pub inputs: Vec<Value>,
}

/// A method that has run.
pub struct Done {
    pub answer: Answer,
    component: ComponentId,
    back: Option<Box<dyn Component>>,
}

/// What the engine is told of it.
pub struct Answer {
    pub command: CommandId,
    pub result: Result<Vec<Value>, ComponentFailure>,
}

impl Components {
    /// None so far. What has run comes out of `done`'s other end, and goes to [`Components::done`].
    pub fn new(done: mpsc::UnboundedSender<Done>, durable: bool) -> Self {
        Components { slots: BTreeMap::new(), done, durable }
    }

    pub fn bind(&mut self, id: ComponentId, component: Box<dyn Component>) {
        self.slots.insert(id, Slot { state: State::Idle(component), waiting: VecDeque::new(), before: None });
    }

    /// What a component holds that a crash must not destroy: of one whose method runs, what it held before.
    pub fn checkpoint(&self, id: ComponentId) -> Option<Vec<u8>> {
        let slot = self.slots.get(&id)?;
        match &slot.state {
            State::Idle(component) => component.checkpoint(),
            State::Busy => slot.before.clone(),
            State::Broken => None,
        }
    }
    /// Puts back what a component held.
    pub fn restore(&mut self, id: ComponentId, state: &[u8]) -> Result<(), OpError> {
        match self.slots.get_mut(&id).map(|slot| &mut slot.state) {
            Some(State::Idle(component)) => component.restore(state),
            _ => Ok(()),
        }
    }

    /// Runs a method, or queues it. Those marked inline, and those of a broken component, are answered at once.
    pub fn run(&mut self, job: Job) -> Option<Answer> {
        let slot = self.slots.get_mut(&job.component).expect("a node installs no artifact with an unbound slot");
        match std::mem::replace(&mut slot.state, State::Busy) {
            State::Broken => {
                slot.state = State::Broken;
                Some(Answer { command: job.command, result: Err(ComponentFailure::Refused) })
            }
            State::Busy => {
                slot.waiting.push_back(job);
                None
            }
            State::Idle(component) if component.inline(&job.method) => {
                let Done { answer, back, .. } = call(component, job);
                slot.state = back.map_or(State::Broken, State::Idle);
                Some(answer)
            }
            State::Idle(component) => {
                slot.before = self.durable.then(|| component.checkpoint()).flatten();
                start(component, job, self.done.clone());
                None
            }
        }
    }

    /// Takes a component back and starts what waits for it; the answers of those that cannot start.
    pub fn done(&mut self, done: Done) -> Vec<Answer> {
        let slot = self.slots.get_mut(&done.component).expect("it ran here");
        let mut answers = vec![done.answer];
        match done.back {
            None => {
                slot.state = State::Broken;
                let refused = |job: Job| Answer { command: job.command, result: Err(ComponentFailure::Refused) };
                answers.extend(slot.waiting.drain(..).map(refused));
            }
            Some(component) => match slot.waiting.pop_front() {
                None => slot.state = State::Idle(component),
                Some(job) => {
                    slot.before = self.durable.then(|| component.checkpoint()).flatten();
                    start(component, job, self.done.clone());
                }
            },
        }
        answers
    }
}

fn start(component: Box<dyn Component>, job: Job, done: mpsc::UnboundedSender<Done>) {
    tokio::task::spawn_blocking(move || {
        // A node that is gone needs no answer.
        let _ = done.send(call(component, job));
    });
}

fn call(mut component: Box<dyn Component>, job: Job) -> Done {
    let Job { command, component: id, method, inputs } = job;
    // A component that panicked is dropped and never called again, so nobody sees what it left half done.
    let result = catch_unwind(AssertUnwindSafe(|| component.run(&method, inputs)));
    let (result, back) = match result {
        Ok(result) => (result.map_err(|e| ComponentFailure::Error(e.0)), Some(component)),
        Err(panic) => {
            // Half done, it may panic again where it is dropped; that changes nothing.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(component)));
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            (Err(ComponentFailure::Panicked(text.unwrap_or_else(|| "no message".into()))), None)
        }
    };
    Done { answer: Answer { command, result }, component: id, back }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u64);
    impl Component for Counter {
        fn run(&mut self, method: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            match method {
                "count" | "peek" => {
                    self.0 += 1;
                    Ok(vec![Value::scalar(self.0)])
                }
                "err" => Err(OpError::new("no")),
                _ => panic!("what?"),
            }
        }
        fn inline(&self, method: &str) -> bool {
            method == "peek"
        }
    }

    fn job(command: u64, method: &str) -> Job {
        Job { command: CommandId(command), component: ComponentId(0), method: method.into(), inputs: Vec::new() }
    }

    #[tokio::test]
    async fn methods_run_one_at_a_time_in_order_and_a_panic_breaks_the_component() {
        let (done, mut ran) = mpsc::unbounded_channel();
        let mut components = Components::new(done, false);
        components.bind(ComponentId(0), Box::new(Counter(0)));
        let inline = components.run(job(0, "peek")).expect("at once");
        assert_eq!(inline.result, Ok(vec![Value::scalar(1u64)]));
        for (i, method) in ["count", "err", "count", "boom", "count"].into_iter().enumerate() {
            assert!(components.run(job(i as u64 + 1, method)).is_none(), "queued");
        }
        let mut answers = Vec::new();
        while answers.len() < 5 {
            answers.extend(components.done(ran.recv().await.expect("the channel is open")));
        }
        let commands: Vec<u64> = answers.iter().map(|a| a.command.0).collect();
        assert_eq!(commands, [1, 2, 3, 4, 5]);
        assert_eq!(answers[2].result, Ok(vec![Value::scalar(3u64)]));
        assert_eq!(answers[1].result, Err(ComponentFailure::Error("no".into())));
        assert_eq!(answers[3].result, Err(ComponentFailure::Panicked("what?".into())));
        assert_eq!(answers[4].result, Err(ComponentFailure::Refused));
    }

    struct PanicsTwice;
    impl Component for PanicsTwice {
        fn run(&mut self, _: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            panic!("once")
        }
    }
    impl Drop for PanicsTwice {
        fn drop(&mut self) {
            panic!("twice")
        }
    }

    #[tokio::test]
    async fn a_component_that_panics_while_it_is_dropped_is_answered_for() {
        let (done, mut ran) = mpsc::unbounded_channel();
        let mut components = Components::new(done, false);
        components.bind(ComponentId(0), Box::new(PanicsTwice));
        assert!(components.run(job(1, "any")).is_none());
        let answers = components.done(ran.recv().await.expect("it is answered"));
        assert_eq!(answers[0].result, Err(ComponentFailure::Panicked("once".into())));
    }
}
