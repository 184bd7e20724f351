//! How programs are compiled.

use super::dump;
use crate::component::{Storage, declaration};
use crate::record::Recorded;
use bb_compiler::passes::collapse_backend_subgraphs::tensor_operators;
use bb_compiler::{BindingSpec, Compiler, Types};
use bb_ir::component::ComponentDecl;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How `bb::build!` and [`compile_with`](crate::compile_with) compile a program. Nodes of one program are built with the
/// same options: they are part of its digest.
///
/// ```
/// let slow = bb::Options::default().per_hop_budget(std::time::Duration::from_secs(300));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    per_hop_budget: Option<Duration>,
    backend: Option<Vec<String>>,
    dumps: Option<PathBuf>,
    pictures: Option<PathBuf>,
    bindings: Vec<(String, String, ComponentDecl)>,
    types: Types,
}

impl Options {
    /// How long a message may be under way per wire on its path back, the work in between included; 30 s where nothing is
    /// said. A question and its answer have twice that. A call's own budget may end it sooner, never later.
    ///
    /// A budget of nothing, or of more than 292 years on one path, is refused when a program is compiled.
    pub fn per_hop_budget(self, budget: Duration) -> Self {
        Options { per_hop_budget: Some(budget), ..self }
    }

    /// Regions of tensor operators go whole to a backend, which optimises them once: `bb_components::tract` runs them. Without,
    /// each operator is an op of its own.
    pub fn backend_subgraphs(self) -> Self {
        Options { backend: Some(tensor_operators()), ..self }
    }

    /// The same for a backend that has these operators of ONNX and no others: a program that needs one of the others on
    /// tensors is refused.
    pub fn backend_operators(self, has: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Options { backend: Some(has.into_iter().map(Into::into).collect()), ..self }
    }

    /// Says that an `X` will be bound to this slot of the program, a parameter of its root module: what it needs is looked
    /// for while the program is built, and what its tensors of any element hold is known. It is bound where the node
    /// starts, as without.
    pub fn bind<X: Storage>(mut self, program: impl Into<String>, slot: impl Into<String>) -> Self {
        self.bindings.push((program.into(), slot.into(), declaration::<X>()));
        self
    }

    /// Refuses a program of which a shape cannot be found out: every dimension of every tensor has a size or a name, so
    /// nothing about shapes is left to be found wrong while it runs but the sizes of those names. Without, a tensor may have
    /// any shape where none is said.
    pub fn strict_types(self) -> Self {
        Options { types: Types::Strict, ..self }
    }

    /// Writes each program as text behind every pass: `<directory>/<program>/<number>-<pass>.txt`. The environment variable
    /// `BB_DUMP=<directory>` does the same without an edit, and goes before. A relative directory is one below the package
    /// that is built.
    pub fn dumps(self, directory: impl Into<PathBuf>) -> Self {
        Options { dumps: Some(directory.into()), ..self }
    }

    /// Draws each program that compiles, as `<directory>/<program>.mmd` (Mermaid), `.dot` (Graphviz) and `.svg`. A relative
    /// directory is one below the package that is built. Drawing in process is [`Compiled::picture`](crate::Compiled::picture).
    pub fn pictures(self, directory: impl Into<PathBuf>) -> Self {
        Options { pictures: Some(directory.into()), ..self }
    }

    /// The programs that something is said to be bound to and that are not among these.
    pub(super) fn bound_elsewhere(&self, is_here: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut programs: Vec<&str> =
            self.bindings.iter().map(|(of, ..)| of.as_str()).filter(|of| !is_here(of)).collect();
        programs.dedup();
        programs
    }

    pub(super) fn picture_directory(&self) -> Option<&Path> {
        self.pictures.as_deref()
    }

    /// The compiler of that program.
    pub(super) fn compiler(&self, program: &Recorded) -> Compiler {
        let named = program.components.iter().fold(BindingSpec::default(), |all, of| all.declare(*of));
        let bound = self.bindings.iter().filter(|(of, ..)| *of == program.name);
        let mut compiler = Compiler::new().with_bindings(bound.fold(named, |all, (_, slot, of)| all.bind(slot, *of)));
        compiler = compiler.with_types(self.types);
        if let Some(budget) = self.per_hop_budget {
            compiler = compiler.with_per_hop_budget_ns(u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX));
        }
        if let Some(has) = &self.backend {
            compiler = compiler.with_backend_subgraphs(has);
        }
        match std::env::var_os(dump::VARIABLE).map(PathBuf::from).or_else(|| self.dumps.clone()) {
            Some(directory) => compiler.with_observer(dump::writer(directory.join(&program.name))),
            None => compiler,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_of_no_program_is_told_of() {
        let declared = ComponentDecl { ty: "a.B", role: "a.C", element: None, dependencies: &[] };
        let bindings = ["round", "wrong", "wrong"].map(|of| (of.to_owned(), "trainer".to_owned(), declared)).to_vec();
        let options = Options { bindings, ..Options::default() };
        assert_eq!(options.bound_elsewhere(|program| program == "round"), ["wrong"]);
    }
}
