//! `bb/docs/passes.md` is what the table of passes says.
#![allow(missing_docs)]

use bb_compiler::pipeline::{CHECKS, PASSES};
use bb_ir::verify::Part;
use std::fmt::Write;
use std::path::Path;

#[test]
fn passes_md_is_what_the_table_of_passes_says() {
    let mut text = "# The passes

Made from the table in `bb/compiler/src/pipeline.rs` by the test `docs` of `bb-compiler`; edit that, not this page.

The compiler runs them in this order. Behind each that changes something the verifier looks at the program, at the
level that the pass leaves it at; `bb/docs/ir.md` says what holds there. Behind one that changes wires alone it asks of
other nodes only their names and whether values are made before they are read: a test compares all else before and behind
each such pass. Behind the last it looks at everything. A pass reports everything it can find.

| pass | level behind it | changes at most | what it does | what it refuses |
| --- | --- | --- | --- | --- |
"
    .to_owned();
    for pass in PASSES {
        let level = format!("{:?}", pass.level).to_lowercase();
        let touches = match pass.touches {
            Part::All => "anything",
            Part::Wires => "wires",
        };
        writeln!(text, "| `{}` | {level} | {touches} | {} | {} |", pass.name, pass.does, pass.refuses)
            .expect("strings grow");
    }
    text += "
Checks look at the program beside them and change nothing.

| check | behind | what it looks for |
| --- | --- | --- |
";
    for check in CHECKS {
        writeln!(text, "| `{}` | `{}` | {} |", check.name, check.behind, check.does).expect("strings grow");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/passes.md");
    if std::env::var_os("BB_WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("the source tree is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "passes.md is out of date: run BB_WRITE_DOCS=1 cargo test -p bb-compiler --test docs");
}
