//! The programs that are judged, and who plays their parts: on engines a component, in ONNX a body.

mod campaign;
mod random;
mod rounds;
mod small;
mod words;

use crate::judged::{Case, peer};
use crate::nodes::body;
use bb::ir::ops;
use bb::ir::proto::onnx::{FunctionProto, NodeProto};
use bb::ir::value::{RawTensor, Value};
use bb::{Compiled, Reference};
use bb_sim::Host;

pub fn all() -> Vec<Case> {
    [rounds::all(), small::all(), campaign::all(), words::all(), random::all()].into_iter().flatten().collect()
}

/// A case whose cohort, where it has one, is run with these numbers of members.
fn case(
    name: &str,
    program: Compiled,
    cohort: Option<(&'static str, &[usize])>,
    hosts: impl Fn(&Compiled, usize) -> Vec<Host> + 'static,
    args: impl Fn(usize) -> Vec<Value> + 'static,
) -> Case {
    Case {
        name: name.to_owned(),
        program,
        cohort: cohort.map(|(class, sizes)| (class, sizes.to_vec())),
        hosts: Box::new(hosts),
        args: Box::new(args),
        reference: Reference::new(),
    }
}

fn tensor(values: &[f32]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
}
/// The nodes behind the caller.
fn members(n: usize) -> Value {
    Value::Seq((1..=n).map(peer).collect())
}

fn role(name: &str) -> String {
    format!("{}{name}", ops::ROLE_DOMAIN_PREFIX)
}
/// The same body for the member in each of three lanes, with its number.
fn for_each(input: &[&str], output: &[&str], nodes: impl Fn(u64) -> Vec<NodeProto>) -> Vec<FunctionProto> {
    (1..=3).map(|own| body(input, output, nodes(own))).collect()
}
