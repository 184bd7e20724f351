//! The world: nodes, the network between them, and the queue of what is to happen.

mod frames;
mod life;
mod network;
mod queue;
pub(crate) mod script;
mod settings;
mod steps;
mod ways;

use crate::fate::Fate;
use crate::faults::Faults;
use crate::installations::Installations;
use crate::lies::Liar;
use crate::link::Link;
use crate::node::{Host, NodeIx, Running, Stable, peer_id};
use crate::trace::{Row, What};
use crate::wrong::Faulty;
use bb::engine::{
    Arg, CallError, CallId, Counters, Event, GraphId, GraphSlot, Input, Limits, Membership, Outgoing, SendId, Time,
    Usage,
};
use bb::ir::component::KernelEntry;
use bb::ir::peer::PeerId;
use bb::ir::site::SiteAddress;
use bb::ir::value::Value;
use frames::Frames;
use queue::Queue;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use script::Order;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use ways::Ways;

/// A call made in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallIx(u64);

/// What a node's clock shows when a world begins: longer than any call's budget, so that a restored node can tell what
/// was before its crash.
const CLOCK_ORIGIN: u64 = 2 * 86_400 * 1_000_000_000;

struct Node {
    peer: PeerId,
    hosts: Vec<Host>,
    /// The classes it hosts.
    class: String,
    /// What it hosts.
    wires: Option<Rc<[GraphSlot]>>,
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
    /// What it does to the bytes it sends, if it lies.
    liar: Option<Liar>,
    /// Its components that do not do what they should.
    faulty: Vec<Faulty>,
    running: Option<Running>,
}

/// What a call resolves to: the outputs at the entry, or why there are none.
pub type Answer = Result<Vec<Value>, CallError>;
/// A call that was made: where, and its answer.
struct Made {
    node: NodeIx,
    answer: Option<Answer>,
}
type Watch = Box<dyn FnMut(NodeIx, &Event)>;
type Cost = Box<dyn Fn(NodeIx, &str) -> Duration>;

/// Nodes under one clock. See the crate's documentation.
pub struct World {
    now: u64,
    queue: Queue,
    nodes: Vec<Node>,
    ways: Ways,
    frames: Frames,
    /// Messages that wait for a connection.
    waiting: BTreeMap<(NodeIx, NodeIx), BTreeMap<SendId, Outgoing>>,
    link: Link,
    /// Where the seed draws epochs from.
    rng: ChaCha8Rng,
    fate: Fate,
    /// How many faults that may strike were named.
    may: u64,
    kernels: Vec<KernelEntry>,
    /// What nodes host, installed once.
    installed: Installations,
    cost: Cost,
    /// By their numbers.
    calls: Vec<Made>,
    trace: Vec<Row>,
    traced: bool,
    events: u64,
    bytes: u64,
    /// Where a test chooses it: in which order messages arrive.
    order: Option<Order>,
    /// Ways that a fault may have touched; from a node to itself where it is the node.
    touched: BTreeSet<(NodeIx, NodeIx)>,
    /// Who looks at events as they happen.
    watch: Option<Watch>,
    /// Of nodes that are added.
    limits: Limits,
    /// What became of messages on nodes that died.
    buried: Counters,
}

impl World {
    /// An empty world; everything random in it follows from `seed`. `kernels` run the ops: see [`bb::kernels`].
    pub fn new(seed: u64, kernels: impl Into<Vec<KernelEntry>>) -> Self {
        World {
            now: 0,
            queue: Queue::default(),
            nodes: Vec::new(),
            ways: Ways::default(),
            frames: Frames::default(),
            waiting: BTreeMap::new(),
            link: Link::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            fate: Fate::new(seed),
            may: 0,
            kernels: kernels.into(),
            installed: Installations::default(),
            cost: Box::new(|_, _| Duration::ZERO),
            calls: Vec::new(),
            trace: Vec::new(),
            traced: true,
            events: 0,
            bytes: 0,
            order: None,
            touched: BTreeSet::new(),
            watch: None,
            limits: Limits::default(),
            buried: Counters::default(),
        }
    }

    /// The classes a node hosts.
    pub(crate) fn class(&self, node: NodeIx) -> &str {
        &self.nodes[node.0].class
    }
    /// The wire that fills this site of a node, and where it is in the program.
    pub(crate) fn wire(&self, node: NodeIx, site: &SiteAddress) -> Option<String> {
        let wire = self.nodes[node.0].wires.as_ref()?.iter().find_map(|graph| graph.wire_of(site))?;
        Some(wire.source.map_or(format!("wire {}", wire.id), |at| format!("wire {} ({at})", wire.id)))
    }
    /// The first graph a node hosts.
    pub fn graph(&self, node: NodeIx) -> Option<GraphId> {
        self.nodes[node.0].running.as_ref()?.graphs.first().copied()
    }
    /// Makes a call on the first graph of `node`, as of now.
    pub fn call(&mut self, node: NodeIx, args: Vec<Arg>, budget: Duration) -> CallIx {
        let call = self.calls.len() as u64;
        self.calls.push(Made { node, answer: None });
        self.events += 1;
        self.note(node, || What::Called);
        match self.graph(node) {
            Some(graph) => self.handle(node, Input::Call { call: CallId(call), graph, args, budget }),
            None => self.note(node, || What::Killed),
        }
        CallIx(call)
    }
    /// Drops a call, as a caller does that no longer waits.
    pub fn drop_call(&mut self, call: CallIx) {
        if let Some(node) = self.calls.get(call.0 as usize).map(|made| made.node) {
            self.events += 1;
            self.handle(node, Input::Drop { call: CallId(call.0) });
        }
    }
    /// What a call resolved to, if it has.
    pub fn result(&self, call: CallIx) -> Option<&Answer> {
        self.calls.get(call.0 as usize)?.answer.as_ref()
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
    /// What became of messages so far, on all nodes, the dead ones included.
    pub fn counters(&self) -> Counters {
        let mut all = self.buried;
        self.nodes.iter().filter_map(|n| n.running.as_ref()).for_each(|r| all += r.engine.counters());
        all
    }
    /// Ways, from one node to another, whose messages faults have touched since this was asked last; from a node to itself
    /// where a fault has touched the node.
    pub fn take_touched(&mut self) -> BTreeSet<(NodeIx, NodeIx)> {
        std::mem::take(&mut self.touched)
    }
    /// How many things have happened: messages that came, calls that were made, times that nodes waited for, all that a
    /// schedule does.
    pub fn events(&self) -> u64 {
        self.events
    }
    /// Bytes of messages that nodes sent.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// How often a node was started.
    pub fn starts(&self, node: NodeIx) -> u64 {
        self.nodes[node.0].starts
    }
    /// What happened so far.
    pub fn trace(&self) -> &[Row] {
        &self.trace
    }
    /// Which faults struck so far.
    pub fn faults(&self) -> Faults {
        self.fate.faults
    }
}
