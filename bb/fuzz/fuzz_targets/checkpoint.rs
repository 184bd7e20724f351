#![no_main]

use bb_fuzz::{checkpoints, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| checkpoints::checkpoint(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::in_place(data, size, max_size, seed, mutate::protobuf, fuzzer_mutate)
});
