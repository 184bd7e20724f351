//! Faults that recording and compiling find come back as rustc errors on the token.
//!
//! Each file of `cases/` is the `src/graph.rs` of a crate with a build script of one line, checked with `cargo check
//! --message-format=json`; what it says (code, line, column, text) stands in the `.stderr` file beside it.
//! `BB_BLESS=1 cargo test -p replay` writes the files; read them before you commit them.

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// A crate made of one case.
struct Crate {
    dir: tempfile::TempDir,
    target: PathBuf,
}

impl Crate {
    fn new(name: &str, graph: &str) -> Self {
        let bb = Path::new(HERE).join("../../bb").canonicalize().expect("bb lies in the workspace");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the crate")).expect("the directory can be made");
            std::fs::write(path, text).expect("the file can be written");
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
             [dependencies]\nbb = {{ path = {bb:?} }}\n\
             [build-dependencies]\nbb = {{ path = {bb:?}, features = [\"build\"] }}\n"
        );
        file("Cargo.toml", &manifest);
        std::fs::copy(bb.join("../Cargo.lock"), dir.path().join("Cargo.lock")).expect("the workspace is locked");
        file("build.rs", "bb::build!(graph);\n");
        let unmounted = std::fs::read_to_string(Path::new(HERE).join(format!("cases/{name}.unmounted"))).ok();
        if let Some(text) = &unmounted {
            file("src/unmounted.rs", text);
        }
        let more = if unmounted.is_some() { "pub mod unmounted;\n" } else { "" };
        file("src/lib.rs", &format!("pub mod graph;\n{more}"));
        file("src/graph.rs", graph);
        // One target directory for all cases, so that what they depend on is built once.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay");
        Crate { dir, target }
    }

    /// What `cargo check` says of this crate, and its `OUT_DIR`.
    fn check(&self) -> (String, PathBuf) {
        self.check_with(&[])
    }

    fn check_with(&self, environment: &[(&str, &str)]) -> (String, PathBuf) {
        let output = Command::new(env!("CARGO"))
            .envs(environment.iter().copied())
            .current_dir(self.dir.path())
            .args(["check", "--offline", "--message-format=json"])
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("OUT_DIR")
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let mut said = String::new();
        let mut out = PathBuf::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
            // Of the crate alone, not of what it depends on.
            if message["package_id"].as_str().is_some_and(|id| id.contains("/bb")) {
                continue;
            }
            match message["reason"].as_str() {
                Some("build-script-executed") => {
                    out = PathBuf::from(message["out_dir"].as_str().unwrap_or_default());
                }
                Some("compiler-message") => tell(&message["message"], &mut said),
                _ => {}
            }
        }
        let failed_before_rustc = out.as_os_str().is_empty() && said.is_empty();
        assert!(!failed_before_rustc, "{}", String::from_utf8_lossy(&output.stderr));
        (said, out)
    }
}

fn tell(message: &Value, said: &mut String) {
    let level = message["level"].as_str().unwrap_or_default();
    let Some(span) = message["spans"].as_array().and_then(|s| s.iter().find(|s| s["is_primary"] == true)) else {
        return;
    };
    let text = message["message"].as_str().unwrap_or_default();
    let (file, line, column) =
        (span["file_name"].as_str().unwrap_or_default(), &span["line_start"], &span["column_start"]);
    let source = span["text"][0]["text"].as_str().unwrap_or_default();
    let (start, end) = (column.as_u64().unwrap_or(1) as usize, span["column_end"].as_u64().unwrap_or(1) as usize);
    let _ = writeln!(said, "{level}: {text}\n --> {file}:{line}:{column}\n  | {source}");
    let _ =
        writeln!(said, "  | {}{}", " ".repeat(start.saturating_sub(1)), "^".repeat(end.saturating_sub(start).max(1)));
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
        let (said, _) = Crate::new(&name, &std::fs::read_to_string(&case).expect("a case is UTF-8")).check();
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
    let it = Crate::new("shown", include_str!("../cases/shown.graph"));
    std::fs::write(
        it.dir.path().join("build.rs"),
        "bb::build!(graph; bb::Options::default().pictures(\"pictures\"));\n",
    )
    .expect("the crate is writable");
    let (said, _) = it.check_with(&[("BB_DUMP", "passes")]);
    assert_eq!(said, "");
    let read = |path: &str| std::fs::read_to_string(it.dir.path().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(read("passes/ask/00-recorded.txt").contains("ask ("));
    assert!(read("passes/ask/02-validate.txt").contains("Relu"));
    let files = std::fs::read_dir(it.dir.path().join("passes/ask")).expect("it was made").count();
    let last = read(&format!("passes/ask/{:02}-stamp_compilation_metadata.txt", files - 1));
    assert!(last.contains("ask_Server (") && last.contains("ask_Client ("), "a part per class: {last}");
    assert!(read("pictures/ask.mmd").contains("subgraph peer1[\"Client · to\"]"), "{}", read("pictures/ask.mmd"));
    assert!(read("pictures/ask.dot").starts_with("digraph \"ask\""));
    assert!(read("pictures/ask.svg").ends_with("</svg>\n"));
}

/// What was found in other tokens than the ones that stand there now is not replayed.
#[test]
fn a_stale_fault_is_not_told() {
    let graph = std::fs::read_to_string(Path::new(HERE).join("cases/two_peers_of_one_class.rs")).expect("a case");
    let it = Crate::new("stale", &graph);
    let (said, out) = it.check();
    assert!(said.contains("BB0210"), "{said}");
    let errors = out.join("bb.errors");
    let text = std::fs::read_to_string(&errors).expect("the build script wrote it");
    let hash = text.split('\t').nth(1).expect("the second column is the hash of the module's tokens").to_owned();
    std::fs::write(&errors, text.replace(&hash, "0000000000000000")).expect("OUT_DIR is writable");
    std::fs::write(
        it.dir.path().join("src/lib.rs"),
        "pub mod graph;\n// Another line, so that the crate is checked again.\n",
    )
    .expect("the crate is writable");
    let (said, _) = it.check();
    assert_eq!(said, "");
}
