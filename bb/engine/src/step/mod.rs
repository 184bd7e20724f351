//! Running: frames open, ops fire, messages come and go.

mod bootstrap;
mod calls;
mod checkpoint;
mod clock;
mod ended;
mod fail;
mod fire;
mod frame;
mod gates;
mod gather;
mod hosting;
mod lanes;
mod outbox;
mod peers;
mod processes;
mod receive;
mod rtt;
mod send;
mod shares;
mod silence;
mod syscall;
mod timers;

use crate::bugs::{Bug, has};
use crate::config::{Config, Usage};
use crate::counters::Counters;
use crate::error::InstallError;
use crate::event::{EngineStep, Event, ExecutionId, LimitKind};
use crate::input::{Bound, CallId, CommandId, GraphId, Input};
use crate::load;
use crate::plan::{self, GraphSlot, Installed, NodeIx, PlacePlan, RecvIx};
use crate::time::Time;
use bb_ir::component::KernelEntry;
use bb_ir::envelope::Envelope;
use bb_ir::hello::{self, Hello, HostedClass, ProgramOffer};
use bb_ir::peer::PeerId;
use bb_ir::site::SiteAddress;
use bb_ir::value::Value;
use bootstrap::Bootstraps;
use bytes::Bytes;
use calls::Calls;
use checkpoint::Held;
pub use checkpoint::{Checkpoint, CheckpointError};
use ended::Ended;
use fail::Failing;
use frame::{FrameRef, Frames};
use gates::Gates;
use outbox::Sent;
use peers::Peers;
use processes::Processes;
use rustc_hash::FxHashMap;
use shares::{Holder, Shares};
use std::collections::VecDeque;
use std::sync::Arc;
use syscall::Ticks;
use timers::{Timer, Timers};

/// The engine of one node. See the crate's documentation.
pub struct Engine {
    config: Config,
    now: Time,
    graphs: Vec<GraphSlot>,
    components: u32,
    sites: u32,
    addresses: FxHashMap<SiteAddress, (GraphId, u32, RecvIx)>,
    peers: Peers,
    processes: Processes,
    gates: Gates,
    frames: Frames,
    ended: Ended,
    calls: Calls,
    bootstraps: Bootstraps,
    ready: VecDeque<Ready>,
    failing: VecDeque<Failing>,
    /// Methods that the host runs, with their arguments where they may have to run again.
    commands: FxHashMap<CommandId, (Ready, Vec<Value>)>,
    next_command: u64,
    /// Messages to this node itself, and whose the frame was that sent it: so is what it opens.
    loopback: VecDeque<(Sent, Holder)>,
    timers: Timers,
    steps: VecDeque<EngineStep>,
    held: Held,
    counters: Counters,
    /// Reused for every op: what it reads, and what it writes.
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    /// Reused for every message: what a wire brings.
    brought: Vec<Value>,
    /// What is read of a frame, once for all.
    envelope: Option<Box<Envelope>>,
    /// The place that a message came for last: many come for one.
    came_to: Option<(GraphId, u32, Arc<PlacePlan>)>,
    shares: Shares,
    lanes: usize,
    intervals: Vec<Ticks>,
    /// When the next value may pass, by its op: see [`crate::plan::Syscall::Limit`].
    limits: FxHashMap<(u32, u32, NodeIx), Time>,
}

/// An op that can fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ready {
    frame: FrameRef,
    node: NodeIx,
    /// For an op in lanes: which.
    lane: Option<u32>,
}

impl Engine {
    /// An engine that runs nothing yet.
    pub fn new(config: Config) -> Engine {
        Engine {
            peers: Peers::new(config.peer.clone()),
            processes: Processes::new(config.peer.clone(), config.epoch),
            gates: Gates::new(&config),
            ended: Ended::new(config.limits.remembered_max),
            shares: Shares::new(config.limits.frames_max, config.limits.bytes_max),
            config,
            now: Time::default(),
            graphs: Vec::new(),
            components: 0,
            sites: 0,
            addresses: FxHashMap::default(),
            frames: Frames::default(),
            calls: Calls::default(),
            bootstraps: Bootstraps::default(),
            ready: VecDeque::new(),
            failing: VecDeque::new(),
            commands: FxHashMap::default(),
            next_command: 0,
            loopback: VecDeque::new(),
            timers: Timers::default(),
            steps: VecDeque::new(),
            held: Held::default(),
            counters: Counters::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            brought: Vec::new(),
            envelope: None,
            came_to: None,
            lanes: 0,
            intervals: Vec::new(),
            limits: FxHashMap::default(),
        }
    }

