//! Records and compiles `src/graph.rs`, and with it the model, whose stages go whole to tract.
bb::build!(graph; bb::Options::default().backend_subgraphs());
