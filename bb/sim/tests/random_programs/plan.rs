//! A random program before it is recorded: which places there are, and steps.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Where something is done: at the caller, at a peer of B, at another peer of that class, at one of C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    A,
    B,
    OtherB,
    C,
}

/// What a wire carries.
#[derive(Clone, Copy, Debug)]
pub enum Payload {
    Vector,
    Counts,
    Table,
    /// A vector and counts.
    Two,
}

/// Numbers choose among the values there are, and among the ops.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// One value, changed.
    One { at: At, op: u8, of: usize },
    /// Two values of one place, joined.
    Two { at: At, op: u8, left: usize, right: usize },
    /// A value of another type.
    Turned { at: At, op: u8, of: usize, and: usize },
    /// A module without wires.
    Folded { at: At, of: usize, and: usize },
    /// To another place.
    Wire { from: At, to: At, payload: Payload, of: usize },
    /// A module with wires inside, by way of another, twice.
    Nested { of: usize },
    /// Members of D work on a value: once; beside counts, in lanes; or twice.
    Cohort { kind: u8, of: usize, and: usize },
    /// A value of A and one of B meet at C.
    Join { of: usize, and: usize },
    /// A value of A goes to B and to C, and both meet at the other B.
    Diamond { of: usize },
}

/// A program that is to be recorded, and what it is called with.
#[derive(Clone, Debug)]
pub struct Plan {
    pub places: Vec<At>,
    pub steps: Vec<Step>,
    pub members: usize,
    /// Whether one more member takes part that always fails.
    pub failing: bool,
    pub vector: Vec<f32>,
    pub counts: Vec<i64>,
    pub table: Vec<f32>,
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let others = [(At::B, 0.9), (At::OtherB, 0.5), (At::C, 0.7)];
        let mut places = vec![At::A];
        places.extend(others.into_iter().filter(|(_, p)| rng.random_bool(*p)).map(|(at, _)| at));
        let cohort = rng.random_bool(0.6) || places.len() == 1;
        let mut steps = Vec::new();
        for _ in 0..rng.random_range(4..16) {
            steps.push(step(&mut rng, &places, cohort));
        }
        if cohort && !steps.iter().any(|step| matches!(step, Step::Cohort { .. })) {
            steps.push(Step::Cohort { kind: rng.random_range(0..3), of: rng.random_range(0..64), and: 0 });
        }
        let mut numbers = |n: usize| (0..n).map(|_| rng.random_range(-2.0..2.0)).collect::<Vec<f32>>();
        let (vector, table) = (numbers(3), numbers(6));
        let counts = (0..4).map(|_| rng.random_range(-9..10)).collect();
        let members = rng.random_range(1..4);
        // As many have to answer as fail.
        Plan { places, steps, members, failing: cohort && rng.random_bool(0.3), vector, counts, table }
    }

    /// The same with no step that is not needed to fail.
    pub fn shrunk(&self, fails: impl Fn(&Plan) -> bool) -> Plan {
        let mut least = self.clone();
        for at in (0..self.steps.len()).rev() {
            let mut fewer = least.clone();
            fewer.steps.remove(at);
            if fails(&fewer) {
                least = fewer;
            }
        }
        least
    }

    pub fn has(&self, at: At) -> bool {
        self.places.contains(&at)
    }
    pub fn has_cohort(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Cohort { .. }))
    }
}

fn step(rng: &mut ChaCha8Rng, places: &[At], cohort: bool) -> Step {
    let has = |at| places.contains(&at);
    let [of, and] = [(); 2].map(|()| rng.random_range(0..64));
    let at = places[rng.random_range(0..places.len())];
    loop {
        break match rng.random_range(0..16) {
            0..3 => Step::One { at, op: rng.random_range(0..8), of },
            3..6 => Step::Two { at, op: rng.random_range(0..7), left: of, right: and },
            6..8 => Step::Turned { at, op: rng.random_range(0..5), of, and },
            8 => Step::Folded { at, of, and },
            9..12 if places.len() > 1 => {
                let others: Vec<At> = places.iter().copied().filter(|other| *other != at).collect();
                let to = others[rng.random_range(0..others.len())];
                let payload = [Payload::Vector, Payload::Counts, Payload::Table, Payload::Two];
                Step::Wire { from: at, to, payload: payload[rng.random_range(0..4)], of }
            }
            12 if has(At::B) => Step::Nested { of },
            13 if cohort => Step::Cohort { kind: rng.random_range(0..3), of, and },
            14 if has(At::B) && has(At::C) => Step::Join { of, and },
            15 if has(At::B) && has(At::C) && has(At::OtherB) => Step::Diamond { of },
            _ => continue,
        };
    }
}
