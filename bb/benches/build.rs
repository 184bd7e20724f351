//! How long recording and compiling take: a chain of ops on one class, and a ring of sixteen classes.
#![allow(missing_docs)]

use bb::prelude::*;
use std::time::Instant;

macro_rules! ring {
    ($first:ident to $to:ident; $($class:ident $next:ident $peer:ident $name:ident,)*) => {
        #[derive(bb::Peer)]
        pub struct $first;
        $(#[derive(bb::Peer)] pub struct $class;)*

        /// Round and round: an op and a wire on each class.
        #[allow(clippy::too_many_arguments)]
        fn ring(
            graph: &Graph,
            x: On<$first, Tensor>,
            $($peer: On<$first, Peer<$class>>,)*
            rounds: usize,
        ) -> On<$first, Tensor> {
            // Every class but the last learns where the next one is.
            $(let $name = ring!(@told graph, $peer, $next $class);)*
            let mut x = x;
            for _ in 0..rounds {
                let at = x.relu();
                let at = graph.wire(at, $to);
                $(let at = ring!(@hop graph, at, $name);)*
                x = at;
            }
            x
        }
    };
    (@told $graph:ident, $peer:ident, home $class:ident) => { $graph.origin::<C0>() };
    (@told $graph:ident, $peer:ident, $next:ident $class:ident) => { $graph.wire($next, $peer) };
    (@hop $graph:ident, $at:ident, $name:ident) => { $graph.wire($at.relu(), $name) };
}
ring! { C0 to c1;
    C1 c2 c1 n1, C2 c3 c2 n2, C3 c4 c3 n3, C4 c5 c4 n4, C5 c6 c5 n5, C6 c7 c6 n6, C7 c8 c7 n7, C8 c9 c8 n8,
    C9 c10 c9 n9, C10 c11 c10 n10, C11 c12 c11 n11, C12 c13 c12 n12, C13 c14 c13 n13, C14 c15 c14 n14, C15 home c15 n15,
}

fn chain(x: On<C0, Tensor>, ops: usize) -> On<C0, Tensor> {
    (0..ops).fold(x, |x, _| x.relu())
}

fn measure(name: &str, ops: usize, record: impl Fn() -> bb::Recorded) {
    let start = Instant::now();
    let recorded = record();
    let recording = start.elapsed();
    assert_eq!(recorded.diagnostics, []);
    let nodes: usize = recorded.model.functions.iter().map(|f| f.node.len()).sum();
    let start = Instant::now();
    let output = bb_compiler::Compiler::new().compile(&recorded.model).expect("it compiles");
    let compiling = start.elapsed();
    let per_op = |d: std::time::Duration| d.as_nanos() as f64 / nodes as f64 / 1000.0;
    println!(
        "{name:<8} {ops:>7} ops {nodes:>7} nodes {:>3} classes   record {:>9.1} ms ({:>6.2} µs/node)   compile {:>9.1} ms ({:>6.2} µs/node)",
        output.partitions.len(),
        recording.as_secs_f64() * 1e3,
        per_op(recording),
        compiling.as_secs_f64() * 1e3,
        per_op(compiling),
    );
}

macro_rules! recorded_ring {
    ($rounds:ident: $($class:ident $peer:ident),*) => {
        bb::record(move |graph: &Graph, x: On<C0, Tensor>, $($peer: On<C0, Peer<$class>>),*| {
            ring(graph, x, $($peer,)* $rounds)
        })
    };
}

fn main() {
    for ops in [1_000, 10_000, 100_000] {
        measure("chain", ops, || bb::record(|_: &Graph, x: On<C0, Tensor>| chain(x, ops)));
    }
    for ops in [1_000, 10_000, 100_000] {
        // Each of the sixteen classes does one op and sends once in a round.
        let rounds = ops / 32;
        measure("ring", ops, || {
            recorded_ring!(rounds: C1 c1, C2 c2, C3 c3, C4 c4, C5 c5, C6 c6, C7 c7, C8 c8, C9 c9, C10 c10, C11 c11,
                C12 c12, C13 c13, C14 c14, C15 c15)
        });
    }
}
