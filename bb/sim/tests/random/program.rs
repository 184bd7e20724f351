//! A random program: steps over pools of values, one pool per class.

use bb::prelude::*;
use bb_components as _;
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[derive(bb::Peer)]
pub struct A;
#[derive(bb::Peer)]
pub struct B;
#[derive(bb::Peer)]
pub struct C;
#[derive(bb::Peer)]
pub struct D;

#[bb::role]
pub trait Worker {
    fn work(&mut self, x: Tensor) -> Result<Tensor, &'static str>;
}
/// Works, or always fails.
pub struct Works {
    pub fails: bool,
}
impl Worker for Works {
    fn work(&mut self, x: Tensor) -> Result<Tensor, &'static str> {
        let half = x.as_slice().iter().map(|v| v * 0.5 + 1.0).collect();
        if self.fails { Err("this member fails") } else { Tensor::from_vec(x.shape(), half).ok_or("as many as before") }
    }
}

/// A sub-module with wires inside.
#[bb::module]
fn there_and_back(graph: &Graph, x: On<A, Tensor>, to: On<A, Peer<B>>) -> On<A, Tensor> {
    let there = graph.wire(x, to);
    x - graph.wire(there.tanh(), there.sender::<A>())
}

#[derive(Clone, Copy, Debug)]
enum Class {
    A,
    B,
    C,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One value, changed. Numbers choose among those there are.
    One { at: Class, op: u8, of: usize },
    /// Two values of one place, joined.
    Two { at: Class, op: u8, left: usize, right: usize },
    /// A value, to the one or the other of its neighbours: of B and C, `on` goes to each other, else home.
    Wire { from: Class, on: bool, of: usize },
    /// The sub-module, called twice.
    Twice { of: usize, and: usize },
    /// A cohort works on a value; the mean of what comes back.
    Cohort { of: usize },
}

/// A program that is to be recorded.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    failing: bool,
    inputs: [[f32; 3]; 2],
}

