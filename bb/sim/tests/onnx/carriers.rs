//! Regions of operators in carriers, for a backend to run whole.

use crate::running::{Edge, Near, in_stages, two_images};
use bb::ir::backend::region;
use bb::ir::ops::BACKEND_DOMAIN;
use bb::ir::proto::onnx::{ModelProto, NodeProto};
use bb::prelude::*;
use bb::{Compiled, Options, compile_with};

fn model(program: &Compiled, class: &str) -> ModelProto {
    assert_eq!(program.diagnostics, []);
    bb::ir::artifact::read(&program.artifact(class).expect("compiled").bytes).expect("an artifact")
}

/// What each carrier of a model's main holds.
fn carried(model: &ModelProto) -> Vec<Vec<&str>> {
    let carriers = model.functions[0].node.iter().filter(|node| node.domain() == BACKEND_DOMAIN);
    let ops: fn(&NodeProto) -> Option<Vec<&str>> =
        |node| region(node).map(|region| region.node.iter().map(|n| n.op_type()).collect());
    carriers.filter_map(ops).collect()
}

fn collapsed() -> Options {
    Options::default().backend_subgraphs()
}

#[test]
fn a_stage_is_one_carrier_that_refers_to_the_weights() {
    let program = compile_with(in_stages, &collapsed());
    let near = model(&program, "Near");
    assert_eq!(carried(&near), [["Gemm", "Identity"]]);
    let carrier = near.functions[0].node.iter().find(|node| node.domain() == BACKEND_DOMAIN).expect("counted above");
    let weights: Vec<&str> = carrier.input.iter().map(String::as_str).filter(|name| name.contains(':')).collect();
    assert_eq!(weights, ["mlp_onnx:w2", "mlp_onnx:b2"]);
    assert!(region(carrier).is_some_and(|region| region.initializer.is_empty()), "the weights are kept once");
    assert_eq!(carried(&model(&program, "Edge")), [["Gemm", "Relu", "Identity"]]);
}

#[test]
fn modules_are_inlined_into_a_region_and_nothing_is_left_to_call() {
    let program = compile_with(two_images, &collapsed());
    let edge = model(&program, "Edge");
    let carried = carried(&edge);
    assert_eq!(carried.len(), 1, "{carried:?}");
    assert_eq!(carried[0].iter().filter(|op| **op == "Gemm").count(), 4);
    assert_eq!(edge.functions.len(), 1);
}

#[bb::module]
fn waits(graph: &Graph, here: On<Edge, Tensor>, near: On<Edge, Peer<Near>>) -> (On<Edge, Tensor>, On<Edge, Tensor>) {
    let soon = here.relu();
    let there = graph.wire(here, near);
    let back = graph.wire(there.exp(), graph.origin::<Edge>());
    let doubled = back + back;
    (soon.tanh(), doubled.sqrt())
}

#[test]
fn what_is_there_sooner_waits_for_nothing_else() {
    let program = compile_with(waits, &collapsed());
    let mut carried: Vec<Vec<String>> =
        carried(&model(&program, "Edge")).iter().map(|ops| ops.iter().map(|op| (*op).to_owned()).collect()).collect();
    carried.sort();
    assert_eq!(carried, [["Add", "Sqrt"], ["Relu", "Tanh"]]);
}

#[test]
fn carriers_are_there_on_request_alone() {
    assert_eq!(carried(&model(&bb::compile(in_stages), "Near")), [[""; 0]; 0]);
}

#[test]
fn what_sends_and_what_is_part_of_the_program_stay_the_same() {
    let (with, without) = (compile_with(in_stages, &collapsed()), bb::compile(in_stages));
    let digest = |program: &Compiled| program.output.as_ref().map(|output| output.digest);
    assert_eq!(digest(&with), digest(&without));
}

#[test]
fn an_operator_that_the_backend_lacks_is_refused() {
    let faults = compile_with(in_stages, &Options::default().backend_operators(["Gemm", "Identity"])).diagnostics;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].to_string().starts_with("bb[BB0808]: the backend lacks the operator `Relu`"), "{}", faults[0]);
    assert!(faults[0].at.is_some());
}
