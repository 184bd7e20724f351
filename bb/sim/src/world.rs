//! The world: nodes, the network between them, and the queue of what is to happen.

use crate::link::{Faults, Link};
use crate::node::{Command, Host, NodeIx, Running, Stable, index_of, peer_id};
use crate::trace::{Row, What};
use bb::engine::{
    Arg, CallError, CallId, CommandId, ComponentFailure, EngineStep, GraphId, Input, InstallError, Limits, Membership,
    Outgoing, Refusal, SendId, Time, Usage,
};
use bb::ir::component::KernelEntry;
use bb::ir::peer::PeerId;
use bb::ir::value::Value;
use bytes::{Bytes, BytesMut};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

/// A call made in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallIx(u64);

/// How long a Send to a node without connection waits before it is unreachable.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(10);
/// What a node's clock shows when a world begins: longer than any call's budget, so that a restored node can tell what
/// was before its crash.
const CLOCK_ORIGIN: u64 = 2 * 86_400 * 1_000_000_000;
/// Steps without time passing after which a world is taken to run in circles.
const STEPS_AT_ONCE_MAX: u64 = 10_000_000;

struct Node {
    hosts: Vec<Host>,
    membership: Membership,
    limits: Limits,
    /// What this node's clock shows when the world begins: only differences may matter.
    clock_origin: u64,
    starts: u64,
    /// For a durable node: how long a checkpoint takes to be written.
    writes_for: Option<Duration>,
    /// What was written last.
    stable: Option<Stable>,
    /// The earliest wake-up that stands in the queue for it.
    wake_at: Option<u64>,
    running: Option<Running>,
}

enum Due {
    Deliver {
        from: NodeIx,
        from_start: u64,
        to: NodeIx,
        frame: Bytes,
    },
    Hello {
        from: NodeIx,
        from_start: u64,
        to: NodeIx,
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
}

/// What a call resolves to: the outputs at the entry, or why there are none.
pub type Answer = Result<Vec<Value>, CallError>;
/// A call that was made: where, and its answer.
struct Made {
    node: NodeIx,
    answer: Option<Answer>,
}
type Cost = Box<dyn Fn(NodeIx, &str) -> Duration>;

/// Nodes under one clock. See the crate's documentation.
pub struct World {
    now: u64,
    next: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    due: BTreeMap<u64, Due>,
    nodes: Vec<Node>,
    connected: BTreeSet<(NodeIx, NodeIx)>,
    /// Messages that wait for a connection.
    waiting: BTreeMap<(NodeIx, NodeIx), BTreeMap<SendId, Outgoing>>,
    links: BTreeMap<(NodeIx, NodeIx), Link>,
    link: Link,
    /// When the last message on each link that keeps its order arrives.
    last_arrival: BTreeMap<(NodeIx, NodeIx), u64>,
    rng: ChaCha8Rng,
    kernels: Vec<KernelEntry>,
    cost: Cost,
    calls: BTreeMap<u64, Made>,
    trace: Vec<Row>,
    faults: Faults,
}

impl World {
    /// An empty world; everything random in it follows from `seed`. `kernels` run the ops: see [`bb::kernels`].
    pub fn new(seed: u64, kernels: impl Into<Vec<KernelEntry>>) -> Self {
        World {
            now: 0,
            next: 0,
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            nodes: Vec::new(),
            connected: BTreeSet::new(),
            waiting: BTreeMap::new(),
            links: BTreeMap::new(),
            link: Link::default(),
            last_arrival: BTreeMap::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            kernels: kernels.into(),
            cost: Box::new(|_, _| Duration::ZERO),
            calls: BTreeMap::new(),
            trace: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// How messages travel where nothing else is said.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }
    /// How messages travel from `from` to `to`.
    pub fn set_link_between(&mut self, from: NodeIx, to: NodeIx, link: Link) {
        self.links.insert((from, to), link);
    }
    /// How long a method takes, by node and method name; nothing by default.
    pub fn set_cost(&mut self, cost: impl Fn(NodeIx, &str) -> Duration + 'static) {
        self.cost = Box::new(cost);
    }

    /// Adds a node that hosts these pieces, and starts it.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add(&mut self, hosts: Vec<Host>) -> Result<NodeIx, InstallError> {
        self.add_with(hosts, Membership::open(), Limits::default())
    }
    /// Adds a node with lists of members and limits of its own.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add_with(
        &mut self,
        hosts: Vec<Host>,
        membership: Membership,
        limits: Limits,
    ) -> Result<NodeIx, InstallError> {
        self.insert(hosts, membership, limits, None)
    }
    /// Adds a node that survives a crash: what it holds is written down, which takes so long, before others see anything
    /// of it. Started again it goes on from there, with the same epoch.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add_durable(&mut self, hosts: Vec<Host>, writes_for: Duration) -> Result<NodeIx, InstallError> {
        self.insert(hosts, Membership::open(), Limits::default(), Some(writes_for))
    }
    fn insert(
        &mut self,
        hosts: Vec<Host>,
        membership: Membership,
        limits: Limits,
        writes_for: Option<Duration>,
    ) -> Result<NodeIx, InstallError> {
        let ix = NodeIx(self.nodes.len());
        self.nodes.push(Node {
            hosts,
            membership,
            limits,
            clock_origin: CLOCK_ORIGIN,
            starts: 0,
            writes_for,
            stable: None,
            wake_at: None,
            running: None,
        });
        self.start(ix)?;
        Ok(ix)
    }
    /// Lets the clock of a node show this much more than the world's: as if it had run for so long.
    pub fn set_clock_origin(&mut self, node: NodeIx, origin: Duration) {
        self.nodes[node.0].clock_origin = CLOCK_ORIGIN + origin.as_nanos() as u64;
    }

