//! One node of a world: an engine, its artifacts and its components.

use crate::installations::{BoundTo, Installations};
use crate::piece::arguments;
use crate::wrong::Wrong;
use bb::__private::Typed;
use bb::engine::{
    Arg, CheckpointError, CommandId, ComponentFailure, ComponentId, Config, Engine, GraphId, GraphSlot, InstallError,
    StageError, Time,
};
use bb::ir::component::{Component, ComponentEntry, KernelEntry, built};
use bb::ir::held::Held;
use bb::ir::needs::{hand_over, needs_of};
use bb::ir::peer::PeerId;
use bb::ir::value::Value;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
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
    /// Hands in what the program's bootstrap takes by that name, at every start, as `Node::stage` does at one.
    pub fn stage(self, name: impl Into<String>, value: impl Typed) -> Self {
        self.stage_args(name, arguments(value))
    }
    /// The same, untyped.
    pub fn stage_args(mut self, name: impl Into<String>, args: Vec<Arg>) -> Self {
        self.staged.push((name.into(), args));
        self
    }
}

/// What a component holds, if it holds something.
type State = Option<Vec<u8>>;

/// What the program names by its type is built by it, unless it is bound: the types that are linked.
static ENTRIES: LazyLock<Vec<ComponentEntry>> = LazyLock::new(bb::components);

/// A component of a node that runs.
struct Slot {
    /// Its host, and its name there.
    name: (usize, String),
    component: Held,
    /// What its methods may call.
    needs: Vec<ComponentId>,
    /// Methods of one group wait for each other.
    group: ComponentId,
}

/// A node that runs.
pub(crate) struct Running {
    pub engine: Engine,
    pub graphs: Vec<GraphId>,
    pub installed: Rc<[GraphSlot]>,
    slots: BTreeMap<ComponentId, Slot>,
    /// Methods whose results are not due yet, and what each component that they may change held before: that is what a
    /// checkpoint keeps, since such a method runs again.
    under_way: BTreeMap<ComponentId, VecDeque<(CommandId, State)>>,
    durable: bool,
    /// When each group of components is done with what it was given: one method at a time.
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
        let of = |(slot, made): (&String, &mut Box<dyn Component>)| (slot.clone(), needs_of(made));
        let bound: Vec<Vec<BoundTo>> = all.iter_mut().map(|made| made.iter_mut().map(of).collect()).collect();
        let installation = installations.of(hosts, &bound, kernels, &ENTRIES)?;
        let durable = config.durable;
        let engine = Engine::with_graphs_of(&installation.engine, config);
        let mut graphs = Vec::new();
        let mut slots = BTreeMap::new();
        for ((number, made), installed) in all.iter_mut().enumerate().zip(&installation.installed) {
            graphs.push(installed.graph);
            let mut held = Vec::new();
            for info in &installed.slots {
                let built = || built(&ENTRIES, info.concrete.as_deref());
                let component =
                    made.remove(&*info.name).or_else(built).expect("the engine has seen that all are bound");
                held.push((info, Held::new(component)));
            }
            hand_over(held.iter().map(|(info, held)| (&info.name, held)));
            for (info, component) in held {
                let name = (number, info.name.to_string());
                let (needs, group) = (info.needs.clone(), info.group);
                slots.insert(info.component, Slot { name, component, needs, group });
            }
        }
        let (under_way, busy_until) = (BTreeMap::new(), BTreeMap::new());
        let installed = installation.graphs.clone();
        Ok(Running { engine, graphs, installed, slots, under_way, durable, busy_until })
    }

    /// What a crash that happens now would not destroy, once it is written; and its number.
    pub fn checkpoint(&mut self) -> (u64, Stable) {
        let checkpoint = self.engine.checkpoint();
        let mut components = BTreeMap::new();
        for (id, slot) in &self.slots {
            let before = self.under_way.get(id).and_then(|u| u.front()).map(|(_, state)| state.clone());
            if let Some(state) = before.unwrap_or_else(|| slot.component.checkpoint()) {
                components.insert(slot.name.clone(), state);
            }
        }
        (checkpoint.id, Stable { engine: checkpoint.bytes, components })
    }
    /// Takes up what was written last.
    pub fn restore(&mut self, now: Time, stable: &Stable) -> Result<(), CheckpointError> {
        _ = self.engine.restore(now, &stable.engine)?;
        // What a component needs before itself: it may ask.
        let mut slots: Vec<&Slot> = self.slots.values().collect();
        slots.sort_by_key(|slot| slot.needs.len());
        for slot in slots {
            if let Some(state) = stable.components.get(&slot.name) {
                slot.component.restore(state).map_err(|_| CheckpointError::Damaged)?;
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
        self.slots.values().map(|slot| slot.name.1.as_str())
    }
    /// The slot of a component that has not panicked.
    pub fn slot(&self, component: ComponentId) -> Option<&str> {
        self.slots.get(&component).filter(|slot| !slot.component.is_gone()).map(|slot| slot.name.1.as_str())
    }

    /// Runs a method at once, unless it is to fail; its result is due when its group is free and `cost` has passed.
    pub fn run(
        &mut self,
        now: u64,
        cost: Duration,
        run: Command,
        wrong: Option<Wrong>,
    ) -> (u64, Result<Vec<Value>, ComponentFailure>) {
        let slot = self.slots.get(&run.component).expect("the engine runs what is installed");
        if self.durable {
            for id in slot.needs.iter().chain([&run.component]) {
                let state = self.slots.get(id).and_then(|slot| slot.component.checkpoint());
                self.under_way.entry(*id).or_default().push_back((run.command, state));
            }
        }
        let free = self.busy_until.entry(slot.group).or_insert(now);
        let due = (*free).max(now).saturating_add(cost.as_nanos() as u64);
        *free = due;
        match wrong.and_then(Wrong::failure) {
            Some(failure) => {
                if wrong == Some(Wrong::Panic) {
                    slot.component.give_up();
                }
                (due, Err(failure))
            }
            None => (due, slot.component.run(&run.method, run.inputs)),
        }
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
