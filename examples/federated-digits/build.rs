//! Records and compiles `src/graph.rs`.
bb::build!(graph);