/// What occurred in all programs.
#[derive(Debug, Default)]
pub struct Count {
    joins: usize,
    wires: usize,
    sub_modules_twice: usize,
    failed_lanes: usize,
}
impl Count {
    pub fn assert_all_occurred(&self) {
        let all = [self.joins, self.wires, self.sub_modules_twice, self.failed_lanes];
        assert!(all.iter().all(|n| *n > 0), "something never occurred: {self:?}");
    }
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let class = |rng: &mut ChaCha8Rng| [Class::A, Class::B, Class::C][rng.random_range(0..3)];
        let mut steps = Vec::new();
        for _ in 0..rng.random_range(3..14) {
            let (of, other, op) = (rng.random_range(0..64), rng.random_range(0..64), rng.random_range(0..4));
            let at = class(&mut rng);
            steps.push(match rng.random_range(0..10) {
                0..3 => Step::One { at, op, of },
                3..6 => Step::Two { at, op, left: of, right: other },
                _ => Step::Wire { from: at, on: rng.random_bool(0.5), of },
            });
        }
        if seed % 10 == 7 {
            let at = rng.random_range(0..=steps.len());
            steps.insert(at, Step::Twice { of: rng.random_range(0..64), and: rng.random_range(0..64) });
        }
        let failing = seed % 10 == 3;
        steps.push(Step::Cohort { of: rng.random_range(0..64) });
        let mut three = || [0; 3].map(|_: i32| rng.random_range(-2.0..2.0));
        Plan { steps, failing, inputs: [three(), three()] }
    }

    pub fn inputs(&self) -> [[f32; 3]; 2] {
        self.inputs
    }
    /// Whether one of the cohort fails.
    pub fn failing_lane(&self) -> bool {
        self.failing
    }
    pub fn count(&self, count: &mut Count) {
        // Every program ends with a value of B and one of C that meet at A.
        count.joins += 1;
        count.wires += self.steps.iter().filter(|s| matches!(s, Step::Wire { .. })).count();
        count.sub_modules_twice += self.steps.iter().filter(|s| matches!(s, Step::Twice { .. })).count();
        count.failed_lanes += usize::from(self.failing);
    }

    pub fn record(
        &self,
        graph: &Graph,
        [x, y]: [On<A, Tensor>; 2],
        b: On<A, Peer<B>>,
        c: On<A, Peer<C>>,
        d: On<A, Peers<D>>,
        worker: WorkerAt<D>,
    ) -> (On<A, Tensor>, On<A, Tensor>) {
        // Both others get a value, and each other's name.
        let (at_b, c_of_b) = graph.wire((x, c), b);
        let (at_c, b_of_c) = graph.wire((y, b), c);
        let (mut of_a, mut of_b, mut of_c) = (vec![x, y], vec![at_b], vec![at_c]);
        for step in &self.steps {
            match *step {
                Step::One { at: Class::A, op, of } => one(&mut of_a, op, of),
                Step::One { at: Class::B, op, of } => one(&mut of_b, op, of),
                Step::One { at: Class::C, op, of } => one(&mut of_c, op, of),
                Step::Two { at: Class::A, op, left, right } => two(&mut of_a, op, left, right),
                Step::Two { at: Class::B, op, left, right } => two(&mut of_b, op, left, right),
                Step::Two { at: Class::C, op, left, right } => two(&mut of_c, op, left, right),
                Step::Wire { from: Class::A, on: false, of } => of_b.push(graph.wire(pick(&of_a, of), b)),
                Step::Wire { from: Class::A, on: true, of } => of_c.push(graph.wire(pick(&of_a, of), c)),
                Step::Wire { from: Class::B, on: true, of } => of_c.push(graph.wire(pick(&of_b, of), c_of_b)),
                Step::Wire { from: Class::C, on: true, of } => of_b.push(graph.wire(pick(&of_c, of), b_of_c)),
                Step::Wire { from: Class::B, on: false, of } => {
                    of_a.push(graph.wire(pick(&of_b, of), graph.origin::<A>()));
                }
                Step::Wire { from: Class::C, on: false, of } => {
                    of_a.push(graph.wire(pick(&of_c, of), graph.origin::<A>()));
                }
                Step::Twice { of, and } => {
                    let first = there_and_back(graph, pick(&of_a, of), b);
                    of_a.push(first * there_and_back(&graph.after(first), pick(&of_a, and), b));
                }
                Step::Cohort { of } => {
                    let there = graph.wire(pick(&of_a, of), d);
                    let back = graph.wire(worker.work(there), there.sender::<A>());
                    of_a.push(back.quorum(0.5).mean());
                }
            }
        }
        let home = graph.wire(sum(&of_b), graph.origin::<A>()) + graph.wire(sum(&of_c), graph.origin::<A>());
        (sum(&of_a) + home, home * pick(&of_a, 7))
    }
}

/// Of all values of a place: every value is used, since a wire that brings nothing to anyone is refused.
fn sum<P: Place>(pool: &[On<P, Tensor>]) -> On<P, Tensor> {
    pool.iter().copied().reduce(|sum, value| sum + value).expect("every place has a value from the start")
}

fn pick<P>(pool: &[On<P, Tensor>], n: usize) -> On<P, Tensor> {
    pool[n % pool.len()]
}

fn one<P: Place>(pool: &mut Vec<On<P, Tensor>>, op: u8, of: usize) {
    let value = pick(pool, of);
    pool.push(match op {
        0 => value.relu(),
        1 => value.tanh(),
        2 => -value,
        _ => value * 0.5,
    });
}

fn two<P: Place>(pool: &mut Vec<On<P, Tensor>>, op: u8, left: usize, right: usize) {
    let (left, right) = (pick(pool, left), pick(pool, right));
    pool.push(match op {
        0 => left + right,
        1 => left - right,
        2 => left * right,
        _ => (left + right).sigmoid(),
    });
}
