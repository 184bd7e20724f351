//! What nodes host is read and planned once for all of them.

use crate::node::{Host, peer_id};
use bb::engine::{Config, Engine, GraphSlot, InstallError, Installed};
use bb::ir::component::{Component, ComponentEntry, KernelEntry};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was installed before: nodes that host the same share it. They are few, and nodes may be many.
#[derive(Default)]
pub(crate) struct Installations(Vec<Installation>);

/// Graphs as an engine holds them before it runs: engines that run them begin with these.
pub(crate) struct Installation {
    /// By host: its artifact, and the slots that it binds.
    hosts: Vec<(Bytes, Vec<String>)>,
    pub engine: Engine,
    /// By host.
    pub installed: Vec<Installed>,
    pub graphs: Rc<[GraphSlot]>,
}

impl Installation {
    fn is_of(&self, hosts: &[Host], components: &[BTreeMap<String, Box<dyn Component>>]) -> bool {
        let those = hosts.iter().map(|host| &host.artifact).zip(components);
        self.hosts.len() == hosts.len()
            && self.hosts.iter().zip(those).all(|((a, slots), (b, bound))| slots.iter().eq(bound.keys()) && a == b)
    }
}

impl Installations {
    /// What these hosts run with these components, installed now if it never was.
    pub fn of(
        &mut self,
        hosts: &[Host],
        components: &[BTreeMap<String, Box<dyn Component>>],
        kernels: &[KernelEntry],
        entries: &[ComponentEntry],
    ) -> Result<&Installation, InstallError> {
        let known = self.0.iter().position(|known| known.is_of(hosts, components));
        let number = known.unwrap_or(self.0.len());
        if known.is_none() {
            let mut engine = Engine::new(Config::new(peer_id(0), 0));
            let (mut installed, mut hosting) = (Vec::new(), Vec::new());
            for (host, components) in hosts.iter().zip(components) {
                let given = components.keys().map(String::as_str);
                let bound: Vec<&str> = given.chain(entries.iter().map(|entry| entry.ty)).collect();
                installed.push(engine.install(&host.artifact, kernels, &bound)?);
                hosting.push((host.artifact.clone(), components.keys().cloned().collect()));
            }
            let graphs = engine.graphs().into();
            self.0.push(Installation { hosts: hosting, engine, installed, graphs });
        }
        Ok(&self.0[number])
    }
}
