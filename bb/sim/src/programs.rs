//! The programs of the campaign: each gives how often everyone involved has seen its number, so that an answer is right
//! or wrong by itself.

use bb::prelude::*;

/// Calls.
#[derive(bb::Peer)]
pub struct Asker;
/// Is asked.
#[derive(bb::Peer)]
pub struct Helper;
/// Asks and is asked.
#[derive(bb::Peer)]
pub struct Equal;
/// One half.
#[derive(bb::Peer)]
pub struct Left;
/// The other half.
#[derive(bb::Peer)]
pub struct Right;
/// Where the halves meet.
#[derive(bb::Peer)]
pub struct Head;

/// Keeps count of numbers.
#[bb::role]
pub trait Seen {
    /// How often it has seen this number, this time included.
    fn saw(&mut self, number: u64) -> u64;
}

/// Their sum.
#[bb::op]
pub fn add(a: u64, b: u64) -> u64 {
    a.wrapping_add(b)
}

/// The sum of what came, and how much that is.
#[bb::op]
pub fn total(all: Partial<u64>) -> (u64, u64) {
    let counts = all.into_rows();
    (counts.iter().map(|(_, count)| count).sum(), counts.len() as u64)
}

/// Federated averaging: to all, work, a quorum, fold.
#[bb::module]
pub fn federated(
    graph: &Graph,
    number: On<Asker, u64>,
    cohort: On<Asker, Peers<Helper>>,
    home: SeenAt<Asker>,
    seen: SeenAt<Helper>,
) -> (On<Asker, u64>, On<Asker, u64>, On<Asker, u64>) {
    let there = graph.wire(number, cohort);
    let back = graph.wire(seen.saw(there), there.sender::<Asker>()).quorum(0.5).within(secs(4));
    let (sum, count) = total(back);
    (sum, count, home.saw(number))
}

/// Gossip between equals: to a peer of the same class, and back.
#[bb::module]
pub fn gossip(
    graph: &Graph,
    number: On<Equal, u64>,
    to: On<Equal, Peer<Equal>>,
    seen: SeenAt<Equal>,
) -> On<Equal, u64> {
    let there = graph.wire(number, to);
    graph.wire(seen.saw(there), there.sender::<Equal>())
}

/// Request and reply.
#[bb::module]
pub fn request(
    graph: &Graph,
    number: On<Asker, u64>,
    to: On<Asker, Peer<Helper>>,
    seen: SeenAt<Helper>,
) -> On<Asker, u64> {
    let there = graph.wire(number, to);
    graph.wire(seen.saw(there), there.sender::<Asker>())
}

/// Scatter and gather, in two rounds: each answer is asked about again, and the first two count.
#[bb::module]
pub fn scatter(
    graph: &Graph,
    number: On<Asker, u64>,
    cohort: On<Asker, Peers<Helper>>,
    seen: SeenAt<Helper>,
) -> (On<Asker, u64>, On<Asker, u64>) {
    let there = graph.wire(number, cohort);
    let mut again = None;
    let first = graph.wire(seen.saw(there), there.sender::<Asker>()).each(|count| {
        let second = graph.wire(count, count.sender::<Helper>());
        again = Some(graph.wire(second, second.sender::<Asker>()));
        count
    });
    let _ = first;
    total(again.expect("the body ran").first(2).within(secs(5)))
}

/// Split inference: two halves, joined where neither was told by the other.
#[bb::module]
pub fn split(
    graph: &Graph,
    number: On<Asker, u64>,
    left: On<Asker, Peer<Left>>,
    right: On<Asker, Peer<Right>>,
    head: On<Asker, Peer<Head>>,
    on_left: SeenAt<Left>,
    on_right: SeenAt<Right>,
    on_head: SeenAt<Head>,
) -> On<Asker, u64> {
    let (l, l_head) = graph.wire((number, head), left);
    let (r, r_head) = graph.wire((number, head), right);
    let (l_seen, l_number) = graph.wire((on_left.saw(l), l), l_head);
    let r_seen = graph.wire(on_right.saw(r), r_head);
    let all = add(add(l_seen, r_seen), on_head.saw(l_number));
    graph.wire(all, graph.origin::<Asker>())
}

/// A join of two wires, one of which takes a way round.
#[bb::module]
pub fn join(
    graph: &Graph,
    number: On<Asker, u64>,
    to: On<Asker, Peer<Helper>>,
    by: On<Asker, Peer<Left>>,
    seen: SeenAt<Helper>,
    on_way: SeenAt<Left>,
) -> On<Asker, u64> {
    let direct = graph.wire(number, to);
    let way = graph.wire(number, by);
    let round = graph.wire(graph.wire(on_way.saw(way), way.sender::<Asker>()), to);
    graph.wire(add(seen.saw(direct), round), direct.sender::<Asker>())
}

/// Has to be made ready, once, before it counts.
#[bb::role]
pub trait Ready {
    /// Before it is made ready: a key.
    fn open(&mut self) -> u64;
    /// How often it was made ready, with that key.
    fn prepare(&mut self, key: u64) -> u64;
    /// How often it has seen this number, this time included.
    fn saw(&mut self, number: u64) -> u64;
}

/// A request whose components are made ready by a bootstrap on either side.
#[bb::module]
pub fn prepared(
    graph: &Graph,
    number: On<Asker, u64>,
    to: On<Asker, Peer<Helper>>,
    home: ReadyAt<Asker>,
    away: ReadyAt<Helper>,
) -> (On<Asker, u64>, On<Asker, u64>) {
    let there = graph.wire(number, to);
    (home.saw(number), graph.wire(away.saw(there), there.sender::<Asker>()))
}

/// Makes both ready: one with a key that it finds, the other with one that its peer is told.
#[bb::bootstrap(prepared)]
pub fn prepare(graph: &Graph, home: ReadyAt<Asker>, key: On<Helper, u64>, away: ReadyAt<Helper>) {
    let _ = (home.prepare(home.open(graph)), away.prepare(key));
}
