//! Two programs, and a node that hosts parts of both.

use bb::engine::{Config, Engine};
use bb::prelude::*;
use bb::{Compiled, PeerId, kernels};
use bb_components as _;
use std::sync::OnceLock;

#[derive(bb::Peer)]
pub struct Asker;
#[derive(bb::Peer)]
pub struct Helper;
#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Left;
#[derive(bb::Peer)]
pub struct Right;
#[derive(bb::Peer)]
pub struct Head;

/// A component that the host runs.
#[bb::role]
pub trait Answers {
    fn answer(&mut self, x: Tensor) -> Tensor;
}

/// A cohort with lanes and a gather.
#[bb::module]
pub fn ask(
    graph: &Graph,
    x: On<Asker, Tensor>,
    cohort: On<Asker, Peers<Helper>>,
    answers: AnswersAt<Helper>,
) -> (On<Asker, Tensor>, On<Asker, u64>) {
    let there = graph.wire(x, cohort);
    let back = graph.wire(answers.answer(there), there.sender::<Asker>()).quorum(0.5).within(secs(9));
    (back.sum(), back.count())
}

/// A join of two wires, and peers as values.
#[bb::module]
pub fn join(
    graph: &Graph,
    x: On<Edge, Tensor>,
    left: On<Edge, Peer<Left>>,
    right: On<Edge, Peer<Right>>,
    head: On<Edge, Peer<Head>>,
) -> On<Edge, Tensor> {
    let (a, head_of_a) = graph.wire((x, head), left);
    let (b, head_of_b) = graph.wire((x, head), right);
    let (a, b) = (graph.wire(a * 2.0, head_of_a), graph.wire(b + 1.0, head_of_b));
    graph.wire(a + b, graph.origin::<Edge>())
}

/// Which classes the nodes host, of which program.
const HOSTED: [&[(bool, &str)]; 3] = [
    &[(true, "Asker"), (false, "Edge"), (false, "Head")],
    &[(true, "Helper"), (false, "Left"), (false, "Head")],
    &[(true, "Helper"), (true, "Asker"), (false, "Right")],
];

fn compiled() -> &'static [Compiled; 2] {
    static PROGRAMS: OnceLock<[Compiled; 2]> = OnceLock::new();
    PROGRAMS.get_or_init(|| [bb::compile(join), bb::compile(ask)])
}

/// The artifact of a class.
pub fn artifact(ask: bool, class: &str) -> &'static [u8] {
    let program = &compiled()[usize::from(ask)];
    assert_eq!(program.diagnostics, []);
    &program.artifact(class).expect("the program has this class").bytes
}

/// Every artifact.
pub fn artifacts() -> impl Iterator<Item = &'static [u8]> {
    compiled().iter().flat_map(|p| p.artifacts.iter().map(|a| &a.bytes[..]))
}

/// The identity of a node, or of a stranger.
pub fn peer(node: usize) -> PeerId {
    PeerId::from_bytes(vec![node as u8 + 1]).expect("short")
}

/// A node that runs nothing.
pub fn empty(node: usize) -> Engine {
    Engine::new(Config::new(peer(node), 100 + node as u64))
}

thread_local! {
    /// Installing takes longer than most of what is tried.
    static NODES_ONCE: [Engine; NODES] = std::array::from_fn(installed);
}

/// A node with its programs.
pub fn node(node: usize) -> Engine {
    NODES_ONCE.with(|nodes| Engine::with_graphs_of(&nodes[node], Config::new(peer(node), 100 + node as u64)))
}

fn installed(node: usize) -> Engine {
    let mut engine = empty(node);
    for (ask, class) in HOSTED[node] {
        let bound: &[&str] = if *class == "Helper" { &["answers"] } else { &[] };
        engine.install(artifact(*ask, class), &kernels(), bound).expect("our own program installs");
    }
    engine
}
/// How many nodes there are.
pub const NODES: usize = HOSTED.len();