    /// Connects two nodes; each has the other's Hello after the link's delay.
    pub fn connect(&mut self, a: NodeIx, b: NodeIx) {
        if [a, b].iter().any(|n| self.nodes[n.0].running.is_none()) {
            return;
        }
        for (from, to) in [(a, b), (b, a)] {
            if self.connected.insert((from, to))
                && let Some(running) = &self.nodes[from.0].running
            {
                let (hello, start) = (running.engine.hello_for(&peer_id(to.0)), self.nodes[from.0].starts);
                self.later(Duration::ZERO, Due::Hello { from, from_start: start, to, hello });
            }
        }
        for pair in [(a, b), (b, a)] {
            for message in self.waiting.remove(&pair).unwrap_or_default().into_values() {
                self.send(pair.0, message);
            }
        }
        self.run_until(self.elapsed());
    }
    /// Connects every two nodes that live.
    pub fn connect_all(&mut self) {
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                self.connect(NodeIx(a), NodeIx(b));
            }
        }
    }
    /// Cuts the connection between two nodes: both notice at once, what is in flight is lost.
    pub fn disconnect(&mut self, a: NodeIx, b: NodeIx) {
        for (node, peer) in [(a, b), (b, a)] {
            if self.connected.remove(&(node, peer)) {
                self.later(Duration::ZERO, Due::Lost { node, peer });
            }
        }
        self.due.retain(|_, due| match due {
            Due::Deliver { from, to, .. } | Due::Hello { from, to, .. } => {
                (*from, *to) != (a, b) && (*from, *to) != (b, a)
            }
            _ => true,
        });
        self.run_until(self.elapsed());
    }

    /// Kills a node: its state is gone, its peers lose their connection.
    pub fn kill(&mut self, node: NodeIx) {
        if self.nodes[node.0].running.take().is_none() {
            return;
        }
        self.faults.killed += 1;
        self.note(node, What::Killed);
        self.waiting.retain(|(from, _), _| *from != node);
        for peer in 0..self.nodes.len() {
            if peer != node.0 {
                self.disconnect(node, NodeIx(peer));
            }
        }
    }
    /// Starts a node that was killed, without connections: anew, in a new epoch, or, if it is durable, where its last
    /// checkpoint left off.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn start(&mut self, node: NodeIx) -> Result<(), InstallError> {
        let epoch = self.rng.random::<u64>();
        let it = &mut self.nodes[node.0];
        it.starts += 1;
        it.wake_at = None;
        let (membership, limits) = (it.membership.clone(), it.limits.clone());
        let durable = it.writes_for.is_some();
        let mut running =
            Running::start(peer_id(node.0), epoch, membership, limits, &it.hosts, &self.kernels, durable)?;
        if let Some(stable) = &it.stable {
            let restored = running.restore(Time(self.now + it.clock_origin), stable);
            restored.expect("a node reads what it wrote");
        } else if durable {
            // Others see its epoch from now on.
            let (id, stable) = running.checkpoint();
            running.engine.checkpoint_durable(id);
            it.stable = Some(stable);
        }
        it.running = Some(running);
        self.note(node, What::Started);
        self.drain(node);
        Ok(())
    }

    /// The first graph a node hosts.
    pub fn graph(&self, node: NodeIx) -> Option<GraphId> {
        self.nodes[node.0].running.as_ref()?.graphs.first().copied()
    }
    /// Makes a call on the first graph of `node`, as of now.
    pub fn call(&mut self, node: NodeIx, args: Vec<Arg>, budget: Duration) -> CallIx {
        let call = self.calls.len() as u64;
        self.calls.insert(call, Made { node, answer: None });
        self.note(node, What::Called);
        match self.graph(node) {
            Some(graph) => self.handle(node, Input::Call { call: CallId(call), graph, args, budget }),
            None => self.note(node, What::Killed),
        }
        CallIx(call)
    }
    /// Drops a call, as a caller does that no longer waits.
    pub fn drop_call(&mut self, call: CallIx) {
        if let Some(node) = self.calls.get(&call.0).map(|made| made.node) {
            self.handle(node, Input::Drop { call: CallId(call.0) });
        }
    }
    /// What a call resolved to, if it has.
    pub fn result(&self, call: CallIx) -> Option<&Answer> {
        self.calls.get(&call.0)?.answer.as_ref()
    }

    /// The time since the world began.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now)
    }
    /// How many nodes there are, dead ones among them.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
    /// What a node's engine holds; `None` while it is dead.
    pub fn usage(&self, node: NodeIx) -> Option<Usage> {
        self.nodes[node.0].running.as_ref().map(|r| r.engine.usage())
    }
    /// What happened so far.
    pub fn trace(&self) -> &[Row] {
        &self.trace
    }
    /// Which faults struck so far.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Runs until nothing is left to happen, or `limit` has passed since the world began.
    pub fn run(&mut self, limit: Duration) {
        while let Some(Reverse((at, _))) = self.queue.peek()
            && *at <= limit.as_nanos() as u64
        {
            self.step();
        }
    }
    /// Runs all that happens up to `until` since the world began, and lets the clock stand there.
    pub fn run_until(&mut self, until: Duration) {
        self.run(until);
        self.now = self.now.max(until.as_nanos() as u64);
    }

    /// Lets the next thing happen; false where nothing is left.
    pub fn step(&mut self) -> bool {
        let Some(Reverse((at, id))) = self.queue.pop() else { return false };
        let Some(due) = self.due.remove(&id) else { return true };
        self.now = self.now.max(at);
        match due {
            Due::Hello { from, from_start, to, hello } => {
                if self.alive(from, from_start) && self.connected.contains(&(from, to)) {
                    self.handle(to, Input::Connected { peer: peer_id(from.0), hello });
                }
            }
            Due::Deliver { from, from_start, to, frame } => {
                if self.alive(from, from_start) && self.connected.contains(&(from, to)) {
                    self.note(to, What::Received { from, bytes: frame.len() });
                    self.handle(to, Input::Received { peer: peer_id(from.0), frame });
                }
            }
            Due::Lost { node, peer } => self.handle(node, Input::Disconnected { peer: peer_id(peer.0) }),
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
                if self.alive(node, start) {
                    self.nodes[node.0].wake_at = None;
                    self.handle(node, Input::Tick);
                }
            }
        }
        true
    }

    fn alive(&self, node: NodeIx, start: u64) -> bool {
        let it = &self.nodes[node.0];
        it.running.is_some() && it.starts == start
    }
    fn node_of(&self, peer: &PeerId) -> Option<NodeIx> {
        index_of(peer).filter(|ix| ix.0 < self.nodes.len())
    }
    fn note(&mut self, node: NodeIx, what: What) {
        self.trace.push(Row { at: Duration::from_nanos(self.now), node, what });
    }
    fn later(&mut self, after: Duration, due: Due) {
        self.at(self.now.saturating_add(after.as_nanos() as u64), due);
    }
    fn at(&mut self, at: u64, due: Due) {
        self.queue.push(Reverse((at, self.next)));
        self.due.insert(self.next, due);
        self.next += 1;
    }
    fn clock(&self, node: NodeIx) -> Time {
        Time(self.now + self.nodes[node.0].clock_origin)
    }

    fn handle(&mut self, node: NodeIx, input: Input) {
        let now = self.clock(node);
        if let Some(running) = &mut self.nodes[node.0].running {
            running.engine.handle(now, input);
            self.drain(node);
        }
    }

    /// Does what the engine of `node` asks for, until it asks for nothing.
    fn drain(&mut self, node: NodeIx) {
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
                    self.note(node, What::Ran { method: method.clone() });
                    let run = Command { command, component, method, inputs };
                    let world_now = self.now;
                    let running = self.nodes[node.0].running.as_mut().expect("it was polled just now");
                    let (due, command, result) = running.run(world_now, cost, run);
                    self.at(due, Due::Completed { node, start, command, result });
                }
                EngineStep::CallResolved { call, result, .. } => {
                    self.note(node, What::Resolved(result.clone()));
                    if let Some(made) = self.calls.get_mut(&call.0) {
                        made.answer = Some(result);
                    }
                }
                EngineStep::AppEvent { topic, value, .. } => self.note(node, What::Output { topic, value }),
                EngineStep::Event(event) => self.note(node, What::Event(event)),
                EngineStep::Disconnect { peer, .. } => {
                    if let Some(other) = self.node_of(&peer) {
                        for (node, peer) in [(node, other), (other, node)] {
                            if self.connected.remove(&(node, peer)) {
                                self.later(Duration::ZERO, Due::Lost { node, peer });
                            }
                        }
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

    /// A message waits for a connection, but not for long.
    fn wait(&mut self, from: NodeIx, message: Outgoing) {
        let (start, id) = (self.nodes[from.0].starts, message.id);
        let to = self.node_of(&message.peer);
        self.later(UNREACHABLE_AFTER, Due::Unreachable { node: from, start, send: id, nowhere: to.is_none() });
        if let Some(to) = to {
            self.waiting.entry((from, to)).or_default().insert(id, message);
        }
    }

    fn send(&mut self, from: NodeIx, message: Outgoing) {
        let start = self.nodes[from.0].starts;
        let Some(to) = self.node_of(&message.peer).filter(|to| self.connected.contains(&(from, *to))) else {
            self.wait(from, message);
            return;
        };
        let mut frame = BytesMut::new();
        for piece in message.encode(self.clock(from)) {
            frame.extend_from_slice(&piece);
        }
        let frame = frame.freeze();
        if frame.len() > self.nodes[to.0].limits.wire.frame_bytes_max {
            // What the other side's Hello says is its largest frame.
            self.later(Duration::ZERO, Due::Refused { node: from, start, send: message.id, reason: Refusal::TooLarge });
            return;
        }
        self.note(from, What::Sent { to, bytes: frame.len() });
        let link = self.links.get(&(from, to)).unwrap_or(&self.link).clone();
        for (delay, overtakes) in link.draw(&mut self.rng, &mut self.faults) {
            let mut at = self.now.saturating_add(delay.as_nanos() as u64);
            if !overtakes {
                let last = self.last_arrival.entry((from, to)).or_insert(0);
                at = at.max(*last);
                *last = at;
            }
            self.at(at, Due::Deliver { from, from_start: start, to, frame: frame.clone() });
        }
    }
}
