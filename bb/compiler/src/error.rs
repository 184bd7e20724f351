//! What a compilation can end with instead of artifacts.

use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use bb_ir::keys;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::Metadata;
use std::fmt;

/// Why a program does not compile.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The recorded model is not what a recorder emits.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// A pass refuses the program.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// A pass left something the verifier does not accept: a fault of the compiler, not of the program.
    #[error("the compiler broke the program in `{after}`: {}", Faults(violations))]
    Broken {
        /// The pass behind which the verifier ran.
        after: &'static str,
        /// What it found.
        violations: Vec<Diagnostic>,
    },
}

impl CompileError {
    /// All there is to say, for whoever shows it.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            CompileError::Validation(e) => &e.faults,
            CompileError::Pass(e) => &e.faults,
            CompileError::Broken { violations, .. } => violations,
        }
    }
}

impl CompileError {
    /// What is found later is told with it, each once.
    pub(crate) fn also(&mut self, more: Vec<Diagnostic>) {
        let faults = match self {
            CompileError::Validation(e) => &mut e.faults,
            CompileError::Pass(e) => &mut e.faults,
            CompileError::Broken { violations, .. } => violations,
        };
        for fault in more {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
}

impl From<CompileError> for Vec<Diagnostic> {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::Validation(e) => e.faults,
            CompileError::Pass(e) => e.faults,
            CompileError::Broken { violations, .. } => violations,
        }
    }
}

/// What `validate` finds: every fault, in the order of the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Faults(faults))]
pub struct ValidationError {
    /// Never empty.
    pub faults: Vec<Diagnostic>,
}

/// What a pass or a [`crate::CompilerStage`] refuses: every fault it can find.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", Faults(faults))]
pub struct PassError {
    /// The pass.
    pub pass: &'static str,
    /// Never empty.
    pub faults: Vec<Diagnostic>,
    /// What the passes behind this one can look at for faults of their own.
    pub(crate) rest: Option<Box<ModelProto>>,
}

impl PassError {
    /// These faults, of which there is at least one.
    pub fn new(pass: &'static str, faults: Vec<Diagnostic>) -> Self {
        PassError { pass, faults, rest: None }
    }
    /// `value`, unless there are faults.
    pub fn unless<T>(pass: &'static str, faults: Vec<Diagnostic>, value: T) -> Result<T, PassError> {
        if faults.is_empty() { Ok(value) } else { Err(PassError::new(pass, faults)) }
    }
    /// The same, where passes behind this one find more in the program as it is now.
    pub(crate) fn unless_but(
        pass: &'static str,
        faults: Vec<Diagnostic>,
        model: ModelProto,
    ) -> Result<ModelProto, PassError> {
        if faults.is_empty() {
            return Ok(model);
        }
        Err(PassError { pass, faults, rest: Some(Box::new(model)) })
    }
}

/// A diagnostic about `node`: at its source place, in the module whose tokens hold that.
pub(crate) fn at_node(node: &NodeProto, code: &'static str, message: impl Into<String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(code, message).at(source_of(node));
    match node.metadata(keys::MODULE_INSTANCE_KEY) {
        Some(chain) => diagnostic.in_module(module_of(chain)),
        None => diagnostic,
    }
}

/// Where the user wrote `node`.
pub(crate) fn source_of(node: &NodeProto) -> Option<SourcePlace> {
    SourcePlace::parse(node.metadata(keys::SOURCE_KEY)?)
}

/// The module a chain of instances ends in, without the number of the call.
pub(crate) fn module_of(chain: &str) -> &str {
    let last = chain.rsplit('/').next().unwrap_or(chain);
    last.split('#').next().unwrap_or(last)
}

struct Faults<'a>(&'a [Diagnostic]);
impl fmt::Display for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
            if let Some(at) = &fault.at {
                write!(f, "\n  --> {at}")?;
            }
        }
        Ok(())
    }
}
