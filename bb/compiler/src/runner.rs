//! Runs the passes and looks at what each leaves.

use crate::analysis::NetworkAnalysis;
use crate::bindings::BindingSpec;
use crate::driver::{Output, Partition};
use crate::error::{CompileError, PassError};
use crate::parallel;
use crate::passes::type_solver::Types;
use crate::passes::validate::diagnose;
use crate::pipeline::{CHECKS, PASSES, Pass};
use crate::unrolled::Unrolled;
use bb_ir::diagnostics::{Diagnostic, Severity};
use bb_ir::digest::ProgramDigest;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::verify::{Level, Part, verify_with};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What a pass saw, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassTrace {
    /// The pass.
    pub pass: &'static str,
    /// How many nodes there were behind it.
    pub nodes: usize,
    /// Whether it left something else than it was given.
    pub changed: bool,
    /// How long it took.
    pub took: Duration,
    /// How long the verifier and the checks behind it took.
    pub verified: Duration,
}

/// A program on its way through the passes.
#[derive(Default)]
pub struct Unit {
    pub(crate) model: ModelProto,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) analysis: NetworkAnalysis,
    pub(crate) per_hop_budget_ns: u64,
    /// The operators of the backend that is to run regions whole, where that is asked for.
    pub(crate) backend: Option<Vec<String>>,
    /// What is known of components.
    pub(crate) bindings: Rc<BindingSpec>,
    /// What has to be known of types.
    pub(crate) types: Types,
    placed: Option<(ModelProto, ProgramDigest)>,
    /// Whether the pass that runs has changed anything.
    changed: bool,
    /// The level at which the verifier has seen the program as it is.
    verified: Option<Level>,
}

/// What a pass leaves, and whether that is something else than it was given.
pub(crate) type Left<T> = Result<(T, bool), PassError>;

impl Unit {
    /// A recorded program. What the verifier would look at first is `validate`'s, which says what it finds of the user's.
    pub(crate) fn of(model: ModelProto) -> Self {
        Unit { model, verified: Some(Level::Recorded), ..Unit::default() }
    }

    pub(crate) fn change(
        &mut self,
        pass: impl FnOnce(ModelProto) -> Result<ModelProto, PassError>,
    ) -> Result<(), CompileError> {
        self.may_change(|model| Ok((pass(model)?, true)))
    }

    /// Of a pass that often has nothing to do: what it leaves as it was is not verified again.
    pub(crate) fn may_change(&mut self, pass: impl FnOnce(ModelProto) -> Left<ModelProto>) -> Result<(), CompileError> {
        let (model, changed) = self.take_whole(pass)?;
        self.model = model;
        self.changed = changed;
        Ok(())
    }

    /// A pass that refuses may leave something for those behind it.
    fn take_whole<T>(&mut self, pass: impl FnOnce(ModelProto) -> Result<T, PassError>) -> Result<T, CompileError> {
        pass(std::mem::take(&mut self.model)).map_err(|mut error| {
            self.model = error.rest.take().map(|model| *model).unwrap_or_default();
            error.into()
        })
    }

    pub(crate) fn change_partitions(
        &mut self,
        pass: impl FnOnce(&Unit, Vec<Partition>) -> Result<Vec<Partition>, PassError>,
    ) -> Result<(), CompileError> {
        self.may_change_partitions(|unit, partitions| Ok((pass(unit, partitions)?, true)))
    }

    /// The same as [`Unit::may_change`].
    pub(crate) fn may_change_partitions(
        &mut self,
        pass: impl FnOnce(&Unit, Vec<Partition>) -> Left<Vec<Partition>>,
    ) -> Result<(), CompileError> {
        let partitions = std::mem::take(&mut self.partitions);
        (self.partitions, self.changed) = pass(self, partitions)?;
        Ok(())
    }

    /// A pass about wires alone leaves a program without any as it is.
    pub(crate) fn change_wires(
        &mut self,
        pass: impl FnOnce(&Unit, Vec<Partition>) -> Result<Vec<Partition>, PassError>,
    ) -> Result<(), CompileError> {
        if self.analysis.wire_edges.is_empty() { Ok(()) } else { self.change_partitions(pass) }
    }

    pub(crate) fn cut(
        &mut self,
        pass: impl FnOnce(ModelProto) -> Result<(Vec<Partition>, NetworkAnalysis), PassError>,
    ) -> Result<(), CompileError> {
        (self.partitions, self.analysis) = self.take_whole(pass)?;
        self.changed = true;
        Ok(())
    }

    /// The digest is of the program before it is cut.
    pub(crate) fn keep_placed(&mut self) {
        let nodes = self.model.functions.iter().map(|function| function.node.len()).sum();
        let (digest, model) = parallel::both(nodes, || ProgramDigest::of(&self.model), || self.model.clone());
        self.placed = Some((model, digest));
    }

    /// The program before it is cut, and its digest.
    pub(crate) fn placed(&self) -> (&ModelProto, &ProgramDigest) {
        let (model, digest) = self.placed.as_ref().expect("the pipeline keeps the placed program before it cuts");
        (model, digest)
    }

