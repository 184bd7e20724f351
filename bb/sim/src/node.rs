//! One node of a world: an engine, its artifacts and its components.

use crate::installations::Installations;
use crate::wrong::Wrong;
use bb::engine::{
    Arg, CheckpointError, CommandId, ComponentFailure, ComponentId, Config, Engine, GraphId, GraphSlot, InstallError,
    StageError, Time,
};
use bb::ir::component::{Component, ComponentEntry, KernelEntry, built};
use bb::ir::peer::PeerId;
use bb::ir::value::Value;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

/// A node, by its number in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub usize);

/// What all identities begin with: the multihash of an Ed25519 key in protobuf, whose first 24 bytes are zero.
const PREFIX: [u8; 30] = {
    let mut prefix = [0; 30];
    (prefix[1], prefix[2], prefix[3], prefix[4], prefix[5]) = (0x24, 0x08, 0x01, 0x12, 0x20);
    prefix
};

/// The identity of the `index`th node: an Ed25519 multihash in form, ordered as the indices are.
pub fn peer_id(index: usize) -> PeerId {
    let mut bytes = [0; PREFIX.len() + 8];
    let (prefix, number) = bytes.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(&PREFIX);
    number.copy_from_slice(&(index as u64).to_be_bytes());
    PeerId::from_bytes(bytes).expect("38 bytes are no more than 64")
}

/// The node whose identity that is, if it is one of [`peer_id`]'s.
pub(crate) fn index_of(peer: &PeerId) -> Option<NodeIx> {
    let tail = peer.as_bytes().strip_prefix(&PREFIX)?;
    usize::try_from(u64::from_be_bytes(tail.try_into().ok()?)).ok().map(NodeIx)
}

pub(crate) type MakeComponents = Box<dyn Fn() -> Vec<(String, Box<dyn Component>)>>;

/// What a node runs: one class of a program, and how its components are made whenever the node starts.
pub struct Host {
    pub(crate) artifact: Bytes,
    components: MakeComponents,
    staged: Vec<(String, Vec<Arg>)>,
}

impl Host {
    /// An artifact without slots.
    pub fn new(artifact: impl Into<Vec<u8>>) -> Self {
        Host::with(artifact.into().into(), Box::new(Vec::new))
    }
    pub(crate) fn with(artifact: Bytes, components: MakeComponents) -> Self {
        Host { artifact, components, staged: Vec::new() }
    }
    /// With a component in a slot; `make` runs at every start.
    pub fn bind<X: Component + 'static>(self, slot: impl Into<String>, make: impl Fn() -> X + 'static) -> Self {
        let (slot, before) = (slot.into(), self.components);
        let components: MakeComponents = Box::new(move || {
            let mut all = before();
            all.push((slot.clone(), Box::new(make()) as Box<dyn Component>));
            all
        });
        Host { components, ..self }
    }
    /// Hands in what the program's bootstrap takes by that name, at every start.
    pub fn stage(mut self, name: impl Into<String>, args: Vec<Arg>) -> Self {
        self.staged.push((name.into(), args));
        self
    }
}

/// What a component holds, if it holds something.
type State = Option<Vec<u8>>;

/// What the program names by its type is built by it, unless it is bound: the types that are linked.
static ENTRIES: LazyLock<Vec<ComponentEntry>> = LazyLock::new(bb::components);

/// A node that runs.
pub(crate) struct Running {
    pub engine: Engine,
    pub graphs: Vec<GraphId>,
    pub installed: Rc<[GraphSlot]>,
    components: BTreeMap<ComponentId, Box<dyn Component>>,
    slots: BTreeMap<ComponentId, (usize, String)>,
    /// Methods whose results are not due yet, and what their components held before: that is what a checkpoint keeps,
    /// since such a method runs again.
    under_way: BTreeMap<ComponentId, VecDeque<(CommandId, State)>>,
    durable: bool,
    /// When each component is done with what it was given: one method at a time.
    busy_until: BTreeMap<ComponentId, u64>,
}

