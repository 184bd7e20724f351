//! Nodes are added, die, and start again.

use super::{CLOCK_ORIGIN, Limits, Membership, Node, NodeIx, Time, World};
use crate::node::{Host, Running, peer_id};
use crate::piece::arguments;
use crate::trace::What;
use bb::__private::Typed;
use bb::engine::{Arg, Config, GraphSlot, InstallError, StageError};
use rand::RngExt;
use std::time::Duration;

impl World {
    /// Adds a node that hosts these pieces, and starts it.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add(&mut self, hosts: Vec<Host>) -> Result<NodeIx, InstallError> {
        self.add_with(hosts, Membership::open(), self.limits.clone())
    }
    /// Adds a node with lists of members and limits of its own.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add_with(
        &mut self,
        hosts: Vec<Host>,
        membership: Membership,
        limits: Limits,
    ) -> Result<NodeIx, InstallError> {
        self.insert(hosts, membership, limits, None)
    }
    /// Adds a node that survives a crash: what it holds is written down, which takes so long, before others see anything
    /// of it. Started again it goes on from there, with the same epoch.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    pub fn add_durable(&mut self, hosts: Vec<Host>, writes_for: Duration) -> Result<NodeIx, InstallError> {
        self.insert(hosts, Membership::open(), self.limits.clone(), Some(writes_for))
    }
    fn insert(
        &mut self,
        hosts: Vec<Host>,
        membership: Membership,
        limits: Limits,
        writes_for: Option<Duration>,
    ) -> Result<NodeIx, InstallError> {
        let ix = NodeIx(self.nodes.len());
        self.nodes.push(Node {
            peer: peer_id(ix.0),
            hosts,
            class: String::new(),
            wires: None,
            membership,
            limits,
            clock_origin: CLOCK_ORIGIN,
            starts: 0,
            writes_for,
            stable: None,
            wake_at: None,
            liar: None,
            faulty: Vec::new(),
            running: None,
        });
        self.start(ix)?;
        Ok(ix)
    }
    /// Kills a node: its state is gone, its peers lose their connection.
    pub fn kill(&mut self, node: NodeIx) {
        let Some(running) = self.nodes[node.0].running.take() else { return };
        self.buried += running.engine.counters();
        self.touched.insert((node, node));
        self.fate.faults.killed += 1;
        self.note(node, || What::Killed);
        self.waiting.retain(|(from, _), _| *from != node);
        for peer in 0..self.nodes.len() {
            if peer != node.0 {
                self.disconnect(node, NodeIx(peer));
            }
        }
    }
    /// Kills a node together with what it had written down: started again it is a new one at the old address.
    pub fn destroy(&mut self, node: NodeIx) {
        self.kill(node);
        self.nodes[node.0].stable = None;
    }
    /// Starts a node that was killed, without connections: anew, in a new epoch, or, if it is durable, where its last
    /// checkpoint left off.
    ///
    /// # Errors
    /// What the engine says of an artifact it cannot install.
    ///
    /// # Panics
    /// If what [`Host::stage`] hands in is nothing that its program takes.
    pub fn start(&mut self, node: NodeIx) -> Result<(), InstallError> {
        let epoch = self.rng.random::<u64>();
        let it = &mut self.nodes[node.0];
        it.starts += 1;
        it.wake_at = None;
        let (membership, limits) = (it.membership.clone(), it.limits.clone());
        let durable = it.writes_for.is_some();
        let config = Config { membership, limits, durable, ..Config::new(peer_id(node.0), epoch) };
        let mut running = Running::start(config, &it.hosts, &self.kernels, &mut self.installed)?;
        if it.wires.is_none() {
            let graphs = running.installed.clone();
            it.class = graphs.iter().map(GraphSlot::class).collect::<Vec<_>>().join("+");
            it.wires = Some(graphs);
        }
        if let Some(stable) = &it.stable {
            let restored = running.restore(Time(self.now + it.clock_origin), stable);
            restored.expect("a node reads what it wrote");
        } else if durable {
            // Others see its epoch from now on.
            let (id, stable) = running.checkpoint();
            running.engine.checkpoint_durable(id);
            it.stable = Some(stable);
        }
        running.stage(&it.hosts);
        it.running = Some(running);
        self.note(node, || What::Started);
        self.drain(node);
        Ok(())
    }
    /// Hands in what the bootstrap of a node's first piece takes by that name, as `Node::stage` does. For every start
    /// alike: [`Host::stage`].
    ///
    /// # Errors
    /// What the engine says of it.
    ///
    /// # Panics
    /// If the node does not run.
    pub fn stage(&mut self, node: impl Into<NodeIx>, name: &str, value: impl Typed) -> Result<(), StageError> {
        self.stage_args(node.into(), name, arguments(value))
    }
    /// The same, untyped.
    ///
    /// # Errors
    /// What the engine says of it.
    ///
    /// # Panics
    /// If the node does not run.
    pub fn stage_args(&mut self, node: NodeIx, name: &str, args: Vec<Arg>) -> Result<(), StageError> {
        let running = self.nodes[node.0].running.as_mut().expect("the node runs");
        let staged = running.engine.stage(running.graphs[0], name, args);
        self.drain(node);
        staged
    }
}
