//! The fuzz targets on stable: over their corpora, fresh seeds, and changes of both that follow from a number.
#![allow(missing_docs)]

#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code, reason = "libFuzzer alone changes inputs in place")]
mod targets;

use std::path::Path;
use targets::mutate::Random;
use targets::{TARGETS, seeds};

/// What was found worth keeping, and what the compiler and the engine make today.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = dir.read_dir().expect("every target has a corpus").flatten().map(|f| f.path()).collect();
    files.sort();
    let kept = files.into_iter().map(|f| std::fs::read(f).expect("a file"));
    kept.chain(seeds::seeds(target)).collect()
}

#[test]
fn the_corpora_break_no_promise() {
    for (name, target, _) in TARGETS {
        inputs(name).iter().for_each(|input| target(input));
    }
}

#[test]
fn nor_do_changes_of_them() {
    for (name, target, change) in TARGETS {
        let inputs = inputs(name);
        let mut random = Random::new(1);
        for _ in 0..300 {
            let mut input = inputs[random.below(inputs.len())].clone();
            for _ in 0..=random.below(3) {
                input = change(&input, &mut random);
            }
            target(&input);
        }
    }
}

#[test]
fn seeds_get_as_far_as_they_should() {
    let answered: usize = seeds::seeds("engine").iter().map(|s| targets::engines::run(s).answered).sum();
    assert!(answered >= 2, "{answered} calls were answered");
    for seed in seeds::seeds("artifact") {
        let bound = &["answers"][..];
        targets::programs::empty(0).install(&seed, &bb::kernels(), bound).expect("a seed is an artifact");
    }
    for seed in seeds::seeds("envelope") {
        let limits = bb::ir::limits::WireLimits::default();
        bb::ir::envelope::decode(seed.into(), &limits).expect("a seed is an envelope");
    }
}
