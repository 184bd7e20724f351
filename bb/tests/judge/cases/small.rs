//! The other programs of the snapshots, and answers in lanes.

use super::{Case, host, members, peer, role, tensor};
use crate::nodes::*;
use crate::programs::{self, Client, Node, Server, State, StateAt, Store, StoreAt};
use bb::__private::Accepts;
use bb::engine::Value;
use bb::ir::proto::onnx::NodeProto;
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_sim::Host;

pub fn all() -> Vec<Case> {
    vec![scored(), scatter(), gossip(), self_send(), split(), diamond(), request(), nested(), join(), kept()]
}

const X: [f32; 3] = [0.25, -0.5, 1.5];

fn scored() -> Case {
    Case {
        name: "scored",
        program: bb::compile(programs::scored),
        // Three have to answer.
        cohort: Some(("Client", &[3])),
        hosts: |program, members| {
            let clients = (0..members).map(|_| host(program, "Client"));
            std::iter::once(host(program, "Server")).chain(clients).collect()
        },
        args: |n| vec![members(n), tensor(&X)],
        reference: Reference::new(),
    }
}

/// Has [`X`], and mixes half of it with what comes.
struct Mixes;
impl State for Mixes {
    fn get(&mut self) -> Tensor {
        Tensor::from_vec(&[3], X.to_vec()).expect("three")
    }
    fn mix(&mut self, theirs: Tensor) -> Tensor {
        let values = theirs.as_slice().iter().zip(X).map(|(theirs, x)| theirs + 0.5 * x).collect();
        Tensor::from_vec(&[3], values).expect("three")
    }
}

fn gossip() -> Case {
    let halved = vec![
        floats("x", &X),
        float("half", 0.5),
        op("Mul", &["x", "half"], "mine", &[]),
        op("Add", &["theirs", "mine"], "mixed", &[]),
    ];
    Case {
        name: "gossip",
        program: bb::compile(programs::gossip),
        cohort: None,
        hosts: |program, _| {
            let state = || <StateAt<Node> as Accepts<Mixes>>::component(Mixes);
            (0..2).map(|_| host(program, "Node").bind("state", state)).collect()
        },
        args: |_| vec![peer(1)],
        reference: Reference::new()
            .with_body(&role("bb.State"), "get", body(&[], &["x"], vec![floats("x", &X)]))
            .with_body(&role("bb.State"), "mix", body(&["theirs"], &["mixed"], halved)),
    }
}

fn scatter() -> Case {
    Case {
        name: "scatter",
        cohort: Some(("Client", &[1, 3])),
        args: |n| vec![tensor(&X), members(n)],
        program: bb::compile(programs::scatter),
        ..scored()
    }
}

fn self_send() -> Case {
    let hosts = |program: &Compiled, _| vec![host(program, "Node")];
    plain("self_send", bb::compile(programs::self_send), hosts, |_| vec![tensor(&X)])
}

fn split() -> Case {
    let hosts = |program: &Compiled, _| ["Edge", "Left", "Right"].map(|class| host(program, class)).into();
    plain("split", bb::compile(programs::split), hosts, |_| vec![tensor(&X), peer(1), peer(2)])
}

fn diamond() -> Case {
    let hosts = |program: &Compiled, _| ["Edge", "Left", "Right", "Head"].map(|class| host(program, class)).into();
    plain("diamond", bb::compile(programs::diamond), hosts, |_| vec![tensor(&X), peer(1), peer(2), peer(3)])
}

fn request() -> Case {
    plain("request", bb::compile(programs::request), server_and_client, |_| vec![tensor(&X), peer(1)])
}

fn nested() -> Case {
    plain("nested", bb::compile(programs::nested), server_and_client, |_| vec![tensor(&X), peer(1)])
}

fn join() -> Case {
    let hosts = |program: &Compiled, _| ["Server", "Client", "Node"].map(|class| host(program, class)).into();
    let args = |_| vec![tensor(&X), tensor(&[-1.0, 0.5, 3.0]), peer(1), peer(2)];
    plain("join", bb::compile(programs::join), hosts, args)
}

/// Of tensor operators alone.
fn plain(
    name: &'static str,
    program: Compiled,
    hosts: fn(&Compiled, usize) -> Vec<Host>,
    args: fn(usize) -> Vec<Value>,
) -> Case {
    Case { name, program, cohort: None, hosts, args, reference: Reference::new() }
}
fn server_and_client(program: &Compiled, _: usize) -> Vec<Host> {
    ["Server", "Client"].map(|class| host(program, class)).into()
}

/// Gives what it keeps twofold.
struct Keeps;
impl Store for Keeps {
    fn open(&mut self, _cells: u64) {}
    fn keep(&mut self, x: Tensor) -> Tensor {
        let values = x.as_slice().iter().map(|v| v * 2.0).collect();
        Tensor::from_vec(x.shape(), values).expect("as many")
    }
    fn cells(&mut self) -> u64 {
        1
    }
}

fn kept() -> Case {
    let twofold: Vec<NodeProto> = vec![float("two", 2.0), op("Mul", &["x", "two"], "twofold", &[])];
    Case {
        name: "kept",
        program: bb::compile(programs::kept),
        cohort: None,
        hosts: |program, _| {
            let near = || <StoreAt<Server> as Accepts<Keeps>>::component(Keeps);
            let far = || <StoreAt<Client> as Accepts<Keeps>>::component(Keeps);
            vec![host(program, "Server").bind("near", near), host(program, "Client").bind("far", far)]
        },
        args: |_| vec![tensor(&X), peer(1)],
        reference: Reference::new().with_body(&role("bb.Store"), "keep", body(&["x"], &["twofold"], twofold)),
    }
}
