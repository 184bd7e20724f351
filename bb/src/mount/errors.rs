//! What is wrong with the modules of a crate, as lines that `#[bb::module]` replays on its tokens.

use crate::module::Module;
use crate::record::{Bootstrap, Recorded};
use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic;

thread_local!(static PANIC: Cell<Option<(Option<SourcePlace>, String)>> = const { Cell::new(None) });

/// Sorted lines: module, hash of its tokens, severity, file, line, column, text, and the place as a snippet.
pub struct Errors {
    lines: BTreeSet<String>,
    hashes: BTreeMap<&'static str, &'static str>,
    /// Whether a module could not be recorded, so that nobody knows whose a bootstrap is.
    pub panicked: bool,
}

fn panicked(module: &Module, (place, text): (Option<SourcePlace>, String)) -> Diagnostic {
    let name = crate::record::panicked_in().unwrap_or(module.name);
    Diagnostic::new("BB0101", format!("recording `{name}` panicked: {text}"))
        .at(place)
        .in_module(name)
        .note("the body of a module runs while the crate builds")
        .help("mend what panics, as in any Rust function: a `#[test]` that calls `bb::record` shows it too")
}

impl Errors {
    pub fn new(modules: &[&Module]) -> Self {
        let bootstraps = Bootstrap::all().into_iter().map(|b| (b.name, b.hash));
        let hashes = modules.iter().map(|m| (m.name, m.hash)).chain(bootstraps).collect();
        Errors { lines: BTreeSet::new(), hashes, panicked: false }
    }

    /// Records a module; a panic is a fault at its place.
    pub fn catch(&mut self, module: &Module, record: fn() -> Recorded) -> Option<Recorded> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(|l| SourcePlace {
                file: crate::record::manifest_relative(l.file()),
                line: l.line(),
                column: l.column(),
            });
            PANIC.set(Some((place, info.payload_as_str().unwrap_or("no message").to_owned())));
        }));
        let recorded = panic::catch_unwind(record);
        panic::set_hook(before);
        match recorded {
            Ok(recorded) => Some(recorded),
            Err(payload) => {
                let panic = PANIC.take().unwrap_or_default();
                let fault = match payload.downcast::<Diagnostic>() {
                    Ok(refused) => *refused,
                    Err(_) => panicked(module, panic),
                };
                self.panicked = true;
                self.add(module, &fault);
                None
            }
        }
    }

    /// Two modules of one name: artifacts and handles go by name.
    pub fn two_of_one_name(&mut self, module: &Module, other: &str) {
        // In the build script the mounted files lie below a module of their own.
        let path = |p: &str| p.split_once("__src::").map_or(p.to_owned(), |(_, rest)| format!("crate::{rest}"));
        // Both places: where the two have the same tokens, both are told.
        let message =
            format!("two modules are called `{}`, in `{}` and in `{}`", module.name, path(other), path(module.path));
        self.add(module, &Diagnostic::new("BB0102", message).help("give one of them another name"));
    }

    /// A bootstrap of a function that is not recorded as a module.
    pub fn of_no_module(&mut self, bootstrap: &Bootstrap) {
        let text = "this is a bootstrap of what is no module of this build";
        let help = "name a function with `#[bb::module]`, not generic, in a file that `bb::build!` mounts";
        let at = crate::record::source_place((bootstrap.at)());
        self.line(bootstrap.name, bootstrap.hash, &Diagnostic::new("BB0104", text).at(Some(at)).help(help));
    }

    pub fn extend(&mut self, module: &Module, faults: &[Diagnostic]) {
        for fault in faults {
            self.add(module, fault);
        }
    }

    /// A fault stands in the module whose tokens it is about: that may be one that `module` calls.
    fn add(&mut self, module: &Module, fault: &Diagnostic) {
        let named = fault.module.as_deref().and_then(|m| self.hashes.get_key_value(m));
        let (name, hash) = named.map_or((module.name, module.hash), |(name, hash)| (*name, *hash));
        self.line(name, hash, fault);
    }

    fn line(&mut self, name: &str, hash: &str, fault: &Diagnostic) {
        let (file, line, column) = fault.at.as_ref().map_or(("", 0, 0), |at| (at.file.as_str(), at.line, at.column));
        // Files go by their paths from the package, where build scripts run.
        let source = |file: &str| std::fs::read_to_string(file).ok();
        let one_line = |text: String| text.replace('\n', "\\n").replace('\t', " ");
        let text = one_line(fault.render(source));
        let snippet = one_line(fault.at.as_ref().map_or(String::new(), |at| at.render(source)));
        let severity = fault.severity().name();
        self.lines.insert(format!("{name}\t{hash}\t{severity}\t{file}\t{line}\t{column}\t{text}\t{snippet}"));
    }

    pub fn text(&self) -> String {
        self.lines.iter().map(|l| format!("{l}\n")).collect()
    }
}
