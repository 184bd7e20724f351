//! The passes, in the one order there is.

use crate::error::CompileError;
use crate::passes;
use crate::runner::Unit;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::verify::{Level, Part};

/// A row: a pass and the level at which a program is behind it.
pub struct Pass {
    /// Its canonical name.
    pub name: &'static str,
    /// What holds once it has run; it only rises from row to row.
    pub level: Level,
    /// How much of a program it may change, where it changes anything.
    pub touches: Part,
    /// What it does, in a sentence.
    pub does: &'static str,
    /// What it refuses.
    pub refuses: &'static str,
    pub(crate) run: fn(&mut Unit) -> Result<(), CompileError>,
}

macro_rules! passes {
    ($($name:literal => $level:ident $touches:ident, $run:expr, $does:literal, $refuses:literal;)*) => {
        /// Every pass, in order.
        pub const PASSES: &[Pass] = &[
            $(Pass {
                name: $name, level: Level::$level, touches: Part::$touches, does: $does, refuses: $refuses, run: $run,
            }),*
        ];
        /// Their names.
        pub const CANONICAL_PASS_NAMES: &[&str] = &[$($name),*];
    };
}

passes! {
    "validate_bootstrap_composition" => Recorded All, |unit| Ok(passes::validate_bootstrap_composition(&unit.model)?),
        "looks at what runs once per start, and at all that calls",
        "a call of nothing; recursion; a wire; an interval; a bootstrap of another module";
    "validate" => Recorded All, |unit| Ok(passes::validate(&unit.model)?),
        "looks at the structure, before any other pass changes it",
        "whatever the verifier finds at level *recorded*; an operator no backend has";
    "refine_polymorphic_value_info" => Recorded All, |unit| match unit.bindings.clone() {
            bindings if bindings.has_elements() => {
                unit.change(|model| passes::refine_polymorphic_value_info(model, &bindings))
            }
            _ => Ok(()),
        },
        "says what the tensors of any element of a component hold, where its type is known",
        "two components of different elements on one value";
    "inline_for_partition" => Recorded All, |unit| unit.may_change(passes::inline_for_partition::inlined),
        "puts the bodies of modules that can hold a wire in place of their calls and numbers the wires anew",
        "recursion; a slot that a call leaves open; types that differ on two sides of a call";
    "expand_ops" => Recorded All, |unit| unit.may_change(passes::expand_ops::expanded),
        "spells attributes out, drops what nobody reads, gives every output a site of its own",
        "an operator without an attribute that it needs";
    "type_solver" => Typed All, |unit| {
            let types = unit.types;
            unit.change(|model| passes::type_solver::type_solver_with(model, types))
        },
        "finds element types and shapes, dimensions under their names, through operators, signatures, calls and wires",
        "types or shapes that differ, also on two sides of a wire; elements that cannot be found out, and on request shapes";
    "infer_peer_classes" => Placed All, |unit| unit.change(passes::infer_peer_classes),
        "gives every node its class and place; a place is a class and the peer value it is named by",
        "inputs at two places; a cohort that does not go home; an unknown destination; a wrong origin; a wrong start";
    "derive_wire_deadlines" => Placed Wires, |unit| {
            let budget = unit.per_hop_budget_ns;
            unit.may_change(|model| passes::derive_wire_deadlines::derived(model, budget))
        },
        "says of every wire how far its way back is, over which classes, and how long its message may take",
        "a deadline that is none, or longer than a number holds";
    "synthesize_wire_recvs" => Cut Wires, |unit| { unit.keep_placed(); unit.change(passes::synthesize_wire_recvs) },
        "gives every Send the Recv it pairs with",
        "more wires than peers tell each other of; one wire id on two Sends; a Recv by hand";
    "partition_by_wire_ops" => Cut All, |unit| unit.cut(passes::partition_by_wire_ops),
        "cuts the program into one model per class",
        "a value that gets to another place without a wire";
    "resolve_slots" => Cut All, |unit| unit.may_change_partitions(|_, partitions| passes::resolve_slots::resolved(partitions)),
        "says of every role op which slot of its partition serves it",
        "a role served by a slot and by a concrete component; a slot nothing binds";
    "analyze_wire_edges" => Cut Wires, |unit| {
            unit.may_change_partitions(|unit, partitions| {
                let (placed, digest) = unit.placed();
                passes::analyze_wire_edges::analyzed(placed, digest, partitions)
            })
        },
        "says what each wire carries, which sites it fills, what it may share an envelope with and what it waits for",
        "a wire nobody reads";
    "insert_dedup_gate_rx" => Cut Wires, |unit| unit.change_wires(|_, partitions| passes::insert_dedup_gate_rx(partitions)),
        "puts a gate behind every Recv that lets a message through once",
        "nothing";
    "insert_peer_health_gate_rx" => Cut Wires, |unit| unit.change_wires(|_, partitions| passes::insert_peer_health_gate_rx(partitions)),
        "puts a gate behind it that lets nothing through of a blocked peer",
        "nothing";
    "insert_backoff_gate_rx" => Cut Wires, |unit| unit.change_wires(|_, partitions| passes::insert_backoff_gate_rx(partitions)),
        "puts a gate behind that for peers that were sent away and have to wait",
        "nothing";
    "insert_peer_health_gate_tx" => Cut Wires, |unit| unit.change_wires(|_, partitions| passes::insert_peer_health_gate_tx(partitions)),
        "puts a gate before every Send that lets nothing through to a peer that is blocked or does not answer",
        "nothing";
    "insert_backoff_gate_tx" => Cut Wires, |unit| unit.change_wires(|_, partitions| passes::insert_backoff_gate_tx(partitions)),
        "puts a gate behind that for peers that are to be left alone for a while",
        "nothing";
    "insert_async_deadlines" => Cut Wires, |unit| unit.may_change_partitions(|_, partitions| passes::insert_gates::deadlines_inserted(partitions)),
        "puts a check before every node with a deadline",
        "nothing";
    "resolve_component_dependencies" => Cut All, |unit| {
            unit.may_change_partitions(|unit, partitions| {
                passes::resolve_component_dependencies::dependencies_resolved(partitions, &unit.bindings)
            })
        },
        "says of every role op which slots serve what its component needs; drops components that nothing needs",
        "a component that needs a slot which is not there, or plays another role";
    "validate_all_slots_bound" => Cut All, |unit| Ok(passes::validate_all_slots_bound(&unit.partitions, &unit.bindings)?),
        "looks whether all that serves can be constructed: slots, and what components need, all the way down",
        "a slot that nothing serves, with who asks for it; components that need each other; a binding of no slot";
    "collapse_backend_subgraphs" => Cut All, |unit| match unit.backend.take() {
            None => Ok(()),
            Some(has) => unit.change_partitions(|_, partitions| passes::collapse_backend_subgraphs(partitions, &has)),
        },
        "on request: puts maximal regions of tensor operators, modules inlined, into carriers that a backend runs whole",
        "an operator that the backend lacks";
    "validate_runtime_complete" => Cut All, |unit| Ok(passes::validate_runtime_complete(&unit.partitions)?),
        "looks at all partitions together: pairing, addresses, known ops, bound slots, gates",
        "what an engine could not run";
    "verify_no_dangling_calls" => Cut All, |unit| {
            unit.may_change_partitions(|_, partitions| passes::verify_no_dangling_calls::pruned(partitions))
        },
        "drops functions that a partition does not call",
        "a call of nothing";
    "stamp_compilation_metadata" => Sealed All, |unit| {
            unit.change_partitions(|unit, partitions| passes::stamp_compilation_metadata(partitions, unit.placed().1))
        },
        "writes passport, binding table, table of wires and operator sets",
        "nothing";
}

