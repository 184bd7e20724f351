//! The rules of the house, as tests: who may know whom, and that the contract has one home.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("bb/ lies in the workspace").to_path_buf()
}

/// Every package that `package` links, with these features of its own.
fn links(package: &str, features: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--offline", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--no-default-features", "--features", features])
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("package names are UTF-8");
    text.lines()
        .filter_map(|l| l.split(' ').next())
        .filter(|p| *p != package && !p.is_empty())
        .map(Into::into)
        .collect()
}

#[test]
fn packages_know_only_whom_they_may() {
    // package, features, the packages of ours it may link
    let table: &[(&str, &str, &[&str])] = &[
        ("bb-ir", "", &[]),
        ("bb-macros", "", &[]),
        ("bb-compiler", "", &["bb-ir"]),
        ("bb-engine", "", &["bb-ir"]),
        ("bb-driver", "", &["bb-ir", "bb-engine"]),
        ("bb", "", &["bb-ir", "bb-macros"]),
        ("bb", "build", &["bb-ir", "bb-macros", "bb-compiler"]),
        ("bb", "engine", &["bb-ir", "bb-macros", "bb-engine"]),
        ("bb", "driver", &["bb-ir", "bb-macros", "bb-engine", "bb-driver"]),
        ("bb-components", "", &["bb", "bb-ir", "bb-macros"]),
        ("bb-sim", "", &["bb", "bb-ir", "bb-macros", "bb-engine"]),
    ];
    for (package, features, may) in table {
        let ours: BTreeSet<String> =
            links(package, features).into_iter().filter(|p| p == "bb" || p.starts_with("bb-")).collect();
        let may: BTreeSet<String> = may.iter().map(|p| (*p).to_owned()).collect();
        let strangers: Vec<_> = ours.difference(&may).collect();
        assert!(strangers.is_empty(), "{package} with [{features}] links {strangers:?}");
    }
}

#[test]
fn the_network_stays_out_of_the_engine_and_of_build_scripts() {
    for (package, features) in
        [("bb-engine", ""), ("bb", "build"), ("bb", "engine"), ("bb-components", ""), ("bb-sim", "")]
    {
        let heavy: Vec<_> =
            links(package, features).into_iter().filter(|p| p == "tokio" || p.starts_with("libp2p")).collect();
        assert!(heavy.is_empty(), "{package} with [{features}] links {heavy:?}");
    }
    let macros = links("bb-macros", "");
    let may = ["proc-macro2", "quote", "syn", "unicode-ident"];
    assert!(macros.iter().all(|p| may.contains(&p.as_str())), "bb-macros links {macros:?}");
}

/// Every Rust file of the workspace outside `target`, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("the source tree can be read").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    let root = root();
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|p| {
            let text = std::fs::read_to_string(&p).expect("a source file is UTF-8");
            (p.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned(), text)
        })
        .collect()
}

#[test]
fn the_contract_has_one_home() {
    let key = concat!("ai.", "bytesandbrains");
    let field = concat!(".metadata", "_props");
    let mut found = Vec::new();
    for (path, text) in sources() {
        if path.starts_with("bb-ir/") {
            continue;
        }
        for (i, line) in text.lines().enumerate() {
            if line.contains(key) || line.contains(field) {
                found.push(format!("{path}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "outside bb-ir stands what only bb-ir may spell:\n{}", found.join("\n"));
}

#[test]
fn every_pass_has_a_file_and_every_file_a_pass() {
    let pipeline = std::fs::read_to_string(root().join("bb/compiler/src/pipeline.rs")).expect("the table of passes");
    let names: Vec<&str> = pipeline
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\" => "))
        .map(|(name, _)| name)
        .collect();
    assert!(names.len() > 15, "{names:?}");
    let files: Vec<(String, String)> = sources()
        .into_iter()
        .filter_map(|(p, text)| Some((p.strip_prefix("bb/compiler/src/passes/")?.to_owned(), text)))
        .filter(|(p, _)| !p.contains('/') && p != "mod.rs")
        .collect();
    // Passes of one table share a file.
    let defines =
        |text: &str, name: &str| text.contains(&format!("pub fn {name}(")) || text.contains(&format!("{name} => "));
    for name in &names {
        let at: Vec<&str> = files.iter().filter(|(_, text)| defines(text, name)).map(|(p, _)| p.as_str()).collect();
        assert_eq!(at.len(), 1, "`{name}` is in {at:?}");
    }
    for (file, text) in &files {
        assert!(names.iter().any(|name| defines(text, name)), "no pass is in {file}");
    }
}

/// Every code of the table stands in a test, a `.stderr` file or a snapshot that shows it.
#[test]
fn every_diagnostic_code_is_produced_by_a_test() {
    let mut shown: String =
        sources()
            .into_iter()
            .filter(|(p, _)| !p.starts_with("bb-ir/src/diagnostics"))
            .filter_map(|(p, t)| {
                if p.contains("/tests/") { Some(t) } else { t.find("#[cfg(test)]").map(|at| t[at..].to_owned()) }
            })
            .collect();
    fn stderr(dir: &Path, out: &mut String) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                stderr(&path, out);
            } else if path.extension().is_some_and(|e| e == "stderr") {
                out.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    stderr(&root().join("ui-tests"), &mut shown);
    let table = std::fs::read_to_string(root().join("bb-ir/src/diagnostics/codes.rs")).expect("the table lies there");
    let first = |line: &'_ str| line.trim().strip_prefix('"').and_then(|l| l.get(..6)).map(str::to_owned);
    let codes: Vec<String> = table.lines().filter_map(first).filter(|code| code.starts_with("BB")).collect();
    assert!(codes.len() > 30, "{codes:?}");
    let missing: Vec<String> = codes.into_iter().filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no test shows {missing:?}");
}

#[test]
fn the_top_level_holds_the_workspace_and_nothing_else() {
    let may = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "bb",
        "bb-ir",
        "bb-macros",
        "examples",
        "target",
        "ui-tests",
    ];
    for entry in std::fs::read_dir(root()).expect("the root can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || may.contains(&name.as_str()), "{name} stands at the top level");
    }
}

/// The front page shows the example's program, not one like it.
#[test]
fn the_readme_shows_the_program_of_the_example() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("it lies there");
    let program = read("examples/federated-digits/src/graph.rs");
    let program = &program[program.find("use bb::prelude").expect("its first line")..];
    assert!(read("README.md").contains(program), "the README's program is not examples/federated-digits/src/graph.rs");
    let test = read("examples/federated-digits/src/simulated_tests.rs");
    let test = &test[test.find("#[test]").expect("its only test")..];
    assert!(read("README.md").contains(test), "the README's test is not the one in simulated_tests.rs");
    let split = read("examples/split-inference/src/graph.rs");
    let from = split.find("    let model = ").expect("its first line");
    let body: String = split[from..].lines().take_while(|l| *l != "}").map(|l| format!("{}\n", l.trim())).collect();
    assert!(read("README.md").contains(&body), "the README's stages are not examples/split-inference/src/graph.rs");
}
