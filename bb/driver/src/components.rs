//! Components: the methods of each run one at a time, in the order the engine gives, off the node's loop.

use bb_engine::{CommandId, ComponentFailure, ComponentId, OpError, SlotInfo, Value};
use bb_ir::held::Held;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The components of a node.
pub struct Components {
    slots: BTreeMap<ComponentId, Slot>,
    groups: BTreeMap<ComponentId, Group>,
    done: mpsc::UnboundedSender<Done>,
    durable: bool,
}

struct Slot {
    component: Held,
    /// What its methods may call.
    needs: Vec<ComponentId>,
    group: ComponentId,
}

/// Components that call each other, or one alone: their methods wait in one queue.
#[derive(Default)]
struct Group {
    busy: bool,
    waiting: VecDeque<Job>,
    /// How many have to wait before those are looked for that nobody waits for any more.
    many: usize,
    /// Of a durable node, while a method runs: what the components that it may change held before. Such a method runs
    /// again after a crash.
    before: BTreeMap<ComponentId, Option<Vec<u8>>>,
}

/// A method that is to run.
pub struct Job {
    pub command: CommandId,
    pub component: ComponentId,
    pub method: Arc<str>,
    pub inputs: Vec<Value>,
}

/// Fewer jobs that nobody waits for are left where they are: while a method does not come back, what waits behind it is
/// given up again and again.
const MANY: usize = 64;

/// A method that has run.
pub struct Done {
    pub answer: Answer,
    group: ComponentId,
}

/// What the engine is told of it.
pub struct Answer {
    pub command: CommandId,
    pub result: Result<Vec<Value>, ComponentFailure>,
}

impl Components {
    /// None so far. What has run comes out of `done`'s other end, and goes to [`Components::done`].
    pub fn new(done: mpsc::UnboundedSender<Done>, durable: bool) -> Self {
        Components { slots: BTreeMap::new(), groups: BTreeMap::new(), done, durable }
    }

    pub fn bind(&mut self, slot: &SlotInfo, component: Held) {
        let (needs, group) = (slot.needs.clone(), slot.group);
        self.groups.entry(group).or_default();
        self.slots.insert(slot.component, Slot { component, needs, group });
    }

    /// What a component holds that a crash must not destroy: what it held before the method that runs, if that may change it.
    pub fn checkpoint(&self, id: ComponentId) -> Option<Vec<u8>> {
        let slot = self.slots.get(&id)?;
        match self.groups.get(&slot.group)?.before.get(&id) {
            Some(before) => before.clone(),
            None => slot.component.checkpoint(),
        }
    }
    /// Puts back what a component held.
    pub fn restore(&mut self, id: ComponentId, state: &[u8]) -> Result<(), OpError> {
        self.slots.get(&id).map_or(Ok(()), |slot| slot.component.restore(state))
    }

    /// Runs a method, or queues it. Those marked inline, and those of a broken component, are answered at once. Of what has
    /// not begun, only what is still `wanted` is kept.
    pub fn run(&mut self, job: Job, wanted: impl Fn(CommandId) -> bool) -> Option<Answer> {
        let slot = self.slots.get(&job.component).expect("a node installs no artifact with an unbound slot");
        let group = self.groups.get_mut(&slot.group).expect("every component has a group");
        if group.busy {
            group.waiting.push_back(job);
            if group.waiting.len() > group.many.max(MANY) {
                group.waiting.retain(|job| wanted(job.command));
                group.many = group.waiting.len() * 2;
            }
            None
        } else if slot.component.is_gone() || slot.component.inline(&job.method) {
            Some(call(&slot.component, job))
        } else {
            self.start(job);
            None
        }
    }

