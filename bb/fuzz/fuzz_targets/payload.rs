#![no_main]

use bb_fuzz::decoders;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| decoders::payload(bytes));
