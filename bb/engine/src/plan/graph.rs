//! An installed artifact.

use super::{BootstrapPlan, NodeKind, PlacePlan, RecvIx, SiteIx};
use crate::input::{ComponentId, GraphId};
use bb_ir::digest::ProgramDigest;
use bb_ir::hello::WireOffer;
use bb_ir::site::SiteAddress;
use bb_ir::types::ValueType;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a host learns of an artifact it has installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its number.
    pub graph: GraphId,
    /// The program's name.
    pub program: Arc<str>,
    /// The class that this node hosts of it.
    pub class: Arc<str>,
    /// Its slots, in the order of their numbers.
    pub slots: Vec<SlotInfo>,
    /// What a call takes; empty where calls do not start here.
    pub inputs: Vec<EntryInput>,
    /// What its bootstrap waits for, besides its start: see [`Engine::stage`](crate::Engine::stage).
    pub staged: Vec<EntryInput>,
    /// The outputs of the program that live on this class: name, and whether at the entry.
    pub outputs: Vec<(Arc<str>, bool)>,
}

/// A slot of an installed artifact.
#[derive(Clone, Debug)]
pub struct SlotInfo {
    /// How `Run` names it.
    pub component: ComponentId,
    /// Its name in the program.
    pub name: Arc<str>,
    /// The role.
    pub role: Arc<str>,
    /// The type of a component that the program names, which the host builds unless the slot is bound.
    pub concrete: Option<Arc<str>>,
    /// The components that its methods may call: those it needs, and what these need.
    pub needs: Vec<ComponentId>,
    /// Components that are joined by needs have one group, which is called by the first of them: no two methods of a group
    /// run at the same time, whichever components they are of.
    pub group: ComponentId,
}

/// An input of a call, or of a bootstrap.
#[derive(Clone, Debug)]
pub struct EntryInput {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: ValueType,
    /// The class of the peers it names.
    pub peer_class: Option<Arc<str>>,
}

/// A site, numbered once per engine over all installed artifacts; it means nothing to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSiteId(pub u32);

/// A node of an installed artifact: `graph << 32 | node`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpRef(pub u64);

/// How a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpDispatch {
    /// Its input becomes its output.
    PassThrough,
    /// A kernel, within `poll`.
    Kernel,
    /// A component's method, by the host.
    Component(ComponentId),
    /// It sends.
    Send,
    /// It closes lanes.
    Gather,
    /// The engine itself: time, chance, what leaves a graph at its side.
    Syscall,
}

/// A wire, as seen from a site that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireSite<'a> {
    /// Its id.
    pub id: u64,
    /// Where it is in the program: file, line, column.
    pub source: Option<&'a str>,
}

/// An installed artifact: dense tables by site and node.
#[derive(Clone)]
pub struct GraphSlot {
    pub(crate) id: GraphId,
    pub(crate) program: Arc<str>,
    pub(crate) class: Arc<str>,
    pub(crate) digest: ProgramDigest,
    pub(crate) wires: Vec<WireOffer>,
    /// By place number; only those of this class.
    pub(crate) places: Vec<Option<Arc<PlacePlan>>>,
    /// The class of every place of the program.
    pub(crate) classes: Arc<[Arc<str>]>,
    pub(crate) inputs: Vec<EntryInput>,
    /// The outputs of this class: name, place, and its number among the entry's outputs.
    pub(crate) outputs: Vec<(Arc<str>, u32, Option<u32>)>,
    pub(crate) addresses: FxHashMap<SiteAddress, (u32, RecvIx)>,
    /// What runs once per start touches these components; it is the last of the places.
    pub(crate) bootstrap: Option<BootstrapPlan>,
    pub(crate) first_site: u32,
}

impl GraphSlot {
    /// The name of the partition's function.
    pub fn function(&self) -> String {
        format!("{}_{}", self.program, self.class)
    }
    /// The class whose part it is.
    pub fn class(&self) -> &str {
        &self.class
    }
    /// The wire that fills the site of that address.
    pub fn wire_of(&self, site: &SiteAddress) -> Option<WireSite<'_>> {
        let (place, recv) = self.addresses.get(site)?;
        let recv = self.places[*place as usize].as_ref()?.recv(*recv);
        Some(WireSite { id: recv.wire, source: recv.source.as_deref() })
    }
    /// Whether calls start here.
    pub fn is_entry_point(&self) -> bool {
        !self.inputs.is_empty()
    }
    /// How many outputs resolve a call.
    pub(crate) fn outputs_at_entry(&self) -> usize {
        self.outputs.iter().filter(|(.., number)| number.is_some()).count()
    }
    fn plans(&self) -> impl Iterator<Item = &PlacePlan> {
        self.places.iter().flatten().map(Arc::as_ref)
    }
    /// Every node with how it runs, in the order of places and nodes.
    pub fn op_dispatch(&self) -> impl Iterator<Item = (OpRef, &str, OpDispatch)> {
        let graph = u64::from(self.id.0) << 32;
        self.plans().flat_map(|p| &p.nodes).enumerate().map(move |(i, node)| {
            let dispatch = match &node.kind {
                NodeKind::Pass => OpDispatch::PassThrough,
                NodeKind::Kernel(_) => OpDispatch::Kernel,
                NodeKind::Method { component, .. } => OpDispatch::Component(*component),
                NodeKind::Send(_) => OpDispatch::Send,
                NodeKind::Gather(_) => OpDispatch::Gather,
                NodeKind::Syscall(_) => OpDispatch::Syscall,
            };
            (OpRef(graph | i as u64), &*node.name, dispatch)
        })
    }
    /// Every site with its name, in the order of its numbers.
    pub fn site_names(&self) -> impl Iterator<Item = (NodeSiteId, &str)> {
        let sites = self.plans().flat_map(|p| &p.sites).enumerate();
        sites.map(|(i, site)| (NodeSiteId(self.first_site + i as u32), &*site.name))
    }
    /// The ops that read the site of that name, each once.
    pub fn consumers(&self, site: &str) -> Vec<&str> {
        let of = |p: &PlacePlan| {
            let at = p.sites.iter().position(|s| &*s.name == site)?;
            Some(p.consumers(SiteIx(at as u32)).iter().map(|n| n.0 as usize).collect::<Vec<_>>())
        };
        let found = self.plans().find_map(|p| Some((p, of(p)?)));
        found.map_or_else(Vec::new, |(p, nodes)| nodes.into_iter().map(|n| &*p.nodes[n].name).collect())
    }
    /// The program's outputs that live on this class.
    pub fn top_level_outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, ..)| &**name)
    }
    /// Of every payload site, the site of its sender.
    pub fn recv_sender_sites(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plans().flat_map(|p| {
            let name = |s: SiteIx| &*p.site(s).name;
            p.recvs.iter().flat_map(move |r| r.payloads.iter().map(move |(s, ..)| (name(*s), name(r.sender))))
        })
    }
    /// Of every payload site that a role op reads, the number of its slot.
    pub fn recv_site_to_slot_id(&self) -> impl Iterator<Item = (&str, u32)> {
        self.plans().flat_map(|p| {
            p.recvs.iter().flat_map(move |r| r.payloads.iter().filter_map(|(s, ..)| Some((&*p.site(*s).name, r.slot?))))
        })
    }
    /// Of every payload site, the hash of its type.
    pub fn recv_wire_type_hash(&self) -> impl Iterator<Item = (&str, u64)> {
        self.plans()
            .flat_map(|p| p.recvs.iter().flat_map(|r| r.payloads.iter().map(|(s, _, hash)| (&*p.site(*s).name, *hash))))
    }
}
