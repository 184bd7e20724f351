//! The passes, in the one order there is.

use crate::error::CompileError;
use crate::passes;
use crate::runner::Unit;
use bb_ir::verify::Level;

/// A row: a pass and the level at which a program is behind it.
pub struct Pass {
    /// Its canonical name.
    pub name: &'static str,
    /// What holds once it has run; it only rises from row to row.
    pub level: Level,
    pub(crate) run: fn(&mut Unit) -> Result<(), CompileError>,
}

macro_rules! passes {
    ($($name:literal => $level:ident, $run:expr;)*) => {
        /// Every pass, in order.
        pub const PASSES: &[Pass] = &[$(Pass { name: $name, level: Level::$level, run: $run }),*];
        /// Their names.
        pub const CANONICAL_PASS_NAMES: &[&str] = &[$($name),*];
    };
}

passes! {
    "validate" => Recorded, |unit| Ok(passes::validate(&unit.model)?);
    "inline_for_partition" => Recorded, |unit| unit.change(passes::inline_for_partition);
    "expand_ops" => Recorded, |unit| unit.change(passes::expand_ops);
    "type_solver" => Typed, |unit| unit.change(passes::type_solver);
    "infer_peer_classes" => Placed, |unit| unit.change(passes::infer_peer_classes);
    "synthesize_wire_recvs" => Cut, |unit| { unit.keep_placed(); unit.change(passes::synthesize_wire_recvs) };
    "partition_by_wire_ops" => Cut, |unit| unit.cut(passes::partition_by_wire_ops);
    "resolve_slots" => Cut, |unit| unit.change_partitions(|_, partitions| passes::resolve_slots(partitions));
    "analyze_wire_edges" => Cut, |unit| {
        unit.change_partitions(|unit, partitions| passes::analyze_wire_edges(&unit.model, unit.digest(), partitions))
    };
    "validate_runtime_complete" => Cut, |unit| Ok(passes::validate_runtime_complete(&unit.partitions)?);
    "verify_no_dangling_calls" => Cut, |unit| {
        unit.change_partitions(|_, partitions| passes::verify_no_dangling_calls(partitions))
    };
    "stamp_compilation_metadata" => Sealed, |unit| {
        unit.change_partitions(|unit, partitions| passes::stamp_compilation_metadata(partitions, unit.digest()))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_only_rise_and_no_pass_is_there_twice() {
        assert!(PASSES.is_sorted_by_key(|pass| pass.level));
        let mut names = CANONICAL_PASS_NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CANONICAL_PASS_NAMES.len());
    }
}
