//! A check: finds what can never come about, before it runs.
//!
//! *Needs* `derive_wire_deadlines`: places and deadlines. *Makes* errors and warnings. *Keeps* everything.
//!
//! It refuses what fails in every execution, whoever calls and however many answer: nothing that some cohort, budget or
//! network could let through. What the language has no words for needs no check here:
//!
//! - A value is made before it is read, so no two operations wait for each other: IR in which they do is `validate`'s.
//! - A wire's destination has a class by its type, and a class that a wire leads to gets a part of the program with its
//!   Recv: there is no class that nobody hosts. (`BB0213` and `BB0401` are what is left of it.)
//! - A value of a lane does not get out of it but by the wire's gather, by its type, so nothing waits for a lane that does
//!   not join. (`infer_peer_classes` refuses such IR: `BB0211`.)
//! - An output has a place because wires lead there. What keeps a value from getting to one is a gather or a deadline, and
//!   is told once, where it is.

mod constants;
mod gathers;
mod intervals;
mod since;

use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::ModelProto;
use rustc_hash::FxHashSet;

/// Every dead end of a placed program.
pub fn find_dead_ends(model: &ModelProto) -> Vec<Diagnostic> {
    let root = &model.functions[0];
    let mut found = intervals::of(root);
    found.extend(gathers::of(root));
    found.extend(since::of(model));
    found.extend(constants::of(root));
    // A body that was put in place of two calls says everything twice.
    let mut told = FxHashSet::default();
    found.retain(|fault| told.insert((fault.code, fault.at.clone(), fault.message.clone())));
    found
}

/// `1.5 s`.
fn seconds(ns: u64) -> String {
    format!("{} s", std::time::Duration::from_nanos(ns).as_secs_f64())
}
