//! Runs that failed before: a line each, in a file beside the test's.

use super::{DEPTH_MAX, Failure, Script, Test, run};
use crate::fate::Strike;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const HEAD: &str = "# Runs that failed once, replayed before all others: test, seed, which faults strike, which message arrives next.\n";

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
    pub fn report(&self, failure: &Failure) -> ! {
        let Failure { message, script, trace, .. } = failure;
        let run = text(script);
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

/// As it stands in a file: `seed 7; least delays; faults drop 0>1 #3, cut 1>0 #2`.
pub fn text(script: &Script) -> String {
    let list = |name: &str, items: Vec<String>| match items.is_empty() {
        true => format!("no {name}"),
        false => format!("{name} {}", items.join(", ")),
    };
    let mut parts = vec![format!("seed {}", script.seed)];
    parts.extend(script.least_delays.then(|| "least delays".to_owned()));
    parts.extend(script.faults.as_ref().map(|all| list("faults", all.iter().map(Strike::to_string).collect())));
    parts.extend(script.order.as_ref().map(|all| list("order", all.iter().map(usize::to_string).collect())));
    parts.join("; ")
}

pub fn parse(text: &str) -> Option<Script> {
    fn items<T: FromStr>(list: &str) -> Option<Vec<T>> {
        list.split(", ").map(|item| item.parse().ok()).collect()
    }
    let mut parts = text.trim().split("; ");
    let seed = parts.next()?.strip_prefix("seed ")?.parse().ok()?;
    let mut script = Script { seed, ..Script::default() };
    for part in parts {
        match part.split_once(' ')? {
            ("least", "delays") => script.least_delays = true,
            ("no", "faults") => script.faults = Some(Vec::new()),
            ("no", "order") => script.order = Some(Vec::new()),
            ("faults", list) => script.faults = Some(items(list)?),
            ("order", list) => script.order = Some(items(list)?),
            _ => return None,
        }
    }
    Some(script)
}
