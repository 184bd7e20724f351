//! Nothing: the programs are in `cases/`, each built as a crate of its own by `tests/replay.rs`.
