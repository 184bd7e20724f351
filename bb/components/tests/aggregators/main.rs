//! The aggregators against numpy's numbers for their papers' formulas, and against updates nobody should send.
#![allow(missing_docs)]

mod reference;

use bb::prelude::*;
use bb::{PeerId, Reason};
use bb_components::FedAvg;
use reference::{CLIENTS, LIARS, PARAMS, Rows, every, partial, rows, tensor};

fn close(found: &Tensor, expected: &[f32; PARAMS]) -> bool {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-6 * b.abs().max(1.0);
    found.as_slice().len() == PARAMS && found.as_slice().iter().zip(expected).all(near)
}

#[test]
fn three_rounds_are_as_numpy_has_them() {
    for (name, mut it, rounds) in every() {
        for (round, expected) in rounds.iter().enumerate() {
            let found = it.fold(partial(rows(round))).expect(name);
            assert!(close(&found, expected), "{name}, round {round}: {found:?} and {expected:?}");
            assert_eq!(it.params(), found, "{name}");
        }
    }
}

#[test]
fn what_was_kept_goes_on_as_if_nothing_had_been() {
    for ((name, mut it, rounds), (_, mut again, _)) in every().into_iter().zip(every()) {
        it.fold(partial(rows(0))).expect(name);
        let kept = it.checkpoint().expect("it holds something");
        again.restore(&kept).expect(name);
        assert_eq!(again.checkpoint(), Some(kept), "{name}");
        for (round, expected) in rounds.iter().enumerate().skip(1) {
            let found = again.fold(partial(rows(round))).expect(name);
            assert!(close(&found, expected), "{name}, round {round}: {found:?} and {expected:?}");
        }
    }
}

#[test]
fn what_was_not_kept_by_one_of_its_kind_is_refused_and_changes_nothing() {
    for (name, mut it, _) in every() {
        it.fold(partial(rows(0))).expect(name);
        let kept = it.checkpoint().expect("it holds something");
        let other = |rows: Vec<f32>| FedAvg::new(tensor(rows)).checkpoint().expect("it holds something");
        let mut altered = kept.clone();
        let nan = altered.len() - 4;
        altered[nan..].copy_from_slice(&f32::NAN.to_le_bytes());
        let wrong =
            [Vec::new(), kept[..kept.len() - 1].to_vec(), [&kept[..], &[0]].concat(), other(vec![1.0]), altered];
        for state in wrong {
            it.restore(&state).expect_err(name);
            assert_eq!(it.checkpoint().as_ref(), Some(&kept), "{name}");
        }
    }
}

/// `count` of the clients send these instead, the last ones first.
fn with(hostile: &Tensor, count: usize) -> Rows {
    let mut rows = rows(0);
    rows[CLIENTS - count..].iter_mut().for_each(|row| row.1.0 = hostile.clone());
    rows
}

#[test]
fn what_is_no_update_is_refused_or_set_aside_and_never_counts() {
    let hostile = [
        tensor(vec![f32::NAN; PARAMS]),
        tensor(vec![0.0, 0.0, f32::INFINITY, 0.0, 0.0]),
        tensor(vec![f32::NEG_INFINITY; PARAMS]),
        tensor(Vec::new()),
        tensor(vec![0.0; PARAMS + 1]),
        Tensor::from_vec(&[1, PARAMS as u64], vec![0.0; PARAMS]).expect("as many"),
        Tensor::from_vec(&[], vec![0.0]).expect("a scalar"),
    ];
    for update in &hostile {
        for (name, mut it, _) in every() {
            let before = it.checkpoint();
            let refuses = ["FedAvg", "FedAvgM", "FedAdam"].contains(&name);
            match it.fold(partial(with(update, LIARS))) {
                Ok(model) => {
                    assert!(!refuses, "{name} takes {update:?}");
                    // The honest clients' numbers are from -1.375 to 1.375.
                    assert!(model.as_slice().iter().all(|v| v.abs() <= 1.375), "{name}: {model:?}");
                }
                Err(error) => {
                    assert!(refuses, "{name}: {error}");
                    assert_eq!(it.checkpoint(), before, "{name}");
                }
            }
        }
    }
}

#[test]
fn where_all_are_none_and_where_nobody_is_there_the_call_fails() {
    let missing = vec![(PeerId::from_bytes(vec![9]).expect("short"), Reason::PeerLost)];
    for (name, mut it, _) in every() {
        let before = it.checkpoint();
        it.fold(partial(with(&tensor(vec![f32::NAN; PARAMS]), CLIENTS))).expect_err(name);
        let error = it.fold(Partial::new(Vec::new(), missing.clone())).expect_err(name).to_string();
        assert!(error.contains("no update to fold"), "{name}: {error}");
        assert_eq!(it.checkpoint(), before, "{name}");
    }
}

#[test]
fn numbers_at_their_ends_make_no_panic_and_no_model_that_is_not_finite() {
    let ends = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0, f32::from_bits(1)];
    for (name, mut it, _) in every() {
        for turn in 0..4 {
            let mut rows = rows(turn % 3);
            for (i, row) in rows.iter_mut().enumerate() {
                let values = (0..PARAMS).map(|j| ends[(i * (turn + 1) + j) % ends.len()]).collect();
                row.1 = (tensor(values), u64::MAX - i as u64);
            }
            let outcome = it.fold(partial(rows));
            assert!(it.params().as_slice().iter().all(|v| v.is_finite()), "{name}: {outcome:?}");
        }
    }
}
