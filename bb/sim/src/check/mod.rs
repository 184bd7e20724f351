//! Tests that run in many worlds: [`random`] and [`exhaustive`].
//!
//! A test is a function of a world that panics where something is not as it should. One that fails is made smaller (fewer
//! faults strike, links' delays do not vary, fewer messages overtake), written beside the test, and replayed first from then on, by plain `cargo test`.
//!
//! ```no_run
//! # use bb_sim::{Link, World};
//! # fn two_nodes_agree(world: &mut World) {}
//! #[test]
//! fn nodes_agree_whatever_the_network_does() {
//!     bb_sim::random(100, |world| {
//!         world.set_link(Link::default().drop(0.1));
//!         two_nodes_agree(world);
//!     });
//! }
//! ```

mod quiet;
mod regressions;
mod shrink;

use crate::World;
use crate::fate::Strike;
use regressions::Regressions;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

/// What makes one run of a test another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    pub seed: u64,
    /// Every message takes the least time its link knows.
    pub least_delays: bool,
    /// The faults that may strike; all where nothing is said.
    pub faults: Option<Vec<Strike>>,
    /// Which of the messages on their way arrives next, whenever there are several; by time where nothing is said.
    pub order: Option<Vec<usize>>,
}

/// How a run of a test failed.
struct Failure {
    message: String,
    script: Script,
    /// Faults that struck.
    struck: Vec<Strike>,
    choices: Vec<(usize, usize)>,
    trace: String,
}

type Test<'a> = &'a dyn Fn(&mut World);

/// How many messages of an order are chosen at most; those behind them arrive in turn.
pub(crate) const DEPTH_MAX: usize = 64;

/// Runs `test` in so many worlds, each of another seed. Links, lies and the costs of methods draw from it.
///
/// # Panics
/// If a run fails: with what it says, how to see it again, and what happened in it.
#[track_caller]
pub fn random(runs: u32, test: impl Fn(&mut World)) {
    random_of(&Regressions::beside(Location::caller()), runs, &test);
}

fn random_of(regressions: &Regressions, runs: u32, test: Test<'_>) {
    regressions.replay(test);
    for seed in 0..u64::from(runs) {
        if let Err(failure) = run(test, &Script { seed, ..Script::default() }, DEPTH_MAX) {
            regressions.report(&shrink::faults(test, *failure));
        }
    }
}

/// Runs `test` once for every order in which the first `depth` messages can arrive, where several are on their way; links'
/// delays mean nothing then. How many orders there are.
///
/// # Panics
/// If a run fails: with what it says, how to see it again, and what happened in it.
#[track_caller]
pub fn exhaustive(depth: usize, test: impl Fn(&mut World)) -> u64 {
    exhaustive_of(&Regressions::beside(Location::caller()), depth, &test)
}

fn exhaustive_of(regressions: &Regressions, depth: usize, test: Test<'_>) -> u64 {
    regressions.replay(test);
    let (mut orders, mut order) = (0, Vec::new());
    loop {
        orders += 1;
        let script = Script { order: Some(order), ..Script::default() };
        let choices = match run(test, &script, depth.min(DEPTH_MAX)) {
            Ok(choices) => choices,
            Err(failure) => regressions.report(&shrink::order(test, *failure, depth)),
        };
        let Some(last) = choices.iter().rposition(|(chosen, options)| chosen + 1 < *options) else { return orders };
        order = choices[..last].iter().map(|(chosen, _)| *chosen).chain([choices[last].0 + 1]).collect();
    }
}

/// One run: the choices that were made, as (chosen, of how many).
fn run(test: Test<'_>, script: &Script, depth: usize) -> Result<Vec<(usize, usize)>, Box<Failure>> {
    let mut world = World::scripted(script, depth);
    let outcome = quiet::quietly(|| catch_unwind(AssertUnwindSafe(|| test(&mut world))));
    let (struck, choices) = world.script_of_it();
    let Err(panic) = outcome else { return Ok(choices) };
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".into());
    let rows: Vec<String> = world.trace().iter().map(|row| world.tell(row)).collect();
    Err(Box::new(Failure { message, script: script.clone(), struck, choices, trace: rows.join("\n") }))
}

#[cfg(test)]
mod tests;
