//! The single entry point.

use crate::analysis::NetworkAnalysis;
use crate::bindings::BindingSpec;
use crate::error::{CompileError, PassError};
use crate::parallel;
use crate::passes::derive_wire_deadlines::PER_HOP_BUDGET_NS;
use crate::passes::type_solver::Types;
use crate::runner::{self, Unit};
use crate::unrolled::Unrolled;
use bb_ir::artifact;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::digest::ProgramDigest;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use std::num::NonZero;
use std::rc::Rc;

/// Compiles recorded programs.
pub struct Compiler {
    stages: Vec<Box<dyn CompilerStage>>,
    per_hop_budget_ns: u64,
    backend: Option<Vec<String>>,
    bindings: Rc<BindingSpec>,
    types: Types,
    unrolled: Unrolled,
    threads: Option<NonZero<usize>>,
    observer: Observer,
}

/// Who looks on: the name of what ran last, and the program as it stands behind it.
type Observer = Box<dyn Fn(&'static str, &[&ModelProto])>;

impl Default for Compiler {
    fn default() -> Self {
        Compiler {
            stages: Vec::new(),
            per_hop_budget_ns: PER_HOP_BUDGET_NS,
            backend: None,
            bindings: Rc::default(),
            types: Types::Relaxed,
            unrolled: Unrolled::default(),
            threads: None,
            observer: Box::new(|_, _| {}),
        }
    }
}

/// A user's own pass over a finished partition, run once per partition behind the canonical ones.
pub trait CompilerStage {
    /// What it is called.
    fn name(&self) -> &'static str;
    /// Changes a partition, or refuses it.
    fn run(&self, partition: Partition) -> Result<Partition, PassError>;
}

/// What a class of peers runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// The class.
    pub class: String,
    /// The artifact; `functions[0]` is its main.
    pub model: ModelProto,
}

impl Partition {
    /// The function an engine installs.
    pub fn main(&self) -> &FunctionProto {
        self.model.functions.first().expect("a partition has a main")
    }
    /// What it is called: `<Module>_<Class>`, or `<Module>` where there is one class.
    pub fn name(&self) -> &str {
        self.main().name()
    }
}

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Output {
    /// The whole program, inlined, typed and placed: what the digest is of.
    pub program: ModelProto,
    /// What makes two builds the same program.
    pub digest: ProgramDigest,
    /// One per class, the entry's first.
    pub partitions: Vec<Partition>,
    /// The classes and the wires between them.
    pub analysis: NetworkAnalysis,
    /// Of how many members cohorts are where the program is written as one graph.
    pub unrolled: Unrolled,
    /// What somebody should look at, though the program is built.
    pub warnings: Vec<Diagnostic>,
    /// What each pass saw and cost, in their order.
    pub trace: Vec<runner::PassTrace>,
}

impl Output {
    /// The bytes that engines install, partition by partition.
    pub fn artifacts(&self) -> Vec<Vec<u8>> {
        parallel::look(&self.partitions, |partition| artifact::write(&partition.model))
    }
}

impl Compiler {
    /// A compiler with the canonical passes alone.
    pub fn new() -> Self {
        Compiler::default()
    }

    /// With a further stage, behind those there are.
    pub fn with_stage(mut self, stage: impl CompilerStage + 'static) -> Self {
        self.stages.push(Box::new(stage));
        self
    }

    /// With another time that a message may take per wire on its way back; without, it is 30 s. It is part of the program:
    /// builds with different budgets have different digests.
    pub fn with_per_hop_budget_ns(mut self, ns: u64) -> Self {
        self.per_hop_budget_ns = ns;
        self
    }

    /// For a backend that has these operators of `ai.onnx`: regions of them go to it whole.
    pub fn with_backend_subgraphs(mut self, has: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.backend = Some(has.into_iter().map(Into::into).collect());
        self
    }

    /// With what is known of the components that the program names, and of those that will be bound to its slots. It is
    /// for the compiler alone: artifacts say which slots there are, not who is going to serve them.
    pub fn with_bindings(mut self, bindings: BindingSpec) -> Self {
        self.bindings = Rc::new(bindings);
        self
    }

    /// Where so much has to be known of types; without, [`Types::Relaxed`].
    pub fn with_types(mut self, types: Types) -> Self {
        self.types = types;
        self
    }

    /// Where the program is written as one graph ([`Reference::whole`](crate::Reference::whole)), cohorts of this class have
    /// so many members, each in nodes of its own; without, one. Artifacts and the digest are what they are without it. A class
    /// of which the program has no cohort is refused, and so is a cohort of nobody, or of more than there can be
    /// ([`LANES_MAX`](bb_ir::limits::LANES_MAX)).
    pub fn with_unrolled(mut self, class: impl Into<String>, members: usize) -> Self {
        self.unrolled.insert(class.into(), members);
        self
    }

    /// By so many threads at most, which changes nothing of what comes out. Without, there are as many as processors, or as
    /// many as cargo gives a build script jobs if these are fewer, and never more than eight.
    pub fn with_threads(self, threads: NonZero<usize>) -> Self {
        Compiler { threads: Some(threads), ..self }
    }

    /// With somebody who looks at the program as it was recorded, and behind every pass and stage, also where what that
    /// leaves is then refused. Behind the cut there is one model per class.
    pub fn with_observer(mut self, observer: impl Fn(&'static str, &[&ModelProto]) + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Compiles a recorded model.
    pub fn compile(&self, recorded: &ModelProto) -> Result<Output, CompileError> {
        self.compile_owned(recorded.clone())
    }

    /// The same, for who does not need the recording any more: it is not copied.
    pub fn compile_owned(&self, recorded: ModelProto) -> Result<Output, CompileError> {
        let misled = self.unrolled.faults(&recorded);
        let mut unit = Unit::of(recorded);
        unit.per_hop_budget_ns = self.per_hop_budget_ns;
        unit.backend.clone_from(&self.backend);
        unit.bindings.clone_from(&self.bindings);
        unit.types = self.types;
        let mut output = match parallel::by(self.threads, || runner::run(unit, &*self.observer)) {
            Ok(output) => PassError::unless("unroll", misled, output)?,
            Err(mut error) => {
                error.also(misled);
                return Err(error);
            }
        };
        output.unrolled.clone_from(&self.unrolled);
        for stage in &self.stages {
            let partitions = std::mem::take(&mut output.partitions);
            output.partitions = partitions.into_iter().map(|p| stage.run(p)).collect::<Result<_, _>>()?;
            let models: Vec<&ModelProto> = output.partitions.iter().map(|p| &p.model).collect();
            (self.observer)(stage.name(), &models);
            runner::check_sealed(stage.name(), &output.partitions)?;
        }
        Ok(output)
    }
}
