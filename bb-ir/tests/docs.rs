//! The documents made from tables are what the tables say.

use bb_ir::failure::FailureCode;
use bb_ir::ops::{DOMAINS, ONNX_OPS, OWN_OPS, OpRow};
use bb_ir::types::ElementKind;
use bb_ir::verify::Rule;
use bb_ir::version::{BB_OPSET, FRAMEWORK_IR_VERSION, ONNX_IR_VERSION, ONNX_OPSET, WIRE_VERSION};
use bb_ir::{diagnostics, keys};
use std::path::Path;

/// `BB_WRITE_DOCS=1 cargo test -p bb-ir --test docs` writes the file instead of comparing it.
fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bb/docs").join(name);
    if std::env::var_os("BB_WRITE_DOCS").is_some() {
        std::fs::write(&path, text).expect("the source tree is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{name} is not what the tables say: run BB_WRITE_DOCS=1 cargo test -p bb-ir --test docs");
}

/// A table's cell: links of rustdoc's become plain code, those with an address stay links.
fn cell(text: &str) -> String {
    let text = text.trim();
    let plain = if text.contains("`](") { text.to_owned() } else { text.replace("[`", "`").replace("`]", "`") };
    plain.replace('|', "\\|")
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(heads.iter().map(|head| (*head).to_owned()).collect());
    text += &line(heads.iter().map(|_| "---".to_owned()).collect());
    rows.for_each(|row| text += &line(row.iter().map(|text| cell(text)).collect()));
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn ir_md_is_what_the_tables_of_keys_and_ops_say() {
    let mut text = format!(
        "# The IR, by its tables

Made from the tables of `bb-ir` by its test `docs`; edit them, not this page.

A program is an ONNX model: `ir_version` {ONNX_IR_VERSION}, `ai.onnx` operator set {ONNX_OPSET}, operator sets of bb's own
in version {BB_OPSET}. bb's own IR version is `{FRAMEWORK_IR_VERSION}`, that of envelopes and Hello {WIRE_VERSION}.

## Keys

Metadata keys, attribute names, and the words that stand under them. A key that ends in a dot goes on with what its
meaning names.

"
    );
    let keys = keys::ALL.iter().map(|row| {
        let on: Vec<String> = row.on.iter().map(|on| format!("{on:?}").to_lowercase()).collect();
        vec![code(row.constant), code(row.text), on.join(", "), row.meaning.to_owned()]
    });
    text += &table(&["constant", "text", "stands on", "meaning"], keys);
    text += "\n## Domains\n\n";
    let domain = |row: &OpRow| match row.domain {
        "" => "`\"\"`, also called `ai.onnx`".to_owned(),
        domain => code(domain),
    };
    text += &table(&["domain", "ops"], DOMAINS.iter().map(|row| vec![domain(row), row.meaning.to_owned()]));
    text += "\n## Ops of bb's own\n\nMethods of roles, `#[bb::op]` functions and modules go by their own names.\n\n";
    let own = OWN_OPS.iter().map(|row| vec![code(row.name), domain(row), row.meaning.to_owned()]);
    text += &table(&["op", "domain", "meaning"], own);
    text += "\n## Operators of `ai.onnx`\n\nThose that the language offers and every backend has.\n\n";
    let onnx = ONNX_OPS.iter().map(|op| {
        let count = |of: (usize, usize)| match of {
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        vec![code(op.name), count(op.inputs), count(op.outputs), op.since.to_string()]
    });
    text += &table(&["operator", "inputs", "outputs", "in models since"], onnx);
    text += "\n## Element types\n\n";
    let elements = ElementKind::ALL
        .iter()
        .map(|kind| vec![code(kind.name()), (*kind as i32).to_string(), kind.size().to_string()]);
    text += &table(&["Rust", "ONNX's number", "bytes"], elements);
    text += "\n## Failure codes\n\nWhat a failure fill says. Append-only.\n\n";
    let codes = FailureCode::ALL.iter().map(|c| vec![c.number().to_string(), code(c.name()), c.meaning().to_owned()]);
    text += &table(&["code", "name", "meaning"], codes);
    text += "\n## What the verifier holds\n\nAfter every pass, at the level the model has reached.\n\n";
    let rules = Rule::ALL.iter().map(|rule| vec![code(&format!("{rule:?}")), rule.meaning().to_owned()]);
    text += &table(&["rule", "what holds"], rules);
    compare("ir.md", &text);
}

/// Codes that no program in Rust is told of with, since types or the recorder exclude them, and the test that shows each on
/// IR.
const IR_ALONE: &[(&str, &str)] = &[
    ("BB0212", "bb/compiler/tests/refusals.rs"),
    ("BB0213", "bb/compiler/tests/refusals.rs"),
    ("BB0405", "bb/compiler/tests/gates.rs"),
    ("BB0501", "bb/compiler/tests/refusals.rs"),
    ("BB0703", "bb/compiler/tests/dead_ends.rs"),
    ("BB0901", "bb/compiler/tests/refusals.rs"),
];

/// A program of `ui-tests/replay/diagnostics`, or what is said of it.
fn of_a_program(code: &str, ending: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui-tests/replay/diagnostics");
    Some(std::fs::read_to_string(path.join(format!("{code}{ending}"))).ok()?.trim_end().to_owned())
}

/// An entry of `diagnostics.md`.
fn entry(row: &diagnostics::Code) -> String {
    let level = if row.severity == diagnostics::Severity::Error { "" } else { " (a warning)" };
    let head = format!("## {}: {}{level}\n\n{}\n\n", row.code, row.title, row.means);
    let ir = IR_ALONE.iter().find(|(code, _)| *code == row.code);
    match (of_a_program(row.code, ".rs"), ir) {
        (Some(program), None) => {
            let part =
                |ending| of_a_program(row.code, ending).unwrap_or_else(|| panic!("{}{ending} is not there", row.code));
            let (said, cured) = (part(".stderr"), part(".cured.rs"));
            // A program whose build script matters begins with it.
            let parted = |program: String| match program.strip_prefix("//! ").and_then(|text| text.split_once('\n')) {
                Some((build, rest)) => (Some(format!("`{build}` in `build.rs`")), rest.trim_start().to_owned()),
                None => (None, program),
            };
            let ((build, program), (cure, cured)) = (parted(program), parted(cured));
            let build = build.map_or(String::new(), |build| format!("With {build}, of\n\n"));
            let cure = cure.map_or("this".to_owned(), |cure| format!("this, with {cure},"));
            format!(
                "{head}{build}```rust\n{program}\n```\n\nis said\n\n```text\n{said}\n```\n\nand of {cure} nothing:\n\n```rust\n{cured}\n```\n\n"
            )
        }
        (None, Some((code, test))) => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(test);
            let text = std::fs::read_to_string(path).expect("the test is there");
            assert!(text.contains(code), "{test} does not show {code}");
            format!("{head}No program in Rust is told of with it; `{test}` shows it on IR.\n\n")
        }
        (Some(_), Some(_)) => panic!("{} has a program, and is said to have none", row.code),
        (None, None) => panic!("{} has no program: write ui-tests/replay/diagnostics/{}.rs", row.code, row.code),
    }
}

#[test]
fn diagnostics_md_is_what_the_table_of_codes_and_their_programs_say() {
    let mut text = String::from(
        "# Diagnostics

Made by the test `docs` of `bb-ir` from the table of codes and the programs in `ui-tests/replay/diagnostics`, which are
tests of what is said of them; edit those, not this page.

Each is shown on the token it is about. Places it speaks of follow as snippets, and the edit that cures it as `help`.
Everything that can be found is told in one build: what the recorder refuses and what the passes do, as far as they can
look at a program that is refused already. Warnings are rustc's own, of `deprecated`, which `#[allow(deprecated)]` on the
module silences; they are told once nothing is refused.

A fault in a function without the attribute stands at the call that leads there, and shows the line; where several calls do, at
the first, and names the others. `#[track_caller]` on the function puts it at the call that is meant.

Two mistakes rustc tells in its own words, without a code:

- *A condition on a value of the program*: `if k > 3`, `0..k`, `match k` with a `k: On<_, u64>` are mismatched types, or operators
  that `On` does not have. The body runs while the crate builds, and `k` has no number yet. What depends on it is decided where it
  has one: in the body of a `#[bb::op]` or in a method of a role, which are plain Rust; or both are computed, and one is taken
  by arithmetic: `let is = k.equal(n).cast::<f32>();` and `y + is * (x - y)`. A loop over plain Rust's numbers is unrolled.
- *A crate that the build script does not have*: a mounted file that says `use tokio::…` is compiled with the build script too,
  where `tokio` is an `unresolved module or unlinked crate`. `#[bb::runtime]` on the `use`, and on what needs it, leaves both out
  there.

",
    );
    let rows = diagnostics::CODES.iter();
    let link = |row: &diagnostics::Code| format!("[`{0}`](#{1})", row.code, anchor(row));
    text +=
        &table(&["code", "is", "fault"], rows.map(|row| vec![link(row), row.severity.name().into(), row.title.into()]));
    text += "\n";
    diagnostics::CODES.iter().for_each(|row| text += &entry(row));
    let text = format!("{}\n", text.trim_end());
    compare("diagnostics.md", &text);
}

/// What a heading is reached by.
fn anchor(row: &diagnostics::Code) -> String {
    let level = if row.severity == diagnostics::Severity::Error { "" } else { " (a warning)" };
    let head = format!("{}: {}{level}", row.code, row.title).to_lowercase();
    head.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
