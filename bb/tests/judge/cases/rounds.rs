//! Federated averaging: the example's, and two rounds of it.

use super::{case, for_each, members, role};
use crate::judged::{Case, host};
use crate::nodes::*;
use crate::{digits, programs};
use bb::__private::Accepts;
use bb::engine::Value;
use bb::ir::proto::onnx::FunctionProto;
use bb::ir::types::ElementKind;
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_components::FedAvg;
use bb_sim::Host;

const START: [f32; 3] = [0.5, -1.0, 2.0];

pub fn all() -> Vec<Case> {
    let round = |name, program, hosts: fn(&Compiled, usize) -> Vec<Host>| {
        let args = |n| vec![members(n), Value::scalar(0.5f32)];
        Case { reference: reference(), ..case(name, program, Some(("Client", &[1, 3])), hosts, args) }
    };
    vec![
        round("federated-digits", bb::compile(digits::round), digits_hosts),
        round("two_rounds", bb::compile(programs::two_rounds), two_rounds_hosts),
    ]
}

fn start() -> Tensor {
    Tensor::from_vec(&[3], START.to_vec()).expect("three")
}

/// Halves what it gets and adds its own number; as many samples as that.
struct Halves(u64);
impl Halves {
    fn update(&self, params: &Tensor) -> (Tensor, u64) {
        let values = params.as_slice().iter().map(|v| v * 0.5 + self.0 as f32).collect();
        (Tensor::from_vec(params.shape(), values).expect("as many"), self.0)
    }
    fn bodies() -> Vec<FunctionProto> {
        for_each(&["params"], &["update", "samples"], |own| {
            vec![
                float("half", 0.5),
                float("own", own as f32),
                op("Mul", &["params", "half"], "halved", &[]),
                op("Add", &["halved", "own"], "update", &[]),
                count("samples", own),
            ]
        })
    }
}
impl digits::Trainer for Halves {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        self.update(&params)
    }
}
impl programs::Trainer for Halves {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        self.update(&params)
    }
}

/// Averages, and starts every round from [`START`]: a function has no state.
struct Steady;
impl Aggregator for Steady {
    fn params(&mut self) -> Tensor {
        start()
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        FedAvg::new(start()).fold(updates)
    }
}

fn reference() -> Reference {
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
    Reference::new()
        .with_bodies(&role("bb.Trainer"), "train", Halves::bodies())
        .with_body(&role("Aggregator"), "params", body(&[], &["params"], vec![floats("params", &START)]))
        .with_body(&role("Aggregator"), "fold", body(&["updates", "samples", "members", "missing"], &["mean"], fold))
}

fn digits_hosts(program: &Compiled, members: usize) -> Vec<Host> {
    let average = || <AggregatorAt<digits::Server> as Accepts<FedAvg>>::component(FedAvg::new(start()));
    let client = |n: u64| {
        let trainer = move || <digits::TrainerAt<digits::Client> as Accepts<Halves>>::component(Halves(n));
        host(program, "Client").bind("trainer", trainer)
    };
    let server = host(program, "Server").bind("average", average);
    std::iter::once(server).chain((1..=members as u64).map(client)).collect()
}
fn two_rounds_hosts(program: &Compiled, members: usize) -> Vec<Host> {
    let average = || <AggregatorAt<programs::Server> as Accepts<Steady>>::component(Steady);
    let client = |n: u64| {
        let trainer = move || <programs::TrainerAt<programs::Client> as Accepts<Halves>>::component(Halves(n));
        host(program, "Client").bind("trainer", trainer)
    };
    let server = host(program, "Server").bind("average", average);
    std::iter::once(server).chain((1..=members as u64).map(client)).collect()
}
