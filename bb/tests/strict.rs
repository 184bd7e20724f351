//! Strict types: every shape is known before the program runs, or said where it is not.
#![allow(missing_docs)]

use bb::Options;
use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Dim)]
pub struct N;

#[bb::role]
pub trait Encoder {
    fn encode(&mut self, x: Tensor<f32, (N, D<8>)>) -> Tensor<f32, (N, D<4>)>;
    fn squeeze(&mut self, x: Tensor) -> Tensor;
}

#[bb::module]
pub fn known(
    graph: &Graph,
    x: On<Server, Tensor<f32, (N, D<8>)>>,
    to: On<Server, Peer<Client>>,
    encoder: EncoderAt<Client>,
) -> On<Server, Tensor<f32, (N, D<4>)>> {
    let there = graph.wire(x, to);
    graph.wire(encoder.encode(there).relu() * 0.5, there.sender::<Server>())
}

#[bb::module]
pub fn unknown(_graph: &Graph, x: On<Server, Tensor>, encoder: EncoderAt<Server>) -> On<Server, Tensor> {
    let known = x.shaped::<(N, D<8>)>();
    encoder.squeeze(known.relu()).relu()
}

#[test]
fn shapes_that_are_not_said_are_refused_where_they_begin() {
    let strict = Options::default().strict_types();
    assert_eq!(bb::compile_with(known, &strict).diagnostics, []);
    assert_eq!(bb::compile(unknown).diagnostics, [], "they may be anything");
    let told = bb::compile_with(unknown, &strict).diagnostics;
    let told: Vec<_> = told.iter().map(|d| (d.code, d.message.as_str(), d.at.as_ref().map(|at| at.line))).collect();
    assert_eq!(told, [("BB0305", "which shape `squeeze` gives cannot be found out", Some(34))], "and not what follows");
}

#[bb::module]
pub fn of_anything(_graph: &Graph, x: On<Server, Tensor>) -> On<Server, Tensor> {
    x.relu()
}

#[test]
fn an_input_is_told_of_at_its_parameter() {
    let told = bb::compile_with(of_anything, &Options::default().strict_types()).diagnostics;
    let at = told[0].at.as_ref().map(|at| (at.file.as_str(), at.line, at.column));
    assert_eq!((told.len(), told[0].code, at), (1, "BB0305", Some(("tests/strict.rs", 48, 36))));
}