    /// Starts what waits for the method that has run, and is still `wanted`; the answers of those that cannot start.
    pub fn done(&mut self, Done { answer, group: id }: Done, wanted: impl Fn(CommandId) -> bool) -> Vec<Answer> {
        let mut answers = vec![answer];
        let next = |components: &mut Self| {
            let group = components.groups.get_mut(&id).expect("it ran here");
            (group.busy, group.before) = (false, BTreeMap::new());
            group.waiting.pop_front()
        };
        while let Some(job) = next(self) {
            if !wanted(job.command) {
                continue;
            }
            let component = &self.slots[&job.component].component;
            if !component.is_gone() {
                self.start(job);
                break;
            }
            answers.push(call(component, job));
        }
        answers
    }

    fn start(&mut self, job: Job) {
        let Slot { component, needs, group: id } = &self.slots[&job.component];
        let group = self.groups.get_mut(id).expect("every component has a group");
        group.busy = true;
        if self.durable {
            let those = needs.iter().chain([&job.component]);
            group.before = those.map(|id| (*id, self.slots[id].component.checkpoint())).collect();
        }
        let (component, group, done) = (component.clone(), *id, self.done.clone());
        tokio::task::spawn_blocking(move || {
            let answer = call(&component, job);
            // A node that is gone needs no answer.
            let _ = done.send(Done { answer, group });
        });
    }
}

