//! An outside judge: what ONNX's checker, inliner and runtime make of programs of bb's. `.ci/judge` runs it whole; here
//! programs run sliced over simulated engines, and what they give is compared with what the runtime gave last.
//!
//! With `BB_JUDGE_DIR` set, everything that the script reads is written there.
#![allow(missing_docs)]

#[path = "../../sim/src/programs.rs"]
mod campaign;
mod cases;
#[rustfmt::skip]
#[path = "../../../examples/federated-digits/src/graph.rs"]
mod digits;
mod nodes;
#[path = "../snapshot_programs/mod.rs"]
mod programs;
mod run;
mod text;
mod words;
mod written;

use std::path::Path;

#[test]
fn sliced_over_engines_programs_give_what_the_runtime_gave_for_the_whole() {
    for case in cases::all() {
        for members in case.cohort.map_or(&[1][..], |(_, sizes)| sizes) {
            let name = format!("{}-{members}.txt", case.name);
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge/golden").join(&name);
            let expected = std::fs::read_to_string(&golden).unwrap_or_else(|e| panic!("{name}: {e}; run .ci/judge"));
            let found = text::write(&run::sliced(&case, *members));
            text::agree(&found, &expected).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

#[test]
fn programs_and_their_pieces_have_a_reference() {
    let asked = std::env::var_os("BB_JUDGE_DIR");
    let to = asked.as_ref().map_or(Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new);
    for case in cases::all() {
        written::all(&case, &to.join(case.name));
    }
}
