//! What ONNX's own checker and runtime make of this program, as `bb/tests/judge` asks them about others: whole, and each
//! peer's piece, the stages of the model in carriers.
#![allow(missing_docs)]

#[path = "../../src/graph.rs"]
mod graph;
#[path = "../../src/images.rs"]
#[allow(dead_code, reason = "the numbers are enough here")]
mod images;
#[path = "../../../../bb/tests/judge/judged/mod.rs"]
mod judged;

use bb::engine::Value;
use bb::{Compiled, Options, Reference, compile_with};
use bb_components as _;
use judged::{Case, host, peer};
use std::path::PathBuf;

fn case(name: &str, program: Compiled, classes: &'static [&'static str], args: Vec<Value>) -> Case {
    Case {
        name: name.to_owned(),
        program,
        cohort: None,
        hosts: Box::new(|program, _| classes.iter().map(|class| host(program, class)).collect()),
        args: Box::new(move |_| args.clone()),
        reference: Reference::new(),
    }
}

fn cases() -> [Case; 2] {
    // As `build.rs` compiles it.
    let options = Options::default().backend_subgraphs();
    let image = Value::Tensor(images::all().swap_remove(0).0.into_raw());
    let split = compile_with(graph::classify, &options);
    let whole = compile_with(graph::unsplit, &options);
    [
        case("split-inference", split, &["Camera", "Near", "Far"], vec![image.clone(), peer(1), peer(2)]),
        case("split-inference-unsplit", whole, &["Camera"], vec![image]),
    ]
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judge/golden")
}

#[test]
fn over_three_engines_it_gives_what_the_runtime_gave_for_the_whole() {
    judged::as_golden(&cases(), &golden());
}

#[test]
fn the_program_and_its_pieces_have_a_reference() {
    judged::written(&cases(), &golden());
}