/// A look at the program beside the canonical passes. It changes nothing, and tells of errors and of warnings.
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// The pass behind which it looks.
    pub behind: &'static str,
    /// What it looks for.
    pub does: &'static str,
    pub(crate) run: fn(&ModelProto) -> Vec<Diagnostic>,
}

macro_rules! checks {
    ($($name:literal => $behind:literal, $run:expr, $does:literal;)*) => {
        /// Every check.
        pub const CHECKS: &[Check] = &[$(Check { name: $name, behind: $behind, does: $does, run: $run }),*];
    };
}

checks! {
    "find_unread" => "validate", passes::find_unread,
        "values that nobody reads: of operations that do nothing else, of wires, of calls of modules (warnings)";
    "find_dead_ends" => "derive_wire_deadlines", passes::find_dead_ends,
        "gathers that no senders can fill, deadlines that constant waits outlast, intervals with arguments; large constants on wires and gathers of nobody (warnings)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_stand_behind_passes() {
        for check in CHECKS {
            assert!(CANONICAL_PASS_NAMES.contains(&check.behind), "{}", check.behind);
            assert!(!CANONICAL_PASS_NAMES.contains(&check.name), "{}", check.name);
        }
    }

    #[test]
    fn levels_only_rise_and_no_pass_is_there_twice() {
        assert!(PASSES.is_sorted_by_key(|pass| pass.level));
        let mut names = CANONICAL_PASS_NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CANONICAL_PASS_NAMES.len());
    }
}
