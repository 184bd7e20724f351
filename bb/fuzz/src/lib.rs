//! What the fuzz targets do with bytes. A target is a function that takes any bytes and panics where a promise is broken.
//!
//! The functions know nothing of libFuzzer: `bb/tests/fuzz.rs` runs them on stable, over the same corpora.

pub mod artifacts;
pub mod checkpoints;
pub mod decisions;
pub mod decoders;
pub mod engines;
pub mod framing;
pub mod memory;
pub mod mutate;
pub mod programs;
pub mod seeds;
pub mod world;

/// Takes any bytes.
pub type Target = fn(&[u8]);
/// Every target, by its name, and what changes its inputs.
pub const TARGETS: [(&str, Target, mutate::Change); 7] = [
    ("envelope", decoders::envelope, mutate::protobuf),
    ("hello", decoders::hello, mutate::protobuf),
    ("payload", decoders::payload, mutate::bytes),
    ("frames", framing::frames, mutate::chunks),
    ("artifact", artifacts::artifact, mutate::protobuf),
    ("checkpoint", checkpoints::checkpoint, mutate::protobuf),
    ("engine", engines::engine, mutate::bytes),
];
