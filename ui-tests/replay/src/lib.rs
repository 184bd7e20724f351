//! Crates made of programs, built by a build script of one line and checked with `cargo check --message-format=json`.

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs lie.
pub const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// A crate that takes part in no workspace.
pub struct Crate {
    dir: tempfile::TempDir,
    target: PathBuf,
}

impl Crate {
    /// Of these files (`src/graph.rs`, `build.rs`, …). Crates with one `target` directory build once what they share.
    pub fn new(name: &str, target: &str, files: &[(&str, &str)]) -> Self {
        let bb = Path::new(HERE).join("../../bb").canonicalize().expect("bb lies in the workspace");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let it = Crate { dir, target: Path::new(target).join("replay") };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
             [dependencies]\nbb = {{ path = {bb:?} }}\n\
             [build-dependencies]\nbb = {{ path = {bb:?}, features = [\"build\"] }}\n"
        );
        it.write("Cargo.toml", &manifest);
        std::fs::copy(bb.join("../Cargo.lock"), it.path().join("Cargo.lock")).expect("the workspace is locked");
        files.iter().for_each(|(path, text)| it.write(path, text));
        it
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts a file there.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the crate")).expect("the directory can be made");
        std::fs::write(path, text).expect("the file can be written");
    }

    /// Puts the ONNX models of bb's own tests there.
    pub fn add_models(&self) {
        let models = Path::new(HERE).join("../../bb/sim/tests/onnx");
        for path in std::fs::read_dir(models).expect("they lie there").flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == "onnx") {
                let name = path.file_name().expect("a file").to_string_lossy();
                self.write(&name, std::fs::read(&path).expect("it can be read"));
            }
        }
    }

    /// What `cargo check` says of this crate, and its `OUT_DIR`.
    pub fn check(&self) -> (Vec<Said>, PathBuf) {
        self.check_with(&[])
    }

    /// The same, in an environment with these variables.
    pub fn check_with(&self, environment: &[(&str, &str)]) -> (Vec<Said>, PathBuf) {
        let output = Command::new(env!("CARGO"))
            .envs(environment.iter().copied())
            .current_dir(self.path())
            .args(["check", "--offline", "--message-format=json"])
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("OUT_DIR")
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let mut said = Vec::new();
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
                Some("compiler-message") => said.extend(Said::of(&message["message"])),
                _ => {}
            }
        }
        let failed_before_rustc = out.as_os_str().is_empty() && said.is_empty();
        assert!(!failed_before_rustc, "{}", String::from_utf8_lossy(&output.stderr));
        (said, out)
    }
}

/// Something rustc says at a token.
pub struct Said {
    /// The file, from the package.
    pub file: String,
    /// Level, text, place, and the line with the token underlined.
    pub text: String,
}

impl Said {
    fn of(message: &Value) -> Option<Self> {
        let level = message["level"].as_str().unwrap_or_default();
        let span = message["spans"].as_array()?.iter().find(|s| s["is_primary"] == true)?;
        let text = message["message"].as_str().unwrap_or_default();
        let (file, line, column) =
            (span["file_name"].as_str().unwrap_or_default(), &span["line_start"], &span["column_start"]);
        let source = span["text"][0]["text"].as_str().unwrap_or_default();
        let (start, end) = (column.as_u64().unwrap_or(1) as usize, span["column_end"].as_u64().unwrap_or(1) as usize);
        let margin = " ".repeat(start.saturating_sub(1));
        let carets = "^".repeat(end.saturating_sub(start).max(1));
        let mut said = format!("{level}: {text}\n --> {file}:{line}:{column}\n");
        writeln!(said, "  | {source}\n  | {margin}{carets}").expect("strings grow");
        Some(Said { file: file.to_owned(), text: said })
    }
}

/// All of it.
pub fn told(said: &[Said]) -> String {
    said.iter().map(|said| said.text.as_str()).collect()
}
