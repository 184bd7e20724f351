//! Programs of as many ops as one likes.

use bb::prelude::*;
use bb::{PeerClass, PeerId, Recorded};

/// A kind of program.
pub struct Shape {
    pub name: &'static str,
    /// Records one of so many ops.
    pub record: fn(usize) -> Recorded,
}

pub const ALL: &[Shape] = &[
    Shape { name: "chain", record: |ops| bb::record(move |_: &Graph, x: On<C0, Tensor>| chain(x, ops)) },
    Shape { name: "fan-out", record: |ops| bb::record(move |_: &Graph, x: On<C0, Tensor>| fan_out(x, ops)) },
    Shape { name: "ring2", record: |ops| bb::record(move |graph: &Graph, x: On<C0, Tensor>| ring2(graph, x, ops)) },
    Shape { name: "ring16", record: |ops| bb::record(move |graph: &Graph, x: On<C0, Tensor>| ring16(graph, x, ops)) },
    Shape { name: "ring64", record: |ops| bb::record(move |graph: &Graph, x: On<C0, Tensor>| ring64(graph, x, ops)) },
];

/// How many ops a class does in a row, the wire to the next one among them: 100,000 ops are then 2,000 wires, and a
/// program has 2,048 at most.
const TURN: usize = 50;

/// Each op reads what the one before gives.
fn chain<C: PeerClass>(x: On<C, Tensor>, ops: usize) -> On<C, Tensor> {
    (0..ops).fold(x, |x, _| x.relu())
}

/// Half of the ops read one value, the others add up what those give.
fn fan_out(x: On<C0, Tensor>, ops: usize) -> On<C0, Tensor> {
    (0..ops / 2).fold(x, |sum, _| sum + x.relu())
}

#[derive(bb::Peer)]
pub struct C0;

macro_rules! classes {
    ($($class:ident $next:ident)*) => { $(
        #[derive(bb::Peer)]
        pub struct $class;

        /// A peer of the class, as its predecessor in a ring knows it.
        #[bb::op]
        fn $next(_: Tensor) -> Peer<$class> {
            Peer::of(PeerId::from_bytes(vec![1]).expect("short"))
        }
    )* };
}
classes! {
    C1 c1 C2 c2 C3 c3 C4 c4 C5 c5 C6 c6 C7 c7 C8 c8 C9 c9 C10 c10 C11 c11 C12 c12 C13 c13 C14 c14 C15 c15 C16 c16
    C17 c17 C18 c18 C19 c19 C20 c20 C21 c21 C22 c22 C23 c23 C24 c24 C25 c25 C26 c26 C27 c27 C28 c28 C29 c29 C30 c30
    C31 c31 C32 c32 C33 c33 C34 c34 C35 c35 C36 c36 C37 c37 C38 c38 C39 c39 C40 c40 C41 c41 C42 c42 C43 c43 C44 c44
    C45 c45 C46 c46 C47 c47 C48 c48 C49 c49 C50 c50 C51 c51 C52 c52 C53 c53 C54 c54 C55 c55 C56 c56 C57 c57 C58 c58
    C59 c59 C60 c60 C61 c61 C62 c62 C63 c63
}

macro_rules! ring {
    ($name:ident: $($next:ident)*) => {
        /// Round and round until there are so many ops: on each class a chain, and a wire to the next class, which it asks
        /// for once.
        fn $name(graph: &Graph, x: On<C0, Tensor>, ops: usize) -> On<C0, Tensor> {
            let at = x;
            $(let $next = $next(at); let at = graph.wire(at, $next);)*
            let home = graph.origin::<C0>();
            let mut x = graph.wire(at, home);
            let turns = [$(stringify!($next)),*].len() + 1;
            for _ in 0..ops / (TURN * turns) {
                let at = x;
                $(let at = graph.wire(chain(at, TURN - 1), $next);)*
                x = graph.wire(chain(at, TURN - 1), home);
            }
            x
        }
    };
}
ring! { ring2: c1 }
ring! { ring16: c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12 c13 c14 c15 }
ring! { ring64:
    c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20 c21 c22 c23 c24 c25 c26 c27 c28 c29 c30 c31 c32
    c33 c34 c35 c36 c37 c38 c39 c40 c41 c42 c43 c44 c45 c46 c47 c48 c49 c50 c51 c52 c53 c54 c55 c56 c57 c58 c59 c60 c61
    c62 c63
}
