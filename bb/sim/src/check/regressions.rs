//! Runs that failed before: a line each, in a file beside the test's.

use super::{DEPTH_MAX, Failure, Script, Test, run};
use std::fmt::Write;
use std::panic::Location;
use std::path::{Path, PathBuf};

const HEAD: &str = "# Runs that failed once, replayed before all others: test, seed, and what strikes or overtakes.\n";

pub struct Regressions {
    /// None where the test's own file is not to be found.
    file: Option<PathBuf>,
    test: String,
}

impl Regressions {
    #[cfg(test)]
    pub fn of(file: PathBuf, test: &str) -> Self {
        Regressions { file: Some(file), test: test.into() }
    }
    /// Those of the test that runs on this thread, whose source file is that.
    pub fn beside(at: &Location<'_>) -> Self {
        let test = std::thread::current().name().unwrap_or("main").to_owned();
        let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
        let found = root.ancestors().map(|dir| dir.join(at.file())).find(|path| path.exists());
        Regressions { file: found.map(|source| source.with_extension("sim-regressions")), test }
    }

    /// Runs what failed before.
    pub fn replay(&self, test: Test<'_>) {
        for script in self.known() {
            if let Err(failure) = run(test, &script, DEPTH_MAX) {
                let file = self.file.as_deref().unwrap_or(Path::new("")).display().to_string();
                panic!("{}\n\nas before: {} (in {file})\n\n{}", failure.message, text(&script), failure.trace);
            }
        }
    }
    fn known(&self) -> Vec<Script> {
        let text = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let own = text.lines().filter_map(|line| line.strip_prefix(self.test.as_str())?.strip_prefix(": "));
        own.filter_map(parse).collect()
    }

    /// Writes a failing run down, and fails with it.
    pub fn report(&self, failure: Failure) -> ! {
        let Failure { message, script, trace, .. } = failure;
        let run = text(&script);
        let line = format!("{}: {run}\n", self.test);
        let written = self.file.as_ref().is_some_and(|file| {
            let before = std::fs::read_to_string(file).unwrap_or_else(|_| HEAD.to_owned());
            before.contains(&line) || std::fs::write(file, before + &line).is_ok()
        });
        let file = self.file.as_deref().unwrap_or(Path::new("the test")).display().to_string();
        let whither = if written {
            format!("written to {file}: the next run replays it")
        } else {
            format!("not written beside {file}")
        };
        panic!("{message}\n\n{run}\n{whither}\n\n{trace}")
    }
}

/// As it stands in a file.
pub fn text(script: &Script) -> String {
    let mut text = format!("seed {}", script.seed);
    let mut list = |name: &str, items: Vec<String>| {
        let _ = write!(text, " {name} {}", if items.is_empty() { "none".into() } else { items.join(" ") });
    };
    if let Some(faults) = &script.faults {
        list("faults", faults.iter().map(u64::to_string).collect());
    }
    if let Some(order) = &script.order {
        list("order", order.iter().map(usize::to_string).collect());
    }
    text
}

pub fn parse(text: &str) -> Option<Script> {
    let mut words = text.split_whitespace();
    let seed = words.next().filter(|w| *w == "seed").and_then(|_| words.next()?.parse().ok())?;
    let mut script = Script { seed, ..Script::default() };
    let kind = words.next();
    let rest: Vec<&str> = words.filter(|w| *w != "none").collect();
    match kind {
        None => {}
        Some("faults") => script.faults = Some(rest.iter().map(|w| w.parse().ok()).collect::<Option<_>>()?),
        Some("order") => script.order = Some(rest.iter().map(|w| w.parse().ok()).collect::<Option<_>>()?),
        Some(_) => return None,
    }
    Some(script)
}
