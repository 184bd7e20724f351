//! Runs the passes and looks at what each leaves.

use crate::analysis::NetworkAnalysis;
use crate::driver::{Output, Partition};
use crate::error::{CompileError, PassError};
use crate::passes::validate::diagnose;
use crate::pipeline::PASSES;
use bb_ir::digest::ProgramDigest;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::verify::{Level, verify};

/// What a pass saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassTrace {
    /// The pass.
    pub pass: &'static str,
    /// How many nodes there were behind it.
    pub nodes: usize,
}

/// A program on its way through the passes.
#[derive(Default)]
pub struct Unit {
    pub(crate) model: ModelProto,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) analysis: NetworkAnalysis,
    pub(crate) per_hop_budget_ns: u64,
    placed: Option<(ModelProto, ProgramDigest)>,
    /// True once a pass has changed what the verifier saw last.
    changed: bool,
}

impl Unit {
    pub(crate) fn change(
        &mut self,
        pass: impl FnOnce(ModelProto) -> Result<ModelProto, PassError>,
    ) -> Result<(), CompileError> {
        self.model = pass(std::mem::take(&mut self.model))?;
        self.changed = true;
        Ok(())
    }

    pub(crate) fn change_partitions(
        &mut self,
        pass: impl FnOnce(&Unit, Vec<Partition>) -> Result<Vec<Partition>, PassError>,
    ) -> Result<(), CompileError> {
        let partitions = std::mem::take(&mut self.partitions);
        self.partitions = pass(self, partitions)?;
        self.changed = true;
        Ok(())
    }

    pub(crate) fn cut(
        &mut self,
        pass: impl FnOnce(&ModelProto) -> Result<(Vec<Partition>, NetworkAnalysis), PassError>,
    ) -> Result<(), CompileError> {
        (self.partitions, self.analysis) = pass(&self.model)?;
        self.changed = true;
        Ok(())
    }

    /// The digest is of the program before it is cut.
    pub(crate) fn keep_placed(&mut self) {
        self.placed = Some((self.model.clone(), ProgramDigest::of(&self.model)));
    }

    pub(crate) fn digest(&self) -> &ProgramDigest {
        let (_, digest) = self.placed.as_ref().expect("the pipeline keeps the placed program before it cuts");
        digest
    }

    /// A pass that only looks leaves what has been verified.
    fn check(&mut self, after: &'static str, level: Level) -> Result<(), CompileError> {
        if std::mem::take(&mut self.changed) { check(after, level, self.models()) } else { Ok(()) }
    }

    fn models(&self) -> impl Iterator<Item = &ModelProto> {
        let whole = self.partitions.is_empty().then_some(&self.model);
        whole.into_iter().chain(self.partitions.iter().map(|p| &p.model))
    }
}

/// A pass that breaks the program is a fault of its own, and is told with its name.
pub(crate) fn check<'m>(
    after: &'static str,
    level: Level,
    models: impl Iterator<Item = &'m ModelProto>,
) -> Result<(), CompileError> {
    let violations: Vec<_> = models.flat_map(|model| diagnose(model, &verify(model, level))).collect();
    if violations.is_empty() { Ok(()) } else { Err(CompileError::Broken { after, violations }) }
}

/// All passes over `recorded`, a hop of whose messages may take so long; `observer` looks on.
pub fn run(
    recorded: &ModelProto,
    per_hop_budget_ns: u64,
    observer: &dyn Fn(&'static str, &[&ModelProto]),
) -> Result<Output, CompileError> {
    observer("recorded", &[recorded]);
    let mut unit = Unit { model: recorded.clone(), per_hop_budget_ns, ..Unit::default() };
    let mut trace = Vec::with_capacity(PASSES.len());
    for pass in PASSES {
        (pass.run)(&mut unit)?;
        observer(pass.name, &unit.models().collect::<Vec<_>>());
        unit.check(pass.name, pass.level)?;
        let nodes = unit.models().flat_map(|model| &model.functions).map(|f| f.node.len()).sum();
        trace.push(PassTrace { pass: pass.name, nodes });
    }
    let (program, digest) = unit.placed.take().expect("the pipeline keeps the placed program before it cuts");
    Ok(Output { program, digest, partitions: unit.partitions, analysis: unit.analysis, trace })
}
