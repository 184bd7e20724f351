//! Bytes that nobody should give: the build answers with reasons and never panics.

use crate::files::mlp;
use crate::refused::faults_of;
use proptest::prelude::*;

fn bytes() -> Vec<u8> {
    bb::ir::artifact::write(&mlp())
}

#[test]
fn a_file_that_ends_early_says_so() {
    let whole = bytes();
    assert_eq!(faults_of("whole.onnx", &whole), []);
    for length in 0..whole.len() {
        let faults = faults_of("short.onnx", &whole[..length]);
        assert!(faults.iter().any(|fault| fault.code == "BB0802"), "{length}: {faults:#?}");
    }
}

#[test]
fn an_empty_file_says_so() {
    let faults = faults_of("empty.onnx", &[]);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let text = faults[0].to_string();
    assert!(text.starts_with("bb[BB0802]: `empty.onnx` is no model that bb can run: the file is empty"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_other_bytes_in_it_is_a_model_or_says_why_not(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut file = bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        for fault in faults_of("changed.onnx", &file) {
            prop_assert!(fault.to_string().starts_with("bb[BB"), "{fault}");
        }
    }

    #[test]
    fn bytes_that_are_no_file_say_so(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!faults_of("noise.onnx", &noise).is_empty());
    }
}
