//! What a node is made of.

use crate::error::StartError;
use crate::handle::Handle;
use crate::identity::Identity;
use crate::node;
use bb_engine::{Component, ComponentEntry, KernelEntry, Limits, Membership, PeerId, Standing};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One class of a program that a node hosts.
pub struct Hosted {
    /// What the compiler gave for that class.
    pub artifact: Cow<'static, [u8]>,
    /// The stateless ops that this binary can run.
    pub kernels: Vec<KernelEntry>,
    /// The components, by slot name.
    pub components: Vec<(String, Box<dyn Component>)>,
    /// The types of components that this binary builds by itself, where the program names one and nothing is bound.
    pub entries: Vec<ComponentEntry>,
}

/// A component in place of one that the program names.
pub(crate) struct Bound {
    pub slot: String,
    pub role: &'static str,
    pub component: Box<dyn Component>,
}

/// Makes a node.
#[derive(Default)]
pub struct Builder {
    pub(crate) listen: Vec<String>,
    pub(crate) dial: Vec<String>,
    pub(crate) identity: Identity,
    pub(crate) membership: Membership,
    pub(crate) limits: Limits,
    pub(crate) standings: BTreeMap<PeerId, Standing>,
    pub(crate) hosted: Vec<(Hosted, Vec<Bound>)>,
    pub(crate) bound: Vec<Bound>,
    pub(crate) durable: Option<PathBuf>,
}

impl Builder {
    /// A node that listens nowhere and hosts nothing.
    pub fn new() -> Self {
        Builder::default()
    }
    /// Listens there: `/ip4/0.0.0.0/tcp/7000`. May be said several times.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen.push(address.into());
        self
    }
    /// Connects to the peer there, and again whenever that connection is lost. May be said several times.
    pub fn dial(mut self, address: impl Into<String>) -> Self {
        self.dial.push(address.into());
        self
    }
    /// Who it is; a new identity where nothing is said.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }
    /// Who may claim a class. Once any class has a list, classes without one admit nobody.
    pub fn members(mut self, class: impl Into<String>, members: impl IntoIterator<Item = PeerId>) -> Self {
        self.membership = self.membership.list(class, members);
        self
    }
    /// What these peers are to it: always talked to, whatever their health, or never. See [`Handle::set_standing`].
    pub fn standing(mut self, standing: Standing, peers: impl IntoIterator<Item = PeerId>) -> Self {
        self.standings.extend(peers.into_iter().map(|peer| (peer, standing)));
        self
    }
    /// How much it may hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
    /// Survives a crash: what the node holds is written into this directory before others see what came of it, and taken
    /// up when the node is started again, with the same key. Components say what they hold by `checkpoint`.
    pub fn durable(mut self, dir: impl Into<PathBuf>) -> Self {
        self.durable = Some(dir.into());
        self
    }
    /// Hosts a class of a program.
    pub fn host(mut self, hosted: Hosted) -> Self {
        let bound = std::mem::take(&mut self.bound);
        self.hosted.push((hosted, bound));
        self
    }
    /// Puts a component that plays `role` in place of the one that the program calls `slot`, in what is hosted next.
    pub fn bind(mut self, slot: impl Into<String>, role: &'static str, component: Box<dyn Component>) -> Self {
        self.bound.push(Bound { slot: slot.into(), role, component });
        self
    }
    /// Starts it. It runs until it is shut down, or the last handle is gone.
    ///
    /// # Errors
    /// Says what of all this cannot be.
    pub async fn start(self) -> Result<Handle, StartError> {
        node::start(self).await
    }
}
