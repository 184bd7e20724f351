//! The programs that are judged, and who plays their parts: on engines a component, in ONNX a body.

mod campaign;
mod rounds;
mod small;
mod words;

use crate::nodes::body;
use bb::ir::ops;
use bb::ir::proto::onnx::{FunctionProto, NodeProto};
use bb::ir::value::{RawTensor, Value};
use bb::{Compiled, Reference};
use bb_sim::{Host, peer_id};

/// A program, and how it is run.
pub struct Case {
    pub name: &'static str,
    pub program: Compiled,
    /// The class of its cohort, and of how many members engines run it.
    pub cohort: Option<(&'static str, &'static [usize])>,
    /// What every node hosts, the caller's first, where the cohort has so many members.
    pub hosts: fn(&Compiled, usize) -> Vec<Host>,
    pub args: fn(usize) -> Vec<Value>,
    pub reference: Reference,
}

pub fn all() -> Vec<Case> {
    [rounds::all(), small::all(), campaign::all(), words::all()].into_iter().flatten().collect()
}

fn host(program: &Compiled, class: &str) -> Host {
    Host::new(program.artifact(class).expect("the class takes part").bytes.clone())
}
fn tensor(values: &[f32]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
}
fn peer(node: usize) -> Value {
    Value::Peer(peer_id(node))
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
