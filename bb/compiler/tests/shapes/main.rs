//! Element types and shapes: what every operator says, and what a program says across calls and wires.
#![allow(missing_docs)]

mod constants;
mod notation;
mod operators;
mod programs;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod syscalls;
