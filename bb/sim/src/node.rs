//! One node of a world: an engine, its artifacts and its components.

use bb::engine::{CommandId, ComponentFailure, ComponentId, Config, Engine, GraphId, InstallError, Limits, Membership};
use bb::ir::component::{Component, KernelEntry};
use bb::ir::peer::PeerId;
use bb::ir::value::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A node, by its number in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub usize);

/// The identity of the `index`th node: an Ed25519 multihash in form, ordered as the indices are.
pub fn peer_id(index: usize) -> PeerId {
    let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    bytes.extend_from_slice(&[0; 24]);
    bytes.extend_from_slice(&(index as u64).to_be_bytes());
    PeerId::from_bytes(bytes).expect("38 bytes are no more than 64")
}

/// The node whose identity that is, if it is one of [`peer_id`]'s.
pub(crate) fn index_of(peer: &PeerId) -> Option<NodeIx> {
    let tail = peer.as_bytes().last_chunk::<8>()?;
    let ix = usize::try_from(u64::from_be_bytes(*tail)).ok()?;
    (peer_id(ix) == *peer).then_some(NodeIx(ix))
}

type MakeComponents = Box<dyn Fn() -> Vec<(String, Box<dyn Component>)>>;

/// What a node runs: one class of a program, and how its components are made whenever the node starts.
pub struct Host {
    pub(crate) artifact: Vec<u8>,
    pub(crate) components: MakeComponents,
}

impl Host {
    /// An artifact without slots.
    pub fn new(artifact: impl Into<Vec<u8>>) -> Self {
        Host { artifact: artifact.into(), components: Box::new(Vec::new) }
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
}

/// A node that runs.
pub(crate) struct Running {
    pub engine: Engine,
    pub graphs: Vec<GraphId>,
    components: BTreeMap<ComponentId, Box<dyn Component>>,
    /// When each component is done with what it was given: one method at a time.
    busy_until: BTreeMap<ComponentId, u64>,
}

impl Running {
    pub fn start(
        peer: PeerId,
        epoch: u64,
        membership: Membership,
        limits: Limits,
        hosts: &[Host],
        kernels: &[KernelEntry],
    ) -> Result<Self, InstallError> {
        let mut config = Config::new(peer, epoch);
        config.membership = membership;
        config.limits = limits;
        let mut engine = Engine::new(config);
        let mut graphs = Vec::new();
        let mut components = BTreeMap::new();
        for host in hosts {
            let mut made: BTreeMap<String, Box<dyn Component>> = (host.components)().into_iter().collect();
            let bound: Vec<&str> = made.keys().map(String::as_str).collect();
            let installed = engine.install(&host.artifact, kernels, &bound)?;
            graphs.push(installed.graph);
            for slot in &installed.slots {
                if let Some(component) = made.remove(&*slot.name) {
                    components.insert(slot.component, component);
                }
            }
        }
        Ok(Running { engine, graphs, components, busy_until: BTreeMap::new() })
    }

    /// Runs a method at once; its result is due when the component is free and `cost` has passed.
    pub fn run(
        &mut self,
        now: u64,
        cost: Duration,
        run: Command,
    ) -> (u64, CommandId, Result<Vec<Value>, ComponentFailure>) {
        let free = self.busy_until.entry(run.component).or_insert(now);
        let due = (*free).max(now).saturating_add(cost.as_nanos() as u64);
        *free = due;
        let result = match self.components.get_mut(&run.component) {
            None => Err(ComponentFailure::Error(format!("no component is bound for `{}`", run.method))),
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
        (due, run.command, result)
    }
}

/// A method that the engine wants run.
pub(crate) struct Command {
    pub command: CommandId,
    pub component: ComponentId,
    pub method: std::sync::Arc<str>,
    pub inputs: Vec<Value>,
}
