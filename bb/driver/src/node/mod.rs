//! One node: a loop of named steps that feeds an engine and does what it says.

mod dialler;
mod peers;
mod run;
mod start;
mod swarm;

pub use start::start;