fn call(component: &Held, Job { command, method, inputs, .. }: Job) -> Answer {
    Answer { command, result: component.run(&method, inputs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb_engine::Component;
    use bb_ir::needs::Needed;

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

    fn slot(component: u32, needs: &[u32], group: u32) -> SlotInfo {
        SlotInfo {
            component: ComponentId(component),
            name: format!("c{component}").into(),
            role: "Counter".into(),
            concrete: None,
            needs: needs.iter().map(|id| ComponentId(*id)).collect(),
            group: ComponentId(group),
        }
    }
    fn all(_: CommandId) -> bool {
        true
    }
    fn counter() -> Held {
        Held::new(Box::new(Counter(0)))
    }
    fn job_of(component: u32, command: u64, method: &str) -> Job {
        let (command, component) = (CommandId(command), ComponentId(component));
        Job { command, component, method: method.into(), inputs: Vec::new() }
    }
    fn job(command: u64, method: &str) -> Job {
        job_of(0, command, method)
    }

    #[tokio::test]
    async fn methods_run_one_at_a_time_in_order_and_a_panic_breaks_the_component() {
        let (done, mut ran) = mpsc::unbounded_channel();
        let mut components = Components::new(done, false);
        components.bind(&slot(0, &[], 0), counter());
        let inline = components.run(job(0, "peek"), all).expect("at once");
        assert_eq!(inline.result, Ok(vec![Value::scalar(1u64)]));
        for (i, method) in ["count", "err", "count", "boom", "count"].into_iter().enumerate() {
            assert!(components.run(job(i as u64 + 1, method), all).is_none(), "queued");
        }
        let mut answers = Vec::new();
        while answers.len() < 5 {
            answers.extend(components.done(ran.recv().await.expect("the channel is open"), all));
        }
        let commands: Vec<u64> = answers.iter().map(|a| a.command.0).collect();
        assert_eq!(commands, [1, 2, 3, 4, 5]);
        assert_eq!(answers[2].result, Ok(vec![Value::scalar(3u64)]));
        assert_eq!(answers[1].result, Err(ComponentFailure::Error("no".into())));
        assert_eq!(answers[3].result, Err(ComponentFailure::Panicked("what?".into())));
        assert_eq!(answers[4].result, Err(ComponentFailure::Refused));
    }

    /// Counts, has the one it needs count, and waits until it is told to go on.
    struct Slow {
        own: u8,
        needs: Needed,
        go: std::sync::mpsc::Receiver<()>,
        begun: mpsc::UnboundedSender<()>,
    }
    impl Component for Slow {
        fn run(&mut self, _: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            self.own += 1;
            self.needs.call("count", Vec::new(), |values| Ok(values.next()))?;
            self.begun.send(()).expect("the test waits");
            self.go.recv().expect("the test goes on");
            Ok(Vec::new())
        }
        fn checkpoint(&self) -> Option<Vec<u8>> {
            Some(vec![self.own])
        }
    }
    #[tokio::test]
    async fn what_waits_behind_a_method_that_does_not_come_back_is_let_go_once_nobody_wants_it() {
        let (done, mut ran) = mpsc::unbounded_channel();
        let mut components = Components::new(done, false);
        let (go, wait) = std::sync::mpsc::channel();
        let (begun, _has_begun) = mpsc::unbounded_channel();
        let needs = Needed::new(counter(), "counted", "slow");
        components.bind(&slot(0, &[], 0), Held::new(Box::new(Slow { own: 0, needs, go: wait, begun })));
        let input = bytes::Bytes::from(vec![0; 8]);
        assert!(components.run(job(0, "slow"), all).is_none());
        for number in 1..=10_000 {
            let inputs = vec![Value::Bytes(input.clone())];
            // The last ten frames are open, others have ended.
            let queued = components.run(Job { inputs, ..job(number, "slow") }, |command| command.0 + 10 > number);
            assert!(queued.is_none());
            let kept = components.groups[&ComponentId(0)].waiting.len();
            assert!(kept <= MANY, "{kept} wait");
        }
        // Of those that still wait only what is wanted runs.
        (0..2).for_each(|_| go.send(()).expect("it waits"));
        let first = components.done(ran.recv().await.expect("the channel is open"), |command| command.0 == 10_000);
        assert_eq!(first.iter().map(|a| a.command.0).collect::<Vec<_>>(), [0]);
        let next = components.done(ran.recv().await.expect("the channel is open"), all);
        assert_eq!(next.iter().map(|a| a.command.0).collect::<Vec<_>>(), [10_000]);
    }

    /// What it needs is a counter of the same state's kind.
    struct Counted(u8);
    impl Component for Counted {
        fn run(&mut self, _: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            self.0 += 1;
            Ok(vec![Value::scalar(self.0)])
        }
        fn inline(&self, _: &str) -> bool {
            true
        }
        fn checkpoint(&self) -> Option<Vec<u8>> {
            Some(vec![self.0])
        }
    }

    #[tokio::test]
    async fn a_group_has_one_queue_and_a_checkpoint_holds_what_it_was_before_the_method_that_runs() {
        let (done, mut ran) = mpsc::unbounded_channel();
        let mut components = Components::new(done, true);
        let (go, wait) = std::sync::mpsc::channel();
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let (counted, other) = (Held::new(Box::new(Counted(7))), Held::new(Box::new(Counted(30))));
        let needs = Needed::new(counted.clone(), "counted", "slow");
        components.bind(&slot(0, &[1], 0), Held::new(Box::new(Slow { own: 3, needs, go: wait, begun })));
        components.bind(&slot(1, &[], 0), counted);
        components.bind(&slot(2, &[1], 0), other);
        components.bind(&slot(3, &[], 3), Held::new(Box::new(Counted(50))));
        let held = |components: &Components| {
            [0, 1, 2, 3].map(|id| components.checkpoint(ComponentId(id)).expect("it does")[0])
        };

        assert!(components.run(job_of(0, 1, "slow"), all).is_none());
        has_begun.recv().await.expect("it runs");
        for id in [1, 2] {
            assert!(
                components.run(job_of(id, 1 + u64::from(id), "count"), all).is_none(),
                "though it is marked inline"
            );
        }
        assert!(components.run(job_of(3, 4, "count"), all).is_some(), "one of another group does not wait");
        assert_eq!(held(&components), [3, 7, 30, 51], "as if the method had not begun");
        go.send(()).expect("it waits");
        let mut order = Vec::new();
        while order.len() < 3 {
            order.extend(
                components.done(ran.recv().await.expect("the channel is open"), all).iter().map(|a| a.command.0),
            );
        }
        assert_eq!(order, [1, 2, 3]);
        assert_eq!(held(&components), [4, 9, 31, 51]);
    }
}
