//! What a plan is when it is recorded.

use super::plan::{At, Payload, Plan, Step};
use super::values::{Counts, Pool, Table, Vector, pick};
use bb::prelude::*;
use bb_components as _;

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

/// A module with wires inside.
#[bb::module]
fn there_and_back(graph: &Graph, x: On<A, Vector>, to: On<A, Peer<B>>) -> On<A, Vector> {
    let there = graph.wire(x, to);
    (x - graph.wire(there.tanh(), there.sender::<A>())).shaped()
}
/// Calls it twice, the second time when the first is over.
#[bb::module]
fn twice(graph: &Graph, x: On<A, Vector>, to: On<A, Peer<B>>) -> On<A, Vector> {
    let first = there_and_back(graph, x, to);
    (first.tanh() * there_and_back(&graph.after(first), x, to).tanh()).shaped()
}

/// The outputs: of each type all there is.
type Sums = (On<A, Vector>, On<A, Counts>, On<A, Table>);
/// To a peer of B, to another, to one of C, and to a cohort.
type Named = (On<A, Peer<B>>, On<A, Peer<B>>, On<A, Peer<C>>, On<A, Peers<D>>);

/// A peer that takes part: its values, and how it names the others.
struct There<P, X, Y> {
    pool: Pool<P>,
    one: On<P, Peer<X>>,
    other: On<P, Peer<Y>>,
}

macro_rules! carry {
    ($graph:ident, $payload:ident, $of:ident: $from:expr => $to:expr, $peer:expr) => {{
        let peer = $peer;
        let from = &$from;
        let (v, c, t) = (pick(&from.vectors, $of), pick(&from.counts, $of), pick(&from.tables, $of));
        match $payload {
            Payload::Vector => $to.vectors.push($graph.wire(v, peer)),
            Payload::Counts => $to.counts.push($graph.wire(c, peer)),
            Payload::Table => $to.tables.push($graph.wire(t, peer)),
            Payload::Two => {
                let (v, c) = $graph.wire((v, c), peer);
                $to.vectors.push(v);
                $to.counts.push(c);
            }
        }
    }};
}

impl Plan {
    pub fn compile(&self) -> bb::Compiled {
        self.unrolled(1)
    }
    /// Whole, its cohort has so many members.
    pub fn unrolled(&self, members: usize) -> bb::Compiled {
        bb::compile_with(
            |graph: &Graph,
             vector: On<A, Vector>,
             counts: On<A, Counts>,
             table: On<A, Table>,
             b: On<A, Peer<B>>,
             other_b: On<A, Peer<B>>,
             c: On<A, Peer<C>>,
             d: On<A, Peers<D>>,
             worker: WorkerAt<D>| {
                self.record(graph, Pool::new((vector, counts, table)), (b, other_b, c, d), worker)
            },
            &bb::Options::default().unroll::<D>(members),
        )
    }

