//! A module, compiled in process: for build scripts, tests and tools.

use super::Options;
use crate::module::Program;
use crate::record::{Recorded, record};
use bb_compiler::{Gates, Output, Picture};
use bb_ir::diagnostics::Diagnostic;

/// One class's piece of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The class.
    pub class: String,
    /// What an engine installs.
    pub bytes: Vec<u8>,
}

/// A module as it was recorded and, if nothing is wrong with it and calls can start it, compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The recording.
    pub recorded: Recorded,
    /// The compiler's output. A fragment, and a program with faults, has none.
    pub output: Option<Output>,
    /// One per class of peers.
    pub artifacts: Vec<Artifact>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Records and compiles a module, or any function of a graph, values and components.
pub fn compile<Args>(program: impl Program<Args>) -> Compiled {
    compile_with(program, &Options::default())
}

/// The same, with options.
pub fn compile_with<Args>(program: impl Program<Args>, options: &Options) -> Compiled {
    Compiled::of(record(program), options)
}

impl Compiled {
    pub(super) fn of(recorded: Recorded, options: &Options) -> Self {
        let diagnostics = recorded.diagnostics.clone();
        if !diagnostics.is_empty() || recorded.entry().is_none() {
            return Compiled { recorded, output: None, artifacts: Vec::new(), diagnostics };
        }
        match options.compiler(&recorded.name).compile(&recorded.model) {
            Ok(output) => {
                let artifact = |p: &bb_compiler::Partition| Artifact {
                    class: p.class.clone(),
                    bytes: bb_ir::artifact::write(&p.model),
                };
                let artifacts = output.partitions.iter().map(artifact).collect();
                Compiled { recorded, output: Some(output), artifacts, diagnostics }
            }
            Err(error) => Compiled { recorded, output: None, artifacts: Vec::new(), diagnostics: error.into() },
        }
    }

    /// What the program looks like, if it compiles: to be written as Mermaid, Graphviz or SVG.
    pub fn picture(&self, gates: Gates) -> Option<Picture> {
        let output = self.output.as_ref()?;
        Some(Picture::of(output.partitions.iter().map(|p| &p.model), gates))
    }

    /// The piece of that class.
    pub fn artifact(&self, class: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|a| a.class == class)
    }
}
