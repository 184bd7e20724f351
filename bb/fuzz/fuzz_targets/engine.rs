#![no_main]

use bb_fuzz::engines;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| engines::engine(bytes));
