//! Who plays a program's parts: on engines a component, in the reference a function.

use super::plan::{At, Plan};
use super::program::{D, Worker, WorkerAt};
use crate::nodes::{body, float, op};
use bb::ir::value::{RawTensor, Value};
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_sim::{Host, peer_id};

/// Halves, and adds its own number; or always fails.
#[derive(Clone, Copy)]
pub enum Works {
    Adding(u8),
    Failing,
}
impl Worker for Works {
    fn work(&mut self, x: Tensor) -> Result<Tensor, &'static str> {
        let Works::Adding(own) = *self else { return Err("this member fails") };
        let half = x.as_slice().iter().map(|v| v * 0.5 + f32::from(own)).collect();
        Tensor::from_vec(x.shape(), half).ok_or("as many as before")
    }
}

/// What a node hosts of a program.
pub fn host(program: &Compiled, class: &str, works: Works) -> Host {
    let artifact = program.artifact(class).unwrap_or_else(|| panic!("{class} takes part"));
    let host = Host::new(artifact.bytes.clone());
    if class != "D" {
        return host;
    }
    // A closure's parameters have no names that a program could know: they are a, b, c and so on.
    host.bind("h", move || <WorkerAt<D> as bb::__private::Accepts<Works>>::component(works))
}

impl Plan {
    /// Who the members of D are, the failing one among them.
    pub fn workers(&self) -> Vec<Works> {
        let mut workers: Vec<Works> = (0..self.members as u8).map(Works::Adding).collect();
        if self.failing {
            workers.insert(1, Works::Failing);
        }
        if self.has_cohort() { workers } else { Vec::new() }
    }

    /// The classes of the nodes it is sliced over, the caller's first: members of D come last.
    pub fn nodes(&self, members: usize) -> Vec<&'static str> {
        let class = |at: &At| match at {
            At::A => "A",
            At::B | At::OtherB => "B",
            At::C => "C",
        };
        let members = if self.has_cohort() { members } else { 0 };
        self.places.iter().map(class).chain(std::iter::repeat_n("D", members)).collect()
    }

    /// The call's arguments, where `nodes` are what [`Plan::nodes`] says.
    pub fn args(&self, nodes: &[&str]) -> Vec<Value> {
        let peer = |at: At| Value::Peer(peer_id(self.places.iter().position(|p| *p == at).unwrap_or(0)));
        let members = (0..nodes.len()).filter(|node| nodes[*node] == "D").map(|node| Value::Peer(peer_id(node)));
        let members: Vec<Value> = members.collect();
        let mut args = self.values();
        args.extend([peer(At::B), peer(At::OtherB), peer(At::C), Value::Seq(members.into())]);
        args
    }
    /// Those that are numbers.
    pub fn values(&self) -> Vec<Value> {
        let float = |dims: &[u64], values: &[f32]| RawTensor::from_vec(dims, values.to_vec()).expect("as many");
        let counts = RawTensor::from_vec(&[4], self.counts.clone()).expect("four");
        vec![
            Value::Tensor(float(&[3], &self.vector)),
            Value::Tensor(counts),
            Value::Tensor(float(&[2, 3], &self.table)),
        ]
    }

    /// What a cohort of so many computes, each in operators of ONNX; members that fail are left out.
    pub fn reference(&self, members: usize) -> Reference {
        let adding = |own: u8| {
            body(
                &["x"],
                &["y"],
                vec![
                    float("half", 0.5),
                    float("own", f32::from(own)),
                    op("Mul", &["x", "half"], "halved", &[]),
                    op("Add", &["halved", "own"], "y", &[]),
                ],
            )
        };
        let domain = format!("{}{}.Worker", bb::ir::ops::ROLE_DOMAIN_PREFIX, env!("CARGO_PKG_NAME").replace('-', "_"));
        let bodies = (0..members as u8).map(adding).collect();
        Reference::new().with_bodies(&domain, "work", bodies).with_caller(&peer_id(0))
    }
}
