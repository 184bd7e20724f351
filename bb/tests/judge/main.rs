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

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn sliced_over_engines_programs_give_what_the_runtime_gave_for_the_whole() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge/golden");
    let mut judged = BTreeSet::new();
    for case in cases::all() {
        for members in case.cohort.map_or(&[1][..], |(_, sizes)| sizes) {
            let name = format!("{}-{members}.txt", case.name);
            let expected =
                std::fs::read_to_string(golden.join(&name)).unwrap_or_else(|e| panic!("{name}: {e}; run .ci/judge"));
            let found = text::write(&run::sliced(&case, *members));
            text::agree(&found, &expected).unwrap_or_else(|e| panic!("{name}: {e}"));
            judged.insert(name);
        }
    }
    let kept = std::fs::read_dir(golden).expect("there are golden files");
    let kept = kept.map(|file| file.expect("readable").file_name().into_string().expect("plain names"));
    assert_eq!(kept.collect::<BTreeSet<_>>(), judged, "golden files of other programs");
}

#[test]
fn programs_and_their_pieces_have_a_reference() {
    let asked = std::env::var_os("BB_JUDGE_DIR");
    let to = asked.as_ref().map_or(Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new);
    for case in cases::all() {
        written::all(&case, &to.join(case.name));
    }
}
