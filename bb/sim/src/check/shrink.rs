//! A failing run is made smaller, as long as it fails.

use super::{Failure, Script, Test, run};

/// How many runs that may take.
const RUNS_MAX: usize = 300;

/// With fewer faults: halves of them first, then one by one (after delta debugging, Zeller and Hildebrandt, 2002).
pub fn faults(test: Test<'_>, mut failure: Failure) -> Failure {
    let mut runs = 0;
    let mut part = failure.struck.len().max(1);
    while part > 0 && runs < RUNS_MAX {
        let mut from = 0;
        let mut smaller = false;
        while from < failure.struck.len() && runs < RUNS_MAX {
            let mut kept = failure.struck.clone();
            kept.drain(from..(from + part).min(kept.len()));
            runs += 1;
            match again(test, Script { faults: Some(kept), ..failure.script.clone() }, super::DEPTH_MAX) {
                Some(less) => (failure, smaller) = (less, true),
                None => from += part,
            }
        }
        part = if smaller && part == 1 { 1 } else { part / 2 };
    }
    if let Some(steady) = again(test, Script { least_delays: true, ..failure.script.clone() }, super::DEPTH_MAX) {
        failure = steady;
    }
    // Those that are left, by name: a link that is changed may draw others.
    failure.script.faults = Some(failure.struck.clone());
    failure
}

/// With fewer messages that overtake others.
pub fn order(test: Test<'_>, mut failure: Failure, depth: usize) -> Failure {
    for at in (0..failure.choices.len()).rev() {
        let mut order: Vec<usize> = failure.choices.iter().map(|(chosen, _)| *chosen).collect();
        if order.get(at).is_none_or(|chosen| *chosen == 0) {
            continue;
        }
        order[at] = 0;
        if let Some(less) = again(test, Script { order: Some(order), ..failure.script.clone() }, depth) {
            failure = less;
        }
    }
    let mut order: Vec<usize> = failure.choices.iter().map(|(chosen, _)| *chosen).collect();
    while order.last() == Some(&0) {
        order.pop();
    }
    failure.script.order = Some(order);
    failure
}

fn again(test: Test<'_>, script: Script, depth: usize) -> Option<Failure> {
    run(test, &script, depth).err().map(|failure| *failure)
}