    fn record(&self, graph: &Graph, start: Pool<A>, (b, other_b, c, d): Named, worker: WorkerAt<D>) -> Sums {
        let mut at_a = start;
        let (v, k, t) = (at_a.vectors[0], at_a.counts[0], at_a.tables[0]);
        // Everybody gets something of each type, and the others' names.
        let mut at_b = self.has(At::B).then(|| {
            let ((v, one), (k, t, other)) = (graph.wire((v, c), b), graph.wire((k, t, other_b), b));
            There { pool: Pool::new((v, k, t)), one, other }
        });
        let mut at_other = self.has(At::OtherB).then(|| {
            let ((v, one), (k, t, other)) = (graph.wire((v, c), other_b), graph.wire((k, t, b), other_b));
            There { pool: Pool::new((v, k, t)), one, other }
        });
        let mut at_c = self.has(At::C).then(|| {
            let ((v, one), (k, t, other)) = (graph.wire((v, b), c), graph.wire((k, t, other_b), c));
            There { pool: Pool::new((v, k, t)), one, other }
        });
        const THERE: &str = "plans name places that take part";
        macro_rules! b {
            () => {
                at_b.as_mut().expect(THERE)
            };
        }
        macro_rules! other {
            () => {
                at_other.as_mut().expect(THERE)
            };
        }
        macro_rules! c {
            () => {
                at_c.as_mut().expect(THERE)
            };
        }
        macro_rules! at {
            ($at:expr, $pool:ident => $do:expr) => {
                match $at {
                    At::A => {
                        let $pool = &mut at_a;
                        $do
                    }
                    At::B => {
                        let $pool = &mut b!().pool;
                        $do
                    }
                    At::OtherB => {
                        let $pool = &mut other!().pool;
                        $do
                    }
                    At::C => {
                        let $pool = &mut c!().pool;
                        $do
                    }
                }
            };
        }
        for step in &self.steps {
            match *step {
                Step::One { at, op, of } => at!(at, pool => pool.one(op, of)),
                Step::Two { at, op, left, right } => at!(at, pool => pool.two(op, left, right)),
                Step::Turned { at, op, of, and } => at!(at, pool => pool.turned(op, of, and)),
                Step::Folded { at, of, and } => at!(at, pool => pool.folded(of, and)),
                Step::Wire { from, to, payload, of } => match (from, to) {
                    (At::A, At::B) => carry!(graph, payload, of: at_a => b!().pool, b),
                    (At::A, At::OtherB) => carry!(graph, payload, of: at_a => other!().pool, other_b),
                    (At::A, At::C) => carry!(graph, payload, of: at_a => c!().pool, c),
                    (At::B, At::C) => carry!(graph, payload, of: b!().pool => c!().pool, b!().one),
                    (At::B, At::OtherB) => carry!(graph, payload, of: b!().pool => other!().pool, b!().other),
                    (At::OtherB, At::C) => carry!(graph, payload, of: other!().pool => c!().pool, other!().one),
                    (At::OtherB, At::B) => carry!(graph, payload, of: other!().pool => b!().pool, other!().other),
                    (At::C, At::B) => carry!(graph, payload, of: c!().pool => b!().pool, c!().one),
                    (At::C, At::OtherB) => carry!(graph, payload, of: c!().pool => other!().pool, c!().other),
                    (from, _) => at!(from, pool => carry!(graph, payload, of: *pool => at_a, graph.origin::<A>())),
                },
                Step::Nested { of } => at_a.vectors.push(twice(graph, pick(&at_a.vectors, of), b)),
                Step::Cohort { kind, of, and } => cohort(graph, kind, &mut at_a, (of, and), d, worker),
                Step::Join { of, and } => {
                    let one = graph.wire(pick(&at_a.vectors, of), c);
                    let other = graph.wire(pick(&b!().pool.vectors, and), b!().one);
                    c!().pool.vectors.push((one - other).shaped());
                }
                Step::Diamond { of } => {
                    let value = pick(&at_a.vectors, of);
                    let by_b = graph.wire(graph.wire(value, b).relu(), b!().other);
                    let by_c = graph.wire(graph.wire(value, c).sigmoid(), c!().other);
                    other!().pool.vectors.push((by_b - by_c).shaped());
                }
            }
        }
        for (v, k, t) in [at_b.map(|b| b.pool.sum()), at_other.map(|b| b.pool.sum())].into_iter().flatten() {
            home(&mut at_a, graph.wire((v, k, t), graph.origin::<A>()));
        }
        if let Some(c) = at_c {
            let (v, k, t) = c.pool.sum();
            home(&mut at_a, graph.wire((v, k, t), graph.origin::<A>()));
        }
        at_a.sum()
    }
}

fn home(pool: &mut Pool<A>, (v, k, t): (On<A, Vector>, On<A, Counts>, On<A, Table>)) {
    pool.vectors.push(v);
    pool.counts.push(k);
    pool.tables.push(t);
}

/// Half of the members have to answer.
fn cohort(
    graph: &Graph,
    kind: u8,
    pool: &mut Pool<A>,
    (of, and): (usize, usize),
    d: On<A, Peers<D>>,
    worker: WorkerAt<D>,
) {
    let (v, k) = (pick(&pool.vectors, of), pick(&pool.counts, and));
    match kind {
        0 => {
            let there = graph.wire(v, d);
            let back = graph.wire(worker.work(there), there.sender::<A>());
            pool.vectors.push(back.quorum(0.5).mean().shaped());
        }
        1 => {
            let (there, counts) = graph.wire((v, k), d);
            let back = graph.wire((worker.work(there), -counts), there.sender::<A>());
            pool.vectors.push(back.each(|(y, _)| y - v).quorum(0.5).within(secs(20)).mean().shaped());
            pool.counts.push(back.each(|(_, n)| n + k).quorum(0.5).sum().shaped());
        }
        _ => {
            let there = graph.wire(v, d);
            let mut again = None;
            let first = graph.wire(worker.work(there), there.sender::<A>()).each(|y| {
                let reply: On<Each<D>, Tensor> = graph.wire(y.tanh() * v, y.sender());
                again = Some(reply);
                y
            });
            pool.vectors.push(first.quorum(0.5).mean().shaped());
            let reply = again.expect("the body of each is recorded once");
            pool.vectors.push(graph.wire(worker.work(reply), reply.sender::<A>()).quorum(0.5).mean().shaped());
        }
    }
}
