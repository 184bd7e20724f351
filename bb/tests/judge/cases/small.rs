//! The other programs of the snapshots, and answers in lanes.

use super::{case, members, role, tensor};
use crate::judged::{Case, host, peer};
use crate::nodes::*;
use crate::programs::{self, Client, Node, Server, State, StateAt, Store, StoreAt};
use bb::__private::Accepts;
use bb::ir::proto::onnx::NodeProto;
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_sim::Host;

pub fn all() -> Vec<Case> {
    vec![scored(), scatter(), gossip(), self_send(), split(), diamond(), request(), nested(), join(), kept()]
}

const X: [f32; 3] = [0.25, -0.5, 1.5];

fn scored() -> Case {
    // Three have to answer.
    let cohort: (_, &[usize]) = ("Client", &[3]);
    case("scored", bb::compile(programs::scored), Some(cohort), server_and_clients, |n| vec![members(n), tensor(&X)])
}

fn scatter() -> Case {
    let cohort: (_, &[usize]) = ("Client", &[1, 3]);
    case("scatter", bb::compile(programs::scatter), Some(cohort), server_and_clients, |n| vec![tensor(&X), members(n)])
}

fn server_and_clients(program: &Compiled, members: usize) -> Vec<Host> {
    let clients = (0..members).map(|_| host(program, "Client"));
    std::iter::once(host(program, "Server")).chain(clients).collect()
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
    let hosts = |program: &Compiled, _| {
        let state = || <StateAt<Node> as Accepts<Mixes>>::component(Mixes);
        (0..2).map(|_| host(program, "Node").bind("state", state)).collect()
    };
    let reference = Reference::new()
        .with_body(&role("bb.State"), "get", body(&[], &["x"], vec![floats("x", &X)]))
        .with_body(&role("bb.State"), "mix", body(&["theirs"], &["mixed"], halved));
    Case { reference, ..case("gossip", bb::compile(programs::gossip), None, hosts, |_| vec![peer(1)]) }
}

fn self_send() -> Case {
    let hosts = |program: &Compiled, _| vec![host(program, "Node")];
    case("self_send", bb::compile(programs::self_send), None, hosts, |_| vec![tensor(&X)])
}

fn split() -> Case {
    let hosts = |program: &Compiled, _| ["Edge", "Left", "Right"].map(|class| host(program, class)).into();
    case("split", bb::compile(programs::split), None, hosts, |_| vec![tensor(&X), peer(1), peer(2)])
}

fn diamond() -> Case {
    let hosts = |program: &Compiled, _| ["Edge", "Left", "Right", "Head"].map(|class| host(program, class)).into();
    case("diamond", bb::compile(programs::diamond), None, hosts, |_| vec![tensor(&X), peer(1), peer(2), peer(3)])
}

fn to_one(program: &Compiled, _: usize) -> Vec<Host> {
    server_and_clients(program, 1)
}

fn request() -> Case {
    case("request", bb::compile(programs::request), None, to_one, |_| vec![tensor(&X), peer(1)])
}

fn nested() -> Case {
    case("nested", bb::compile(programs::nested), None, to_one, |_| vec![tensor(&X), peer(1)])
}

fn join() -> Case {
    let hosts = |program: &Compiled, _| ["Server", "Client", "Node"].map(|class| host(program, class)).into();
    let args = |_| vec![tensor(&X), tensor(&[-1.0, 0.5, 3.0]), peer(1), peer(2)];
    case("join", bb::compile(programs::join), None, hosts, args)
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
    let hosts = |program: &Compiled, _| {
        let near = || <StoreAt<Server> as Accepts<Keeps>>::component(Keeps);
        let far = || <StoreAt<Client> as Accepts<Keeps>>::component(Keeps);
        vec![host(program, "Server").bind("near", near), host(program, "Client").bind("far", far)]
    };
    let reference = Reference::new().with_body(&role("bb.Store"), "keep", body(&["x"], &["twofold"], twofold));
    Case { reference, ..case("kept", bb::compile(programs::kept), None, hosts, |_| vec![tensor(&X), peer(1)]) }
}