    /// An engine that runs nothing yet and hosts what another hosts: nothing is read or planned again, and what was planned
    /// is shared. For many nodes of one kind in one process.
    pub fn with_graphs_of(other: &Engine, config: Config) -> Engine {
        let mut engine = Engine::new(config);
        engine.graphs.clone_from(&other.graphs);
        engine.addresses.clone_from(&other.addresses);
        (engine.components, engine.sites) = (other.components, other.sites);
        for graph in &other.graphs {
            engine.peers.hosts(&graph.class);
            engine.bootstraps.add(graph);
            engine.intervals.extend(Ticks::of(graph));
        }
        engine
    }

    /// Adds an artifact, at any time. `kernels` are those of this binary, `bound` the names of the slots that have a
    /// component, none of which needs another. Connected peers learn of it by [`Engine::hello_again`], which the host
    /// sends each of them.
    ///
    /// # Errors
    /// Says why the artifact cannot run; nothing of it is kept.
    pub fn install(
        &mut self,
        artifact: &[u8],
        kernels: &[KernelEntry],
        bound: &[&str],
    ) -> Result<Installed, InstallError> {
        let bound: Vec<Bound<'_>> = bound.iter().map(|name| Bound { name, needs: &[] }).collect();
        self.install_with(artifact, kernels, &bound)
    }

