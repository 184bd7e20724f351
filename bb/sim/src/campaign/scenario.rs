//! A program of the campaign in a world: who hosts what, how it is called, and what its answer has to be.

use crate::programs::{Ready, Seen, federated, gossip, join, prepared, request, scatter, split};
use bb::engine::CallError;
use bb::{OpError, Peer, Peers};
use bb_sim::{Asked, Host, NodeIx, NodeOf, World, peer_id};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What components saw that must not be.
pub type Faults = Arc<Mutex<Vec<String>>>;

/// Counts how often it has seen a number, and tells of more than once.
pub struct Once {
    seen: BTreeMap<u64, u64>,
    faults: Faults,
}
impl Once {
    fn new(faults: &Faults) -> Self {
        Once { seen: BTreeMap::new(), faults: faults.clone() }
    }
}
impl Seen for Once {
    fn saw(&mut self, number: u64) -> u64 {
        let count = self.seen.entry(number).or_default();
        *count += 1;
        if *count > 1 {
            let fault = format!("the number {number} was applied {count} times");
            self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        }
        *count
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.seen.iter().flat_map(|(n, count)| [*n, *count]).flat_map(u64::to_le_bytes).collect())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let mut words = state.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().expect("eight")));
        self.seen.clear();
        while let (Some(number), Some(count)) = (words.next(), words.next()) {
            self.seen.insert(number, count);
        }
        Ok(())
    }
}

/// What a component is made ready with.
const KEY: u64 = 7;

/// The same, once it was made ready; tells of a number before that, and of being made ready again.
pub struct Prepared {
    times: u64,
    once: Once,
}
impl Prepared {
    fn new(once: Once) -> Self {
        Prepared { times: 0, once }
    }
    fn fault(&self, fault: String) {
        self.once.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }
}
impl Ready for Prepared {
    fn open(&mut self) -> u64 {
        KEY
    }
    fn prepare(&mut self, key: u64) -> u64 {
        self.times += u64::from(key == KEY);
        if self.times > 1 {
            self.fault(format!("a bootstrap ran {} times", self.times));
        }
        self.times
    }
    fn saw(&mut self, number: u64) -> u64 {
        if self.times == 0 {
            self.fault(format!("the number {number} was seen before the bootstrap"));
        }
        self.once.saw(number)
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some([&self.times.to_le_bytes()[..], &self.once.checkpoint()?].concat())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let (times, seen) = state.split_first_chunk().ok_or_else(|| OpError::new("no eight bytes"))?;
        self.times = u64::from_le_bytes(*times);
        self.once.restore(seen)
    }
}

/// An answer: none yet, none at all, right, or wrong.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Open,
    Failed(CallError),
    Right,
    Wrong(String),
}

type Call = Box<dyn Fn(&World) -> Answer>;
/// Calls the program with a number.
type Start = Box<dyn Fn(&mut World, u64, Duration) -> Call>;

/// One of the programs, hosted.
pub struct Scenario {
    pub name: &'static str,
    /// Whose calls they are; the first node.
    pub start: Start,
    /// Whether half of the others are enough.
    pub quorum: bool,
}

pub const ASKER: NodeIx = NodeIx(0);

/// How many there are.
const SCENARIOS: u64 = 7;
/// The one whose components are made ready first.
const WITH_BOOTSTRAP: u64 = 6;
/// Whether the scenario of that number cannot do without every component's first answer: a bootstrap that failed stays
/// so until its node starts again.
pub fn needs_components(number: u64) -> bool {
    number % SCENARIOS == WITH_BOOTSTRAP
}