impl Running {
    pub fn start(
        config: Config,
        hosts: &[Host],
        kernels: &[KernelEntry],
        installations: &mut Installations,
    ) -> Result<Self, InstallError> {
        let mut all: Vec<BTreeMap<String, Box<dyn Component>>> =
            hosts.iter().map(|host| (host.components)().into_iter().collect()).collect();
        let installation = installations.of(hosts, &all, kernels, &ENTRIES)?;
        let durable = config.durable;
        let engine = Engine::with_graphs_of(&installation.engine, config);
        let mut graphs = Vec::new();
        let (mut components, mut slots) = (BTreeMap::new(), BTreeMap::new());
        for ((number, made), installed) in all.iter_mut().enumerate().zip(&installation.installed) {
            graphs.push(installed.graph);
            for slot in &installed.slots {
                slots.insert(slot.component, (number, slot.name.to_string()));
                let built = || built(&ENTRIES, slot.concrete.as_deref());
                if let Some(component) = made.remove(&*slot.name).or_else(built) {
                    components.insert(slot.component, component);
                }
            }
        }
        let (under_way, busy_until) = (BTreeMap::new(), BTreeMap::new());
        let installed = installation.graphs.clone();
        Ok(Running { engine, graphs, installed, components, slots, under_way, durable, busy_until })
    }

    /// What a crash that happens now would not destroy, once it is written; and its number.
    pub fn checkpoint(&mut self) -> (u64, Stable) {
        let checkpoint = self.engine.checkpoint();
        let mut components = BTreeMap::new();
        for (id, slot) in &self.slots {
            let before = self.under_way.get(id).and_then(|u| u.front()).map(|(_, state)| state.clone());
            let state = before.unwrap_or_else(|| self.components.get(id).and_then(|c| c.checkpoint()));
            if let Some(state) = state {
                components.insert(slot.clone(), state);
            }
        }
        (checkpoint.id, Stable { engine: checkpoint.bytes, components })
    }
    /// Takes up what was written last.
    pub fn restore(&mut self, now: Time, stable: &Stable) -> Result<(), CheckpointError> {
        _ = self.engine.restore(now, &stable.engine)?;
        for (id, slot) in &self.slots {
            if let (Some(state), Some(component)) = (stable.components.get(slot), self.components.get_mut(id)) {
                component.restore(state).map_err(|_| CheckpointError::Damaged)?;
            }
        }
        Ok(())
    }
    /// Hands in what is staged at every start, unless the bootstrap began before it.
    pub fn stage(&mut self, hosts: &[Host]) {
        for (host, graph) in hosts.iter().zip(&self.graphs) {
            for (name, args) in &host.staged {
                match self.engine.stage(*graph, name, args.clone()) {
                    Ok(()) | Err(StageError::Begun(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
    /// The engine has the result of a method.
    pub fn ran(&mut self, command: CommandId) {
        for under_way in self.under_way.values_mut() {
            under_way.retain(|(c, _)| *c != command);
        }
    }

    /// The names of all slots.
    pub fn slots(&self) -> impl Iterator<Item = &str> {
        self.slots.values().map(|(_, name)| name.as_str())
    }
    /// The slot of a component that has not panicked.
    pub fn slot(&self, component: ComponentId) -> Option<&str> {
        self.slots.get(&component).filter(|_| self.components.contains_key(&component)).map(|(_, name)| name.as_str())
    }

    /// Runs a method at once, unless it is to fail; its result is due when the component is free and `cost` has passed.
    pub fn run(
        &mut self,
        now: u64,
        cost: Duration,
        run: Command,
        wrong: Option<Wrong>,
    ) -> (u64, Result<Vec<Value>, ComponentFailure>) {
        if self.durable {
            let state = self.components.get(&run.component).and_then(|c| c.checkpoint());
            self.under_way.entry(run.component).or_default().push_back((run.command, state));
        }
        let free = self.busy_until.entry(run.component).or_insert(now);
        let due = (*free).max(now).saturating_add(cost.as_nanos() as u64);
        *free = due;
        if let Some(failure) = wrong.and_then(Wrong::failure) {
            if wrong == Some(Wrong::Panic) {
                self.components.remove(&run.component);
            }
            return (due, Err(failure));
        }
        let result = match self.components.get_mut(&run.component) {
            None => Err(ComponentFailure::Refused),
            Some(component) => match catch_unwind(AssertUnwindSafe(|| component.run(&run.method, run.inputs))) {
                Ok(result) => result.map_err(|e| ComponentFailure::Error(e.0)),
                Err(panic) => {
                    self.components.remove(&run.component);
                    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
                    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                    Err(ComponentFailure::Panicked(text.unwrap_or_else(|| "no message".into())))
                }
            },
        };
        (due, result)
    }
}

/// What a crash does not destroy: the engine's checkpoint, and components by host and slot.
#[derive(Clone)]
pub(crate) struct Stable {
    pub engine: Bytes,
    components: BTreeMap<(usize, String), Vec<u8>>,
}

/// A method that the engine wants run.
pub(crate) struct Command {
    pub command: CommandId,
    pub component: ComponentId,
    pub method: std::sync::Arc<str>,
    pub inputs: Vec<Value>,
}