    /// What is as it was when it was verified at this level needs no second look.
    fn check(&mut self, pass: &Pass) -> Result<(), CompileError> {
        if self.changed || self.verified < Some(pass.level) {
            let placed = self.verified >= Some(Level::Placed);
            let part = if placed { pass.touches } else { Part::All };
            let violations = match self.partitions.as_slice() {
                [] => violations(&self.model, pass.level, part, parallel::threads()),
                partitions => found_in(partitions, pass.level, part),
            };
            unbroken(pass.name, violations)?;
            self.verified = Some(pass.level);
        }
        Ok(())
    }

    fn models(&self) -> impl Iterator<Item = &ModelProto> {
        let whole = self.partitions.is_empty().then_some(&self.model);
        whole.into_iter().chain(self.partitions.iter().map(|p| &p.model))
    }
}

/// What somebody's stage leaves is looked at whole.
pub(crate) fn check_sealed(after: &'static str, partitions: &[Partition]) -> Result<(), CompileError> {
    unbroken(after, found_in(partitions, Level::Sealed, Part::All))
}

fn violations(model: &ModelProto, level: Level, part: Part, workers: usize) -> Vec<Diagnostic> {
    diagnose(model, &verify_with(model, level, part, workers))
}

fn found_in(partitions: &[Partition], level: Level, part: Part) -> Vec<Diagnostic> {
    let workers = if partitions.len() == 1 { parallel::threads() } else { 1 };
    parallel::look(partitions, |partition| violations(&partition.model, level, part, workers)).concat()
}

/// A pass that breaks the program is a fault of its own, and is told with its name.
fn unbroken(after: &'static str, violations: Vec<Diagnostic>) -> Result<(), CompileError> {
    if violations.is_empty() { Ok(()) } else { Err(CompileError::Broken { after, violations }) }
}

/// All passes over a unit that holds a recorded program and how it is to be compiled; `observer` looks on.
pub fn run(mut unit: Unit, observer: &dyn Fn(&'static str, &[&ModelProto])) -> Result<Output, CompileError> {
    observer("recorded", &[&unit.model]);
    let mut trace = Vec::with_capacity(PASSES.len());
    let mut told = Told::default();
    for pass in PASSES {
        if told.error.is_some() && pass.level >= Level::Cut && !STILL_TELL.contains(&pass.name) {
            continue;
        }
        unit.changed = false;
        let start = Instant::now();
        let ran = (pass.run)(&mut unit);
        let took = start.elapsed();
        match ran {
            Ok(()) => observer(pass.name, &unit.models().collect::<Vec<_>>()),
            Err(error) => told.refused(error),
        }
        if told.ends_here(&unit) {
            break;
        }
        let start = Instant::now();
        if told.error.is_none() {
            unit.check(pass)?;
        }
        for check in CHECKS.iter().filter(|check| check.behind == pass.name) {
            told.found(check.name, (check.run)(&unit.model));
        }
        let verified = start.elapsed();
        let nodes = unit.models().flat_map(|model| &model.functions).map(|f| f.node.len()).sum();
        trace.push(PassTrace { pass: pass.name, nodes, changed: unit.changed, took, verified });
    }
    if let Some(error) = told.error {
        return Err(error);
    }
    let (program, digest) = unit.placed.take().expect("the pipeline keeps the placed program before it cuts");
    let Told { warnings, .. } = told;
    let Unit { partitions, analysis, .. } = unit;
    Ok(Output { program, digest, partitions, analysis, unrolled: Unrolled::default(), warnings, trace })
}

/// What is wrong so far. Passes behind one that refuses go on where it leaves them a program, to tell all at once; of what
/// they find, malformed IR is left out: a refused program is not what they may expect.
#[derive(Default)]
struct Told {
    error: Option<CompileError>,
    warnings: Vec<Diagnostic>,
    ends: bool,
}

impl Told {
    fn refused(&mut self, error: CompileError) {
        let malformed = |fault: &Diagnostic| fault.code == MALFORMED;
        self.ends |= error.diagnostics().iter().any(malformed) || matches!(error, CompileError::Broken { .. });
        match &mut self.error {
            None => self.error = Some(error),
            Some(first) => {
                let mut more: Vec<Diagnostic> = error.into();
                more.retain(|fault| !malformed(fault));
                first.also(more);
            }
        }
    }

    fn found(&mut self, check: &'static str, found: Vec<Diagnostic>) {
        let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(|f| f.severity() == Severity::Error);
        self.warnings.extend(warnings);
        if !errors.is_empty() {
            self.refused(PassError::new(check, errors).into());
        }
    }

    /// Whether nothing is left to look at.
    fn ends_here(&self, unit: &Unit) -> bool {
        self.error.is_some() && (self.ends || unit.model.functions.is_empty())
    }
}

const MALFORMED: &str = "BB0901";
/// Of the passes from the cut on those that find what is wrong with a program. What the others would find in a refused one
/// follows from what has been told.
const STILL_TELL: [&str; 2] = ["synthesize_wire_recvs", "analyze_wire_edges"];
