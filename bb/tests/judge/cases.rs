//! The programs that are judged, and who plays their parts: on engines a component, in ONNX a body.

use crate::digits;
use crate::nodes::*;
use bb::__private::Accepts;
use bb::engine::Value;
use bb::ir::types::ElementKind;
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_components::FedAvg;
use bb_sim::{Host, peer_id};

/// A program, and how it is run.
pub struct Case {
    pub name: &'static str,
    pub program: Compiled,
    /// The class of its cohort, and of how many members it is run.
    pub cohort: Option<(&'static str, &'static [usize])>,
    /// What every node hosts, the caller's first, where the cohort has so many members.
    pub hosts: fn(&Compiled, usize) -> Vec<Host>,
    pub args: fn(usize) -> Vec<Value>,
    pub reference: Reference,
}

pub fn all() -> Vec<Case> {
    vec![digits()]
}

fn host(program: &Compiled, class: &str) -> Host {
    Host::new(program.artifact(class).expect("the class takes part").bytes.clone())
}
fn peer(node: usize) -> Value {
    Value::Peer(peer_id(node))
}
/// The nodes behind the caller.
fn members(n: usize) -> Value {
    Value::Seq((1..=n).map(peer).collect())
}

const START: [f32; 3] = [0.5, -1.0, 2.0];

/// Halves what it gets and adds its own number; as many samples as that.
struct Halves(u64);
impl Halves {
    fn update(&self, params: &Tensor) -> Tensor {
        let values = params.as_slice().iter().map(|v| v * 0.5 + self.0 as f32).collect();
        Tensor::from_vec(params.shape(), values).expect("as many")
    }
    /// Of the member in each lane.
    fn bodies() -> Vec<bb::ir::proto::onnx::FunctionProto> {
        let body = |own: u64| {
            let nodes = vec![
                float("half", 0.5),
                float("own", own as f32),
                op("Mul", &["params", "half"], "halved", &[]),
                op("Add", &["halved", "own"], "update", &[]),
                count("samples", own),
            ];
            body(&["params"], &["update", "samples"], nodes)
        };
        (1..=3).map(body).collect()
    }
}
impl digits::Trainer for Halves {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        (self.update(&params), self.0)
    }
}

/// An average that starts from [`START`], asked for once.
fn with_average(reference: Reference) -> Reference {
    let mut fold = vec![
        stacked("updates", "rows"),
        stacked("samples", "counts"),
        cast("counts", "weights", ElementKind::F32),
        integers("column", &[-1, 1]),
        op("Reshape", &["weights", "column"], "weight", &[]),
        op("Mul", &["rows", "weight"], "weighted", &[]),
    ];
    fold.extend(sum_over_first("weighted", "sum"));
    fold.extend(sum_over_first("weights", "total"));
    fold.push(op("Div", &["sum", "total"], "mean", &[]));
    let domain = format!("{}Aggregator", bb::ir::ops::ROLE_DOMAIN_PREFIX);
    reference.with_body(&domain, "params", body(&[], &["params"], vec![floats("params", &START)])).with_body(
        &domain,
        "fold",
        body(&["updates", "samples", "members", "missing"], &["mean"], fold),
    )
}

fn role(name: &str) -> String {
    format!("{}bb.{name}", bb::ir::ops::ROLE_DOMAIN_PREFIX)
}

/// The example's program.
fn digits() -> Case {
    Case {
        name: "federated-digits",
        program: bb::compile(digits::round),
        cohort: Some(("Client", &[1, 3])),
        hosts: |program, members| {
            let average = || {
                let start = Tensor::from_vec(&[3], START.to_vec()).expect("three");
                <AggregatorAt<digits::Server> as Accepts<FedAvg>>::component(FedAvg::new(start))
            };
            let client = |n: u64| {
                let trainer = move || <digits::TrainerAt<digits::Client> as Accepts<Halves>>::component(Halves(n));
                host(program, "Client").bind("trainer", trainer)
            };
            let server = host(program, "Server").bind("average", average);
            std::iter::once(server).chain((1..=members as u64).map(client)).collect()
        },
        args: |n| vec![members(n), Value::scalar(0.5f32)],
        reference: with_average(Reference::new().with_bodies(&role("Trainer"), "train", Halves::bodies())),
    }
}
