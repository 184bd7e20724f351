//! The build script's side: record every registered module, compile the roots, and leave in `OUT_DIR` what the crate's
//! macros read: artifacts, `bb.shapes` (what handles look like), `bb.errors` (what to replay) and `bb.index` (whose they
//! are).
//!
//! A faulty program never fails the build script: an editor whose build scripts fail is blind.

mod compiled;
mod dump;
mod errors;
mod options;

pub use compiled::{Artifact, Compiled, compile, compile_with};
pub use options::Options;

use crate::module::Module;
use crate::record::{Bootstrap, Recorded};
use bb_compiler::Gates;
use errors::Errors;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Mounts modules of `src/` in the build script: `bb::build!(graph, peers);`
///
/// With [`Options`](crate::Options) behind a semicolon:
/// `bb::build!(graph; bb::Options::default().per_hop_budget(Duration::from_secs(300)));`
///
/// The files are compiled into the build script as they are, so loops, generics, helpers and `crate::` paths are plain
/// Rust there too. They see each other and the crates under `[build-dependencies]`, nothing else of the package: an item that
/// needs more has [`#[bb::runtime]`](macro@crate::runtime) on it, which leaves it out here.
#[macro_export]
macro_rules! build {
    ($($name:ident),* $(,)?) => { $crate::build!($($name),*; $crate::Options::default()); };
    ($($name:ident),* $(,)?; $options:expr) => {
        // An inline module with a `path` keeps rustc's own file lookup (`graph.rs`, `graph/mod.rs`, `graph/more.rs`); a
        // `path` on the module itself would look for its submodules beside it. What rustc warns of it says of the crate.
        #[allow(warnings)]
        #[path = "src"]
        mod __src { $( pub mod $name; )* }
        #[allow(unused_imports)]
        use __src::*;
        // Within a function nobody would call `main`; there is no such path there either, and rustc says its name.
        mod bb_build_is_all_of_the_build_script_and_stands_in_no_fn_main {}
        #[allow(unused_imports)]
        use self::bb_build_is_all_of_the_build_script_and_stands_in_no_fn_main as _;
        fn main() {
            $crate::mount::run(&[$(stringify!($name)),*], &$options);
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`bb::build!` takes the names of files in `src/`\n  help: `bb::build!(graph);` for `src/graph.rs` or \
             `src/graph/mod.rs`, which may have submodules; options stand behind a semicolon"
        );
        fn main() {}
    };
}

/// What `bb::build!` expands to.
///
/// # Panics
/// If cargo did not set `OUT_DIR`, or it cannot be written to.
pub fn run(mounted: &[&str], options: &Options) {
    println!("cargo::rerun-if-changed=build.rs");
    for name in mounted {
        for path in [format!("src/{name}.rs"), format!("src/{name}")] {
            if Path::new(&path).exists() {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
    println!("cargo::rerun-if-env-changed={}", dump::VARIABLE);
    println!("cargo::rustc-check-cfg=cfg(bb)\ncargo::rustc-cfg=bb");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();

    let mut modules: Vec<&Module> = inventory::iter::<Module>().collect();
    modules.sort_by_key(|m| (m.path, m.name));
    let mut errors = Errors::new(&modules);
    let mut shapes = String::new();
    let mut roots: BTreeMap<&str, &str> = BTreeMap::new();
    let mut recorded_roots = BTreeSet::new();
    let mut cohorts: BTreeSet<String> = BTreeSet::new();
    for module in modules {
        let Some(recorded) = errors.catch(module, module.record) else {
            let _ = writeln!(shapes, "{}\tbroken", module.name);
            continue;
        };
        for path in &recorded.models {
            println!("cargo::rerun-if-changed={path}");
        }
        let cohorts_here = options.cohorts_of(&recorded);
        if recorded.entry().is_some() {
            cohorts.extend(cohorts_here.iter().cloned());
        }
        if let Some(other) = roots.insert(module.name, module.path) {
            errors.two_of_one_name(module, other);
            let _ = writeln!(shapes, "{}\tdouble\t{}", module.name, module.hash);
            continue;
        }
        recorded_roots.extend(recorded.root.clone());
        shape(&mut shapes, &recorded);
        let options_here = options.for_one_of_many(&cohorts_here);
        let compiled = Compiled::using_up(recorded, &options_here);
        errors.extend(module, &compiled.diagnostics);
        errors.extend(module, &compiled.warnings);
        if let Some(directory) = options.picture_directory() {
            draw(directory, module.name, &compiled);
        }
        for class in &compiled.recorded.classes {
            // A handle includes its artifact also where there is none: one fault stays one error.
            let bytes = compiled.artifact(class).map_or(&[][..], |a| &a.bytes);
            write(&out.join(format!("{}.{class}.onnx", module.name)), bytes);
        }
    }
    for program in options.bound_elsewhere(|name| roots.contains_key(name)) {
        println!(
            "cargo::error=`bb::Options::bind` is about a program `{program}`, and no module of that name is built here"
        );
    }
    if !errors.panicked {
        for class in options.unrolled_elsewhere(|class| cohorts.contains(class)) {
            println!("cargo::error={}", options::unrolled_nowhere(class, &cohorts));
        }
    }
    let homeless = |b: &&Bootstrap| !errors.panicked && !recorded_roots.contains((b.root)());
    let homeless: Vec<&Bootstrap> = Bootstrap::all().into_iter().filter(homeless).collect();
    homeless.into_iter().for_each(|bootstrap| errors.of_no_module(bootstrap));
    write(&out.join("bb.index"), manifest.as_bytes());
    write(&out.join("bb.shapes"), shapes.as_bytes());
    write(&out.join("bb.errors"), errors.text().as_bytes());
}

/// One line per class, input, slot and output: the attribute pairs them with its parameters by position.
fn shape(out: &mut String, r: &Recorded) {
    let name = &r.name;
    let _ = writeln!(out, "{name}\tentry\t{}", r.entry().unwrap_or("-"));
    for class in &r.classes {
        let _ = writeln!(out, "{name}\tclass\t{class}");
    }
    for (i, p) in r.params.iter().enumerate() {
        let kind = if p.slot.is_some() { "slot" } else { "input" };
        let _ = writeln!(out, "{name}\t{kind}\t{i}\t{}", p.class);
    }
    for (i, o) in r.outputs.iter().enumerate() {
        let resolves = if o.at_entry { "answer" } else { "event" };
        let _ = writeln!(out, "{name}\toutput\t{i}\t{}\t{}\t{resolves}", o.class, o.field);
    }
}

/// A program in each of the languages there are for pictures.
fn draw(directory: &Path, name: &str, compiled: &Compiled) {
    let Some(picture) = compiled.picture(Gates::Folded) else { return };
    make(directory);
    for (ending, text) in [("mmd", picture.mermaid()), ("dot", picture.dot()), ("svg", picture.svg())] {
        write(&directory.join(format!("{name}.{ending}")), text.as_bytes());
    }
}

fn make(directory: &Path) {
    if let Err(error) = std::fs::create_dir_all(directory) {
        panic!("{} cannot be made: {error}", directory.display());
    }
}

/// Writes a file, unless that is what it holds: an untouched file rebuilds nothing.
fn write(path: &Path, bytes: &[u8]) {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return;
    }
    if let Err(error) = std::fs::write(path, bytes) {
        panic!("{} cannot be written: {error}", path.display());
    }
}
