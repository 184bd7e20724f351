//! Dense tables, one per place: what fires when, and where its values go.

mod bootstrap;
mod build;
mod clocks;
mod graph;
mod needs;
mod node;
mod place;
mod served;
mod sizes;
mod syscall;
mod uses;
mod weights;

pub use bootstrap::BootstrapPlan;
pub use build::build;
pub use graph::{EntryInput, GraphSlot, Installed, NodeSiteId, OpDispatch, OpRef, SlotInfo, WireSite};
pub use node::millionths;
pub use sizes::{NameIx, Sizes};
pub use syscall::Syscall;

use crate::input::ComponentId;
use bb_ir::component::Kernel;
use bb_ir::site::SiteAddress;
use bb_ir::types::ValueType;
use bb_ir::value::Value;
use std::sync::Arc;

/// A site of a place, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteIx(pub u32);
/// A node of a place, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub u32);
/// A Recv of a place, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecvIx(pub u32);
/// The lanes of a wire that comes home to a place, by their number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanesIx(pub u32);

/// Where a site's value lies: in the frame, or once per lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Frame,
    /// The lanes, and the number among their sites.
    Lanes(LanesIx, u32),
}

pub struct SitePlan {
    pub name: Arc<str>,
    pub ty: ValueType,
    /// Whether it is a sequence of peers.
    pub cohort: bool,
    /// Its axes whose size has a name.
    pub named: Vec<(usize, NameIx)>,
    pub storage: Storage,
    /// For a declared output: its number among the partition's outputs.
    pub output: Option<u32>,
}

pub struct NodePlan {
    pub name: Arc<str>,
    pub kind: NodeKind,
    /// What it reads, in order.
    pub inputs: Vec<Option<SiteIx>>,
    /// Whether it is the only reader, so that the value moves.
    pub moves: Vec<bool>,
    /// What it writes, in order.
    pub outputs: Vec<SiteIx>,
    /// How many distinct sites have to be there, data and control.
    pub pending: u32,
    /// The distinct sites it waits for.
    pub waits_for: Vec<SiteIx>,
    /// The lanes it runs in, and its number among their nodes.
    pub lanes: Option<(LanesIx, u32)>,
    /// Whether nothing follows from its outputs but that ops of the same frame get ready.
    pub plain: bool,
}

pub enum NodeKind {
    /// Moves its one input to its output.
    Pass,
    Kernel(Box<dyn Kernel>),
    Method {
        component: ComponentId,
        method: Arc<str>,
    },
    Send(SendPlan),
    Gather(GatherPlan),
    Syscall(Syscall),
}

pub struct SendPlan {
    pub wire: u64,
    pub to_place: u32,
    pub to_each: bool,
    pub payloads: Vec<(SiteIx, SiteAddress, u64)>,
    pub trigger_only: bool,
    pub peer: Destination,
    pub deadline_ns: Option<u64>,
    /// Its number among the Sends of its frame or lane that start a gather's clock.
    pub starts: Option<u32>,
    /// The Gathers whose clock it starts.
    pub clocks: Vec<NodeIx>,
}
/// A Send that starts a gather's clock, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    Frame(u32),
    Lane(LanesIx, u32),
}
pub enum Destination {
    Site(SiteIx),
    Static(bb_ir::peer::PeerId),
}

pub enum NeedPlan {
    All,
    Count(u64),
    /// In millionths.
    Fraction(u64),
    First(u64),
    CountOf(SiteIx),
    FractionOf(SiteIx),
    FirstOf(SiteIx),
}
pub enum WithinPlan {
    Never,
    Constant(u64),
    Of(SiteIx),
}
pub struct GatherPlan {
    pub lanes: LanesIx,
    /// What it gathers: numbers among the lanes' sites.
    pub values: Vec<u32>,
    pub need: NeedPlan,
    pub within: WithinPlan,
    /// Its number among the gathers of these lanes.
    pub number: u32,
}

