//! From one recorded function to one artifact per peer class.
//!
//! [`Compiler::compile`] runs the passes of [`pipeline`] over a recorded ONNX model and yields a [`Partition`] for every
//! class of peers in it. A pass is a pure function in [`passes`]; their order is said once, in [`pipeline::PASSES`].

pub mod analysis;
mod bindings;
pub mod driver;
pub mod error;
pub mod gate_contract;
mod imports;
mod parallel;
pub mod passes;
pub mod picture;
pub mod pipeline;
pub mod reference;
pub mod runner;
pub mod rx_chain;
pub mod unrolled;

pub use bb_ir::index;

pub use analysis::{NetworkAnalysis, WireEdge};
pub use bindings::BindingSpec;
pub use driver::{Compiler, CompilerStage, Output, Partition};
pub use error::{CompileError, PassError, ValidationError};
pub use passes::type_solver::Types;
pub use picture::{Gates, Picture};
pub use pipeline::CANONICAL_PASS_NAMES;
pub use reference::{NoReference, Reference};
pub use unrolled::Unrolled;
