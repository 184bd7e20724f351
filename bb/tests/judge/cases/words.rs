//! Operators, kinds of numbers, what the engine does, and a cohort that is chosen.

use super::{case, members, role, tensor};
use crate::judged::{Case, host, peer};
use crate::nodes::{body, op};
use crate::words::{self, Edge, Worker};
use bb::__private::Accepts;
use bb::engine::Value;
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb::{Compiled, Reference};
use bb_components::All;
use bb_sim::Host;

pub fn all() -> Vec<Case> {
    let plain = |name, program, args: fn(usize) -> Vec<Value>| case(name, program, None, hosts, args);
    vec![
        plain("operators", bb::compile(words::operators), |_| {
            let weights = RawTensor::from_vec(&[3, 2], vec![0.5f32, -1.0, 0.25, 2.0, -0.75, 1.0]).expect("six");
            vec![tensor(&[0.25, -0.5, 1.5]), Value::Tensor(weights), peer(1)]
        }),
        plain("kinds", bb::compile(words::kinds), |_| {
            let all = RawTensor::from_vec(&[4], vec![-1i64, 0, 3, 70_000]).expect("four");
            vec![Value::scalar(u64::MAX), Value::Tensor(all), Value::Bytes("wörd".into()), peer(1)]
        }),
        plain("by_itself", bb::compile(words::by_itself), |_| vec![tensor(&[2.0, -3.0]), peer(1)]),
        selected(),
    ]
}

fn selected() -> Case {
    let all = body(&["from"], &["chosen"], vec![op("Identity", &["from"], "chosen", &[])]);
    let hosts = |program: &Compiled, members| {
        let all = || <PeerSelectorAt<Edge, Worker> as Accepts<All>>::component(All);
        let workers = (0..members).map(|_| host(program, "Worker"));
        std::iter::once(host(program, "Edge").bind("choice", all)).chain(workers).collect()
    };
    let args = |n| vec![members(n), tensor(&[0.5, -1.0])];
    let reference = Reference::new().with_body(&role("PeerSelector"), "select", all);
    let cohort: (_, &[usize]) = ("Worker", &[1, 3]);
    Case { reference, ..case("selected", bb::compile(words::selected), Some(cohort), hosts, args) }
}

fn hosts(program: &Compiled, _: usize) -> Vec<Host> {
    ["Edge", "Worker"].map(|class| host(program, class)).into()
}
