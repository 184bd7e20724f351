//! How programs are compiled.

use super::dump;
use crate::component::{Storage, declaration};
use crate::place::PeerClass;
use crate::record::Recorded;
use bb_compiler::passes::collapse_backend_subgraphs::tensor_operators;
use bb_compiler::unrolled::cohorts;
use bb_compiler::{BindingSpec, Compiler, Types};
use bb_ir::component::ComponentDecl;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How `bb::build!` and [`compile_with`](crate::compile_with) compile a program. Nodes of one program are built with the
/// same options: those that change what runs are part of its digest, which is all but `unroll`, `dumps` and `pictures`.
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
    unrolled: Vec<(&'static str, usize)>,
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

    /// Where a program is written as one graph, each cohort of `C` has so many members, each in nodes of its own; without,
    /// one. That is what [`Compiled::whole`](crate::Compiled::whole) gives and [`Options::dumps`] writes. What runs is the same
    /// with and without it: an artifact is for any number of members, and no digest changes.
    ///
    /// A program without a cohort of `C` is refused, unless another one of the same `bb::build!` has one. A cohort of nobody is
    /// refused too, and one of more members than can be (65,536).
    pub fn unroll<C: PeerClass>(mut self, members: usize) -> Self {
        self.unrolled.retain(|(class, _)| *class != C::NAME);
        self.unrolled.push((C::NAME, members));
        self
    }

    /// Writes each program as text behind every pass: `<directory>/<program>/<number>-<pass>.txt`; beside it, if it compiles,
    /// `whole.onnx`: the program as one graph, for tools that show ONNX. Ops whose meaning only their components know stay
    /// what they are there. Where a program cannot be written so, `whole.txt` says why. The environment variable
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

    /// The classes that a program has cohorts of, where anything is unrolled: else nobody asks.
    pub(super) fn cohorts_of(&self, program: &Recorded) -> BTreeSet<String> {
        let there = if self.unrolled.is_empty() { BTreeSet::new() } else { cohorts(&program.model) };
        there.into_iter().map(str::to_owned).collect()
    }

    /// For one program of a build, whose options are for all of them: nothing of cohorts that this one does not have.
    pub(super) fn for_one_of_many(&self, cohorts: &BTreeSet<String>) -> Options {
        let mut options = self.clone();
        options.unrolled.retain(|(class, _)| cohorts.contains(*class));
        options
    }

    /// The classes that something is said to be unrolled of and that are not among these.
    pub(super) fn unrolled_elsewhere(&self, is_here: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
        self.unrolled.iter().map(|(class, _)| *class).filter(move |class| !is_here(class))
    }

    pub(super) fn picture_directory(&self) -> Option<&Path> {
        self.pictures.as_deref()
    }

    /// Where that program is dumped, if it is.
    pub(super) fn dump_directory(&self, program: &str) -> Option<PathBuf> {
        let directory = std::env::var_os(dump::VARIABLE).map(PathBuf::from).or_else(|| self.dumps.clone());
        Some(directory?.join(program))
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
        compiler = self.unrolled.iter().fold(compiler, |all, (class, members)| all.with_unrolled(*class, *members));
        match self.dump_directory(&program.name) {
            Some(directory) => compiler.with_observer(dump::writer(directory)),
            None => compiler,
        }
    }
}

/// What is said of `unroll` for a class that no program of a build has cohorts of.
pub(super) fn unrolled_nowhere(class: &str, cohorts: &BTreeSet<String>) -> String {
    let there: Vec<String> = cohorts.iter().map(|class| format!("`{class}`")).collect();
    let cure = match there.as_slice() {
        [] => "there are none: unroll nothing".to_owned(),
        there => format!("there are cohorts of {}", there.join(", ")),
    };
    format!("bb[BB0412]: no program that is built here has a cohort of `{class}` to unroll; {cure}")
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

    #[test]
    fn what_is_unrolled_of_no_program_is_told_of() {
        let options = Options { unrolled: vec![("Client", 3), ("Nobody", 2)], ..Options::default() };
        assert_eq!(options.unrolled_elsewhere(|class| class == "Client").collect::<Vec<_>>(), ["Nobody"]);
        let cohorts = BTreeSet::from(["Client".to_owned(), "Voter".to_owned()]);
        let said = unrolled_nowhere("Nobody", &cohorts);
        assert!(said.ends_with("a cohort of `Nobody` to unroll; there are cohorts of `Client`, `Voter`"), "{said}");
        let said = unrolled_nowhere("Nobody", &BTreeSet::new());
        assert!(said.ends_with("there are none: unroll nothing"), "{said}");
    }
}
