//! The documents made from tables are what the tables say.

use bb_ir::failure::FailureCode;
use bb_ir::ops::{DOMAINS, ONNX_OPS, OWN_OPS, OpRow};
use bb_ir::types::ElementKind;
use bb_ir::verify::Rule;
use bb_ir::version::{BB_OPSET, FRAMEWORK_IR_VERSION, ONNX_IR_VERSION, ONNX_OPSET, WIRE_VERSION};
use bb_ir::{diagnostics, keys};
use std::fmt::Write;
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

/// A table's cell: links of rustdoc's become plain code.
fn cell(text: &str) -> String {
    text.trim().replace("[`", "`").replace("`]", "`").replace('|', "\\|")
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
        let inputs = match op.inputs {
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        vec![code(op.name), inputs, op.outputs.to_string()]
    });
    text += &table(&["operator", "inputs", "outputs"], onnx);
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

#[test]
fn diagnostics_md_is_what_the_table_of_codes_says() {
    let mut text = String::from(
        "# Diagnostics

Made from the table of `bb-ir` by its test `docs`; edit it, not this page. Each is shown on the token it is about, with
its reason and a cure.

",
    );
    let rows = diagnostics::CODES.iter().map(|row| vec![code(row.code), row.title.to_owned()]);
    write!(text, "{}", table(&["code", "fault"], rows)).expect("a string grows");
    compare("diagnostics.md", &text);
}
