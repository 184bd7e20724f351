//! What ONNX's own checker and runtime make of programs of bb's. `.ci/judge` runs it whole; here
//! programs run sliced over simulated engines, and what they give is compared with what the runtime gave last.
#![allow(missing_docs)]

#[path = "../../sim/src/programs.rs"]
mod campaign;
mod cases;
#[rustfmt::skip]
#[path = "../../../examples/federated-digits/src/graph.rs"]
mod digits;
mod judged;
mod nodes;
#[path = "../snapshot_programs/mod.rs"]
mod programs;
#[allow(dead_code, reason = "nobody fails before a judge")]
mod random;
mod words;

use std::path::PathBuf;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judge/golden")
}

#[test]
fn sliced_over_engines_programs_give_what_the_runtime_gave_for_the_whole() {
    judged::as_golden(&cases::all(), &golden());
}

#[test]
fn programs_and_their_pieces_have_a_reference() {
    judged::written(&cases::all(), &golden());
}
