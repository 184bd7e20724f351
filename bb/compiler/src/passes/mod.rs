//! The passes, one file each: a pure function from IR to IR, callable by its own name.

pub mod analyze_wire_edges;
pub mod collapse_backend_subgraphs;
pub mod derive_wire_deadlines;
pub mod expand_ops;
pub mod find_dead_ends;
pub mod find_unread;
pub mod infer_peer_classes;
pub mod inline_for_partition;
pub mod insert_gates;
pub mod partition_by_wire_ops;
pub mod refine_polymorphic_value_info;
pub mod resolve_component_dependencies;
pub mod resolve_slots;
pub mod stamp_compilation_metadata;
pub mod synthesize_wire_recvs;
pub mod type_solver;
pub mod validate;
pub mod validate_all_slots_bound;
pub mod validate_bootstrap_composition;
pub mod validate_runtime_complete;
pub mod verify_no_dangling_calls;

pub use analyze_wire_edges::analyze_wire_edges;
pub use collapse_backend_subgraphs::collapse_backend_subgraphs;
pub use derive_wire_deadlines::derive_wire_deadlines;
pub use expand_ops::expand_ops;
pub use find_dead_ends::find_dead_ends;
pub use find_unread::find_unread;
pub use infer_peer_classes::infer_peer_classes;
pub use inline_for_partition::inline_for_partition;
pub use insert_gates::{
    insert_async_deadlines, insert_backoff_gate_rx, insert_backoff_gate_tx, insert_dedup_gate_rx,
    insert_peer_health_gate_rx, insert_peer_health_gate_tx,
};
pub use partition_by_wire_ops::partition_by_wire_ops;
pub use refine_polymorphic_value_info::refine_polymorphic_value_info;
pub use resolve_component_dependencies::resolve_component_dependencies;
pub use resolve_slots::resolve_slots;
pub use stamp_compilation_metadata::{stamp_compilation_metadata, stamp_for_test};
pub use synthesize_wire_recvs::synthesize_wire_recvs;
pub use type_solver::type_solver;
pub use validate::validate;
pub use validate_all_slots_bound::validate_all_slots_bound;
pub use validate_bootstrap_composition::validate_bootstrap_composition;
pub use validate_runtime_complete::validate_runtime_complete;
pub use verify_no_dangling_calls::verify_no_dangling_calls;
