//! What nodes host is read and planned once for all of them.

use crate::node::{Host, peer_id};
use bb::engine::{Bound, Config, Engine, GraphSlot, InstallError, Installed};
use bb::ir::component::{ComponentEntry, DependencyDecl, KernelEntry};
use bytes::Bytes;
use std::rc::Rc;

/// What was installed before: nodes that host the same share it. They are few, and nodes may be many.
#[derive(Default)]
pub(crate) struct Installations(Vec<Installation>);

/// What a host binds: by slot, what the component there needs.
pub(crate) type BoundTo = (String, Vec<DependencyDecl>);

/// Graphs as an engine holds them before it runs: engines that run them begin with these.
pub(crate) struct Installation {
    /// By host: its artifact, and what it binds.
    hosts: Vec<(Bytes, Vec<BoundTo>)>,
    pub engine: Engine,
    /// By host.
    pub installed: Vec<Installed>,
    pub graphs: Rc<[GraphSlot]>,
}

impl Installation {
    fn is_of(&self, hosts: &[Host], bound: &[Vec<BoundTo>]) -> bool {
        let those = hosts.iter().map(|host| &host.artifact).zip(bound);
        self.hosts.len() == hosts.len()
            && self.hosts.iter().zip(those).all(|((a, to), (b, bound))| to == bound && a == b)
    }
}

impl Installations {
    /// What these hosts run with what they bind, installed now if it never was.
    pub fn of(
        &mut self,
        hosts: &[Host],
        bound: &[Vec<BoundTo>],
        kernels: &[KernelEntry],
        entries: &[ComponentEntry],
    ) -> Result<&Installation, InstallError> {
        let known = self.0.iter().position(|known| known.is_of(hosts, bound));
        let number = known.unwrap_or(self.0.len());
        if known.is_none() {
            let mut engine = Engine::new(Config::new(peer_id(0), 0));
            let (mut installed, mut hosting) = (Vec::new(), Vec::new());
            for (host, given) in hosts.iter().zip(bound) {
                let own = given.iter().map(|(slot, needs)| Bound { name: slot, needs });
                let by_type = entries.iter().map(|entry| Bound { name: entry.ty, needs: entry.needs });
                let all: Vec<Bound<'_>> = own.chain(by_type).collect();
                installed.push(engine.install_with(&host.artifact, kernels, &all)?);
                hosting.push((host.artifact.clone(), given.clone()));
            }
            let graphs = engine.graphs().into();
            self.0.push(Installation { hosts: hosting, engine, installed, graphs });
        }
        Ok(&self.0[number])
    }
}
