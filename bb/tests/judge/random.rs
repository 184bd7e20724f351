//! The generator of random programs, which `bb-sim` runs many of.

#[path = "../../sim/tests/random_programs/plan.rs"]
pub mod plan;
#[path = "../../sim/tests/random_programs/played.rs"]
pub mod played;
#[path = "../../sim/tests/random_programs/program.rs"]
mod program;
#[path = "../../sim/tests/random_programs/values.rs"]
mod values;