    /// The same, of components that need others: which those are is in what comes back, and no two methods of a
    /// [group](crate::SlotInfo::group) may run at the same time.
    ///
    /// # Errors
    /// As [`Engine::install`]; also where a component is not there that another one needs.
    pub fn install_with(
        &mut self,
        artifact: &[u8],
        kernels: &[KernelEntry],
        bound: &[Bound<'_>],
    ) -> Result<Installed, InstallError> {
        let loaded = load::load(artifact)?;
        if self.graphs.iter().any(|g| *g.program == *loaded.program && *g.class == *loaded.class) {
            return Err(InstallError::AlreadyHosted { program: loaded.program, class: loaded.class });
        }
        let id = GraphId(self.graphs.len() as u32);
        let (slot, installed) = plan::build(loaded, id, self.components, self.sites, kernels, bound)?;
        if slot.addresses.keys().any(|a| self.addresses.contains_key(a)) {
            return Err(InstallError::AddressCollision);
        }
        self.graphs.push(slot);
        let fits = self.fits_hello();
        let slot = self.graphs.pop().expect("it was just pushed");
        fits?;
        self.addresses.extend(slot.addresses.iter().map(|(address, (place, recv))| (*address, (id, *place, *recv))));
        self.components += installed.slots.len() as u32;
        self.sites += slot.places.iter().flatten().map(|p| p.sites.len() as u32).sum::<u32>();
        self.peers.hosts(&slot.class);
        self.intervals.extend(Ticks::of(&slot));
        self.bootstraps.add(&slot);
        self.graphs.push(slot);
        self.peers.admit_all(&self.graphs);
        self.compare_with_all(id.0 as usize);
        Ok(installed)
    }

    /// What is installed, in the order of [`GraphId`]s.
    pub fn graphs(&self) -> &[GraphSlot] {
        &self.graphs
    }

    /// What this node says of itself: the first frame on a connection where no peer has had messages of this engine yet. What
    /// is settled is one peer's: hosts that know whom they talk to take [`Engine::hello_for`].
    pub fn hello(&self) -> Bytes {
        self.hello_from(1, false)
    }

    /// The first frame on a connection to this peer: what was sent to it before this connection is settled, and its
    /// numbers are not waited for. A peer that may be forgotten learns it. It has a place from then on, if there is one.
    pub fn hello_for(&mut self, now: Time, peer: &PeerId) -> Bytes {
        self.now = self.now.max(now);
        // Where there is none, the connection is refused when the peer's Hello is there.
        let ix = self.intern(peer);
        let next_seq = ix.map_or(1, |ix| self.peers.greet(ix));
        self.hello_from(next_seq, self.peers.may_have_forgotten(ix))
    }

    /// The same once more, on a connection that is there, when this node hosts more: it may overtake the first.
    pub fn hello_again(&self, peer: &PeerId) -> Bytes {
        let ix = self.peers.find(peer);
        let next_seq = ix.map_or(1, |ix| self.peers.told(ix));
        self.hello_from(next_seq, self.peers.may_have_forgotten(ix))
    }

    fn hello_from(&self, next_seq: u64, forgot: bool) -> Bytes {
        let mut classes: Vec<HostedClass> = Vec::new();
        let mut programs: Vec<ProgramOffer> = Vec::new();
        for graph in &self.graphs {
            if !classes.iter().any(|c| *c.name == *graph.class) {
                classes.push(HostedClass { name: graph.class.to_string(), proof: Bytes::new() });
            }
            if !programs.iter().any(|p| p.digest == graph.digest.0) {
                let (name, wires) = (graph.program.to_string(), graph.wires.clone());
                programs.push(ProgramOffer { name, digest: graph.digest.0, wires });
            }
        }
        hello::encode(&Hello {
            epoch: self.config.epoch,
            classes,
            programs,
            frame_bytes_max: self.config.limits.wire.frame_bytes_max as u64,
            addresses: self.config.addresses.clone(),
            next_seq,
            forgot,
        })
    }

    /// Where peers can be reached, as the host has said or a checkpoint did.
    pub fn addresses(&self) -> impl Iterator<Item = (&PeerId, &[Bytes])> {
        self.peers.all_addresses()
    }

    /// Where this node listens from now on, for Hello.
    pub fn set_addresses(&mut self, addresses: Vec<Bytes>) {
        self.config.addresses = addresses;
    }

    /// Takes in what happened at `now`. What follows from it comes out of [`Engine::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Call { call, graph, args, budget } => self.call(call, graph, args, budget),
            Input::Drop { call } => self.drop_call(call),
            Input::Connected { peer, hello } => self.connected(peer, hello),
            Input::Hosts { peer, hello } => self.hosts(&peer, hello),
            Input::Disconnected { peer } => self.disconnected(&peer),
            Input::Received { peer, frame } => self.received(&peer, frame),
            Input::Refused { send, reason } => self.refused(send, reason),
            Input::Completed { command, result } => self.completed(command, result),
            Input::Addresses { peer, addresses } => self.addresses_of(peer, addresses),
            Input::Standing { peer, standing } => self.stands(peer, standing),
            Input::Tick => {}
        }
        self.settle();
    }

    /// The next thing for the host to do or know, at `now`; `None` when nothing is left.
    pub fn poll(&mut self, now: Time) -> Option<EngineStep> {
        let mut ops = u32::MAX;
        self.poll_within(now, &mut ops)
    }

    /// The same, for a host with other things to do: every op that runs takes one of `ops`. `None` also where none are left;
    /// then [`Engine::deadline`] is now.
    pub fn poll_within(&mut self, now: Time, ops: &mut u32) -> Option<EngineStep> {
        self.now = self.now.max(now);
        self.set_intervals();
        if self.bootstraps.is_due() {
            self.begin_bootstraps();
        }
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Some(step);
            }
            if *ops == 0 && !self.ready.is_empty() {
                return None;
            } else if let Some(ready) = self.ready.pop_front() {
                *ops -= 1;
                self.fire(ready);
            } else if let Some((sent, holder)) = self.loopback.pop_front() {
                self.looped_back(sent, holder);
            } else if let Some(timer) = self.timers.due(self.now) {
                self.timer(timer);
            } else {
                self.skip_dead_timers();
                return None;
            }
            self.settle();
        }
    }

    /// When to poll again though nothing happens.
    pub fn deadline(&self) -> Option<Time> {
        let idle = self.steps.is_empty() && self.ready.is_empty() && self.loopback.is_empty();
        let unset = self.intervals.iter().any(|i| i.next.is_none()) || self.bootstraps.is_due();
        if idle && !unset { self.timers.next() } else { Some(self.now) }
    }

    /// The admitted, connected members of a class, sorted.
    pub fn members(&self, class: &str) -> Vec<PeerId> {
        self.peers.members(class)
    }

    /// Whether a peer is one of them.
    pub fn is_member(&self, class: &str, peer: &PeerId) -> bool {
        self.peers.is_member(class, peer)
    }

    /// The classes that have any.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.peers.classes()
    }

    /// What the engine holds: zero when nothing runs.
    pub fn usage(&self) -> Usage {
        Usage {
            bytes: self.shares.bytes(),
            frames: self.frames.len(),
            lanes: self.lanes,
            commands: self.commands.len(),
            calls: self.calls.open(),
            in_flight: self.peers.in_flight(),
        }
    }

    /// What happened so far, in numbers.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Tells the outside: of a durable engine, once a checkpoint holds it.
    fn tell(&mut self, step: EngineStep) {
        if self.config.durable && !has(Bug::OutputsBeforeCheckpoint) {
            self.held.push(step);
        } else {
            self.steps.push_back(step);
        }
    }
    fn event(&mut self, event: Event) {
        let counter = match &event {
            Event::Duplicate { .. } => Some(&mut self.counters.duplicates),
            Event::Late { .. } => Some(&mut self.counters.late),
            Event::Stale { .. } => Some(&mut self.counters.stale),
            Event::UnexpectedSender { .. } => Some(&mut self.counters.unexpected),
            Event::EnvelopeRefused { .. } => Some(&mut self.counters.refused_frames),
            Event::WireReceiveError { .. } => Some(&mut self.counters.refused_values),
            _ => None,
        };
        if let Some(counter) = counter {
            *counter += 1;
        }
        // Events can be lost where the host does not poll, and the last one says so; what it has to do cannot.
        let room = self.config.limits.steps_max.saturating_sub(self.steps.len());
        match room {
            0 => {}
            1 => {
                let (limit, execution) = (LimitKind::Steps, None);
                self.steps.push_back(EngineStep::Event(Event::LimitReached { limit, execution }));
            }
            _ => self.steps.push_back(EngineStep::Event(event)),
        }
    }
    fn limit(&mut self, limit: LimitKind, execution: Option<ExecutionId>) {
        self.event(Event::LimitReached { limit, execution });
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Frame(frame) => self.expire(frame),
            Timer::Gather { frame, node, lane } => self.gather_deadline(frame, node, lane),
            Timer::Ack { peer } => self.acknowledge(peer),
            Timer::Parked { frame, node, lane } => self.unpark(frame, node, lane),
            Timer::Interval { number } => self.tick(number),
            Timer::Restored => self.miss_peers(),
            Timer::InFlight { peer } if self.peers.outbox(peer).0.rings(self.now) => self.look_after(peer),
            Timer::InFlight { .. } => {}
        }
    }

    /// Timers of frames that have ended would wake the host for nothing.
    fn skip_dead_timers(&mut self) {
        let (frames, peers) = (&self.frames, &mut self.peers);
        self.timers.skip(|timer| match timer {
            Timer::Frame(frame) | Timer::Gather { frame, .. } | Timer::Parked { frame, .. } => {
                frames.get(*frame).is_none()
            }
            Timer::Interval { .. } => false,
            Timer::Ack { peer } => !peers.owes_ack(*peer),
            Timer::Restored => frames.len() == 0,
            Timer::InFlight { peer } => peers.outbox(*peer).0.is_at_rest(),
        });
    }
}

/// The call of an entry frame, where there is one.
type CallOf = Option<CallId>;