/// Who may fill a Recv's sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filler {
    /// The lane's member.
    Member,
    /// The peer that made the call.
    Origin,
    /// The peer in this site.
    Named(SiteIx),
    /// Any member of the class; once one of these Recvs is filled, the same peer.
    Same(Vec<RecvIx>),
}

pub struct RecvPlan {
    /// Where its wire is in the program.
    pub source: Option<Arc<str>>,
    pub name: Arc<str>,
    pub wire: u64,
    /// The payloads' sites, addresses and type hashes.
    pub payloads: Vec<(SiteIx, SiteAddress, u64)>,
    pub sender: SiteIx,
    /// Whether anything here asks who sent it.
    pub sender_read: bool,
    pub trigger_only: bool,
    /// The slot whose role op reads the payload.
    pub slot: Option<u32>,
    pub from_class: Arc<str>,
    pub from_place: u32,
    pub filler: Filler,
    /// For a lane's return.
    pub lanes: Option<LanesIx>,
    /// The wires whose Sends here it cannot come without.
    pub awaits: Vec<u64>,
}

/// The lanes of one wire that comes home.
pub struct LanesPlan {
    pub recv: RecvIx,
    /// The site of the cohort whose members the lanes are.
    pub cohort: SiteIx,
    /// The lanes' sites, in the order of their numbers.
    pub sites: Vec<SiteIx>,
    /// The lanes' nodes.
    pub nodes: Vec<NodeIx>,
    /// The Gathers that close them.
    pub gathers: Vec<NodeIx>,
    /// The Sends its values cannot come without, those they stand behind in turn included: `within` counts from the
    /// last of them, in each lane for itself where they run in lanes.
    pub clock: Vec<Clock>,
    /// How many Sends of a lane start a gather's clock.
    pub starts: u32,
}

/// One place of a class.
pub struct PlacePlan {
    pub place: u32,
    pub each: bool,
    pub sites: Vec<SitePlan>,
    /// The names of dimensions of its sites.
    pub names: Vec<Arc<str>>,
    pub nodes: Vec<NodePlan>,
    /// Per site, the nodes that read it, each once: `consumers[first[s]..first[s + 1]]`.
    pub consumers: Vec<NodeIx>,
    pub first_consumer: Vec<u32>,
    pub recvs: Vec<RecvPlan>,
    pub lanes: Vec<LanesPlan>,
    /// Values that are there when a frame opens.
    pub constants: Vec<(SiteIx, Value)>,
    /// Sites that hold the peer that made the call.
    pub origins: Vec<SiteIx>,
    pub start: Option<SiteIx>,
    /// The entry's inputs.
    pub inputs: Vec<SiteIx>,
    /// How many Sends outside of lanes start a gather's clock.
    pub starts: u32,
    /// Its Sends, in and out of lanes.
    pub sends: Vec<NodeIx>,
    /// Nodes that wait for nothing.
    pub sources: Vec<NodeIx>,
    /// The pending counters of a new frame.
    pub pending: Vec<u32>,
}

impl PlacePlan {
    #[inline]
    pub fn consumers(&self, site: SiteIx) -> &[NodeIx] {
        let first = |s: u32| self.first_consumer[s as usize] as usize;
        &self.consumers[first(site.0)..first(site.0 + 1)]
    }
    #[inline]
    pub fn node(&self, node: NodeIx) -> &NodePlan {
        &self.nodes[node.0 as usize]
    }
    #[inline]
    pub fn site(&self, site: SiteIx) -> &SitePlan {
        &self.sites[site.0 as usize]
    }
    pub fn recv(&self, recv: RecvIx) -> &RecvPlan {
        &self.recvs[recv.0 as usize]
    }
    pub fn lanes(&self, lanes: LanesIx) -> &LanesPlan {
        &self.lanes[lanes.0 as usize]
    }
}
