//! Faults that recording and compiling find come back as rustc errors on the token.
//!
//! Each file of `cases/` is the `src/graph.rs` of a crate with a build script of one line, checked with `cargo check
//! --message-format=json`; what it says (code, line, column, text) stands in the `.stderr` file beside it.
//! `BB_BLESS=1 cargo test -p replay` writes the files; read them before you commit them.

use replay::{Crate, HERE, told};
use std::path::Path;

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

fn new(name: &str, graph: &str) -> Crate {
    let unmounted = std::fs::read_to_string(Path::new(HERE).join(format!("cases/{name}.unmounted"))).ok();
    let more = if unmounted.is_some() { "pub mod graph;\npub mod unmounted;\n" } else { "pub mod graph;\n" };
    let mut files = vec![("build.rs", "bb::build!(graph);\n"), ("src/lib.rs", more), ("src/graph.rs", graph)];
    files.extend(unmounted.as_deref().map(|text| ("src/unmounted.rs", text)));
    Crate::new(name, TARGET, &files)
}

#[test]
fn faults_are_told_at_the_token() {
    let mut wrong = Vec::new();
    let mut cases: Vec<_> = std::fs::read_dir(Path::new(HERE).join("cases"))
        .expect("the cases lie there")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 6, "{} cases", cases.len());
    for case in cases {
        let name = case.file_stem().expect("a file").to_string_lossy().into_owned();
        let (said, _) = new(&name, &std::fs::read_to_string(&case).expect("a case is UTF-8")).check();
        let said = told(&said);
        let expected = case.with_extension("stderr");
        if std::env::var_os("BB_BLESS").is_some() {
            std::fs::write(&expected, &said).expect("the source tree is writable");
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{name} says\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One environment variable shows what every pass leaves, and an option of `bb::build!` draws what comes out.
#[test]
fn a_build_shows_its_passes_and_draws_its_programs() {
    let it = new("shown", include_str!("../cases/shown.graph"));
    it.write(
        "build.rs",
        "bb::build!(graph; bb::Options::default().pictures(\"pictures\").unroll::<graph::Client>(3));\n",
    );
    let (said, _) = it.check_with(&[("BB_DUMP", "passes")]);
    assert_eq!(told(&said), "");
    let read = |path: &str| std::fs::read_to_string(it.path().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(read("passes/ask/00-recorded.txt").contains("ask ("));
    assert!(read("passes/ask/02-validate.txt").contains("Relu"));
    let files = std::fs::read_dir(it.path().join("passes/ask")).expect("it was made").flatten();
    let files = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "txt")).count();
    let last = read(&format!("passes/ask/{:02}-stamp_compilation_metadata.txt", files - 1));
    assert!(last.contains("ask_Server (") && last.contains("ask_Client ("), "a part per class: {last}");
    assert!(read("pictures/ask.mmd").contains("subgraph peer1[\"Client · to\"]"), "{}", read("pictures/ask.mmd"));
    assert!(read("pictures/ask.dot").starts_with("digraph \"ask\""));
    assert!(read("pictures/ask.svg").ends_with("</svg>\n"));
    let whole = |program: &str| {
        let bytes = std::fs::read(it.path().join(format!("passes/{program}/whole.onnx"))).expect("it was written");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(whole("ask_all").contains("~lane2") && !whole("ask_all").contains("~lane3"), "three are asked");
    assert!(!whole("ask").contains("~lane"), "one is asked, whatever is said of cohorts");
}

/// A build script that is not the one line says how it is written.
#[test]
fn a_build_script_says_how_it_is_written() {
    let graph = include_str!("../cases/shown.graph");
    let refused = |name: &str, build: &str, manifest: fn(String) -> String| {
        let it = new(name, graph);
        it.write("build.rs", build);
        let before = std::fs::read_to_string(it.path().join("Cargo.toml")).expect("it was written");
        it.write("Cargo.toml", manifest(before));
        told(&it.check().0)
    };
    for build in ["bb::build!(\"src/graph.rs\");\n", "bb::build!(net::graph);\n", "bb::build!(src/graph);\n"] {
        let said = refused("no_name", build, |manifest| manifest);
        assert!(said.starts_with("error: `bb::build!` takes the names of files in `src/`"), "{build}: {said}");
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
    }
    let said = refused("in_main", "fn main() {\n    bb::build!(graph);\n}\n", |manifest| manifest);
    assert!(said.contains("stands_in_no_fn_main"), "{said}");
    let said = refused("featureless", "bb::build!(graph);\n", |m| m.replace(", features = [\"build\"]", ""));
    assert!(said.starts_with("error: `bb::build!` needs the feature `build` of bb"), "{said}");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
}

/// Artifacts of an earlier build script are not taken for those of the program.
#[test]
fn a_build_script_without_the_line_leaves_no_old_artifacts_in_use() {
    let it = new("left_over", include_str!("../cases/shown.graph"));
    assert_eq!(told(&it.check().0), "");
    it.write("build.rs", "fn main() {}\n");
    let said = told(&it.check().0);
    assert!(said.starts_with("error: bb[BB0100]: module `ask` is as an earlier build left it"), "{said}");
    it.write("build.rs", "bb::build!(graph);\n");
    assert_eq!(told(&it.check().0), "");
}

/// What was found in other tokens than the ones that stand there now is not replayed.
#[test]
fn a_stale_fault_is_not_told() {
    let graph = std::fs::read_to_string(Path::new(HERE).join("cases/two_peers_of_one_class.rs")).expect("a case");
    let it = new("stale", &graph);
    let (said, out) = it.check();
    assert!(told(&said).contains("BB0210"), "{}", told(&said));
    let errors = out.join("bb.errors");
    let text = std::fs::read_to_string(&errors).expect("the build script wrote it");
    let hash = text.split('\t').nth(1).expect("the second column is the hash of the module's tokens").to_owned();
    std::fs::write(&errors, text.replace(&hash, "0000000000000000")).expect("OUT_DIR is writable");
    it.write("src/lib.rs", "pub mod graph;\n// Another line, so that the crate is checked again.\n");
    let (said, _) = it.check();
    assert_eq!(told(&said), "");
}