fn call<T>(asked: Asked<T>, right: impl Fn(&T) -> bool + 'static) -> Call
where
    T: bb::__private::Typed + std::fmt::Debug + 'static,
{
    let right = Rc::new(RefCell::new(right));
    Box::new(move |world| match world.answer(asked) {
        None => Answer::Open,
        Some(Err(error)) => Answer::Failed(error),
        Some(Ok(value)) if right.borrow()(&value) => Answer::Right,
        Some(Ok(value)) => Answer::Wrong(format!("{value:?}")),
    })
}
fn peer<C: bb::PeerClass>(node: usize) -> Peer<C> {
    Peer::of(peer_id(node))
}

/// How a node is hosted: every node of a scenario alike.
pub struct Hosting {
    /// For durable nodes, how long a checkpoint takes.
    pub writes_for: Option<Duration>,
    pub faults: Faults,
}

impl Hosting {
    fn host<P: bb::Piece>(&self, world: &mut World, make: impl Fn(Once) -> P + 'static) -> NodeOf<P> {
        let faults = self.faults.clone();
        let make = move || make(Once::new(&faults));
        match self.writes_for {
            None => world.host(make),
            Some(writes_for) => world.host_durable(make, writes_for),
        }
    }

    fn piece<P: bb::Piece>(&self, make: impl Fn(Once) -> P + 'static) -> Host {
        let faults = self.faults.clone();
        Host::piece(move || make(Once::new(&faults)))
    }
    fn add(&self, world: &mut World, host: Host) {
        let added = match self.writes_for {
            None => world.add(vec![host]),
            Some(writes_for) => world.add_durable(vec![host], writes_for),
        };
        added.expect("it installs");
    }

    /// The scenario of that number, its nodes in the world.
    pub fn scenario(&self, number: u64, world: &mut World) -> Scenario {
        match number % SCENARIOS {
            0 => {
                let asker = self.host(world, |home| federated::Asker { home });
                (0..4).for_each(|_| _ = self.host(world, |seen| federated::Helper { seen }));
                let start: Start = Box::new(move |world, number, budget| {
                    let asked = world.ask(asker, (number, Peers::all()), budget);
                    call(asked, |(sum, count, home)| sum == count && *count >= 1 && *home == 1)
                });
                Scenario { name: "federated averaging", start, quorum: true }
            }
            1 => {
                let equals: Vec<_> = (0..3).map(|_| self.host(world, |seen| gossip::Equal { seen })).collect();
                let asker = equals[0];
                let start: Start = Box::new(move |world, number, budget| {
                    let to = 1 + number as usize % 2;
                    call(world.ask(asker, (number, peer(to)), budget), |count| *count == 1)
                });
                Scenario { name: "gossip between equals", start, quorum: false }
            }
            2 => {
                let asker = self.host(world, |_| request::Asker {});
                self.host(world, |seen| request::Helper { seen });
                let start: Start = Box::new(move |world, number, budget| {
                    call(world.ask(asker, (number, peer(1)), budget), |count| *count == 1)
                });
                Scenario { name: "request and reply", start, quorum: false }
            }
            3 => {
                let asker = self.host(world, |_| scatter::Asker {});
                (0..4).for_each(|_| _ = self.host(world, |seen| scatter::Helper { seen }));
                let start: Start = Box::new(move |world, number, budget| {
                    let asked = world.ask(asker, (number, Peers::all()), budget);
                    call(asked, |(sum, count)| (*sum, *count) == (2, 2))
                });
                Scenario { name: "scatter and gather", start, quorum: false }
            }
            4 => {
                let asker = self.host(world, |_| split::Asker {});
                self.host(world, |on_left| split::Left { on_left });
                self.host(world, |on_right| split::Right { on_right });
                self.host(world, |on_head| split::Head { on_head });
                let start: Start = Box::new(move |world, number, budget| {
                    let asked = world.ask(asker, (number, peer(1), peer(2), peer(3)), budget);
                    call(asked, |count| *count == 3)
                });
                Scenario { name: "split inference", start, quorum: false }
            }
            WITH_BOOTSTRAP => {
                let asker = self.host(world, |once| prepared::Asker { home: Prepared::new(once) });
                self.add(world, self.piece(|once| prepared::Helper { away: Prepared::new(once) }).stage("key", KEY));
                let start: Start = Box::new(move |world, number, budget| {
                    call(world.ask(asker, (number, peer(1)), budget), |(home, away)| (*home, *away) == (1, 1))
                });
                Scenario { name: "after a bootstrap", start, quorum: false }
            }
            _ => {
                let asker = self.host(world, |_| join::Asker {});
                self.host(world, |seen| join::Helper { seen });
                self.host(world, |on_way| join::Left { on_way });
                let start: Start = Box::new(move |world, number, budget| {
                    let asked = world.ask(asker, (number, peer(1), peer(2)), budget);
                    call(asked, |count| *count == 2)
                });
                Scenario { name: "join of two wires", start, quorum: false }
            }
        }
    }
}
