//! One schedule: a program, the faults it runs under, and what has to hold.

use super::scenario::{ASKER, Answer, Faults, Hosting, needs_components};
use bb::engine::{CallError, Counters, Event, Limits, PeerId, Usage};
use bb_sim::{ComponentFaults, Link, NodeIx, World};
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::sync::PoisonError;
use std::time::Duration;

const S: Duration = Duration::from_secs(1);
/// How far the world runs between two looks at it.
const SLICE: Duration = Duration::from_millis(100);
const BUDGET: Duration = Duration::from_secs(10);
/// When faults begin to stop, when calls have to succeed again, and when everything is to be at rest.
const FAULTS_END: Duration = Duration::from_secs(20);
const HEALED: Duration = Duration::from_secs(100);
const CALLS: u64 = 8;
const CALLS_AFTER: u64 = 3;

/// What can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Loss,
    Duplicate,
    Reorder,
    Partition,
    /// Two nodes do not hear each other any more, and are not told.
    Stall,
    Crash,
    Restore,
    Slow,
    Bytes,
    /// A component gives another shape, refuses, or panics.
    Component,
    /// Links take few bytes in a second.
    Narrow,
}
impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::Loss,
        Kind::Duplicate,
        Kind::Reorder,
        Kind::Partition,
        Kind::Stall,
        Kind::Crash,
        Kind::Restore,
        Kind::Slow,
        Kind::Bytes,
        Kind::Component,
        Kind::Narrow,
    ];
}

/// Faults that may cost time, and hardly an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mild {
    Nothing,
    Loss,
    Restores,
}
impl Mild {
    /// What a schedule's faults are at most.
    fn of(chosen: &BTreeSet<Kind>) -> Option<Mild> {
        let at_most = |kinds: &[Kind]| chosen.iter().all(|kind| kinds.contains(kind));
        let order = [Kind::Duplicate, Kind::Reorder, Kind::Slow];
        match () {
            () if chosen.is_empty() => Some(Mild::Nothing),
            () if at_most(&[&order[..], &[Kind::Loss]].concat()) => Some(Mild::Loss),
            () if at_most(&[&order[..], &[Kind::Restore]].concat()) => Some(Mild::Restores),
            () => None,
        }
    }
    /// How many calls of a hundred have a right answer at least.
    pub fn right_min(self) -> u64 {
        match self {
            Mild::Nothing => 100,
            Mild::Loss => 99,
            Mild::Restores => 99,
        }
    }
}

/// What became of a schedule.
#[derive(Debug, Default)]
pub struct Outcome {
    pub seed: u64,
    pub program: &'static str,
    pub chosen: BTreeSet<Kind>,
    pub struck: Vec<(Kind, u64)>,
    /// Calls that were made; that have a right answer; that no fault came near; and of those with a right answer.
    pub calls: u64,
    pub right: u64,
    /// What may not cost answers, where nothing else strikes; and its calls and answers.
    pub mild: Option<Mild>,
    pub mild_calls: u64,
    pub mild_right: u64,
    pub clean: u64,
    pub clean_right: u64,
    pub counters: Counters,
    pub events: u64,
    pub violations: Vec<String>,
    pub trace: Vec<String>,
}
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} under {:?}, struck {:?}", self.seed, self.program, self.chosen, self.struck)?;
        self.violations.iter().try_for_each(|v| writeln!(f, "  {v}"))
    }
}

struct Open {
    number: u64,
    call: Box<dyn Fn(&World) -> Answer>,
    until: Duration,
    /// Which start of the caller it was.
    start: u64,
    /// What faults have touched since the call was made.
    touched: BTreeSet<(NodeIx, NodeIx)>,
    /// Who could not be reached then.
    apart: BTreeSet<NodeIx>,
    /// Every one of them has to have a right answer.
    must: bool,
}

pub fn run(seed: u64, traced: bool) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen: BTreeSet<Kind> = Kind::ALL.into_iter().filter(|_| rng.random_bool(0.35)).collect();
    if seed % 16 == 5 {
        chosen.clear();
    }
    if needs_components(seed) {
        chosen.remove(&Kind::Component);
    }
    let mut world = World::new(seed, bb::kernels());
    world.set_traced(traced);
    let forgets = rng.random_bool(0.3);
    if forgets {
        // Who forgets soon what has ended knows by its number what came twice.
        world.set_limits(Limits { remembered_max: 1, ..Limits::default() });
    }
    let seen = Seen::watch(&mut world, chosen.is_empty());
    let faults = Faults::default();
    let writes_for = chosen.contains(&Kind::Restore).then(|| Duration::from_millis(rng.random_range(0..=20)));
    let hosting = Hosting { writes_for, faults: faults.clone() };
    let scenario = hosting.scenario(seed, &mut world);
    let mut it = Schedule {
        rng,
        chosen,
        world,
        slow: 0,
        down: Vec::new(),
        durable: writes_for.is_some(),
        liar: None,
        faulty: None,
        mended: 0,
        seen,
        stalled: Vec::new(),
        stalls: 0,
    };
    let link = it.link();
    it.world.set_link(link);
    it.slow_down();
    it.world.connect_all();
    it.lie();
    it.break_component();

    let mut open: Vec<Open> = Vec::new();
    let mut outcome = Outcome { seed, program: scenario.name, mild: Mild::of(&it.chosen), ..Outcome::default() };
    let mut at_healed = None;
    let mut made = 0;
    let mut calls_at: Vec<Duration> = (0..CALLS).map(|_| it.rng.random_range(Duration::ZERO..FAULTS_END)).collect();
    if it.rng.random_bool(0.3) {
        // Before anything is ready.
        calls_at[0] = Duration::ZERO;
    }
    calls_at.extend((0..CALLS_AFTER).map(|n| HEALED + S * 11 * n as u32));
    calls_at.sort();
    let end = HEALED + S * 90;
    while it.world.elapsed() < end {
        let now = it.world.elapsed();
        if now < FAULTS_END {
            it.strike();
        } else if now < FAULTS_END + SLICE {
            it.heal();
        } else {
            // Whoever lied too often was sent away, and dials again.
            it.world.connect_all();
        }
        while calls_at.get(made as usize).is_some_and(|at| *at <= now) {
            made += 1;
            if it.world.usage(ASKER).is_some() {
                outcome.calls += 1;
                let number = seed.wrapping_mul(1000) + made;
                let call = (scenario.start)(&mut it.world, number, BUDGET);
                let until = now + BUDGET + SLICE;
                open.push(Open {
                    number,
                    call,
                    until,
                    start: it.world.starts(ASKER),
                    touched: BTreeSet::new(),
                    apart: it.apart(),
                    must: now >= HEALED,
                });
            }
        }
        it.crash_soon(&open, now);
        it.world.run_until(now + SLICE);
        let mut touched = it.world.take_touched();
        if now < FAULTS_END + SLICE && it.world.faults().panicked > 0 {
            // A component that has panicked is gone until its node starts again.
            touched.extend(it.faulty.map(|node| (node, node)));
        }
        if it.world.elapsed() >= HEALED && at_healed.is_none() {
            at_healed = Some(it.world.counters());
        }
        let (now, world) = (it.world.elapsed(), &it.world);
        let start = it.world.usage(ASKER).map(|_| world.starts(ASKER));
        open.retain_mut(|o| {
            o.touched.extend(&touched);
            let answer = (o.call)(world);
            let lies = it.chosen.contains(&Kind::Bytes);
            match &answer {
                Answer::Open if start != Some(o.start) && !it.durable => return false,
                // What a durable node has not written before it dies was never asked; what it has goes on where it was.
                Answer::Open if it.durable && now < HEALED => return true,
                Answer::Open if now <= o.until => return true,
                Answer::Open if it.durable && !o.must => return false,
                Answer::Open => outcome.violations.push(format!("call {} has no answer at its deadline", o.number)),
                Answer::Wrong(value) if !lies => {
                    outcome.violations.push(format!("call {} has the wrong answer {value}", o.number));
                }
                Answer::Failed(CallError::Deadline { .. }) if it.tells() && now < FAULTS_END => {
                    outcome.violations.push(format!("call {} waits for what will not come", o.number));
                }
                Answer::Failed(error) if o.must || (it.quorum_is_there(o) && scenario.quorum) => {
                    outcome
                        .violations
                        .push(format!("call {} fails though nothing keeps it from its answer: {error}", o.number));
                }
                _ => {}
            }
            let right = answer == Answer::Right;
            outcome.right += u64::from(right);
            if outcome.mild.is_some() {
                outcome.mild_calls += 1;
                outcome.mild_right += u64::from(right);
            }
            if o.touched.is_empty() {
                outcome.clean += 1;
                outcome.clean_right += u64::from(right);
            }
            false
        });
    }
    it.check(&mut outcome, &faults);
    if !forgets {
        outcome.violations.append(&mut it.seen.faults());
    }
    if let Some(before) = at_healed {
        let failed = |c: &Counters| c.refused + c.expired + c.lost;
        if failed(&before) != failed(&outcome.counters) {
            outcome
                .violations
                .push(format!("messages fail though all faults have ended: {before}{}", outcome.counters));
        }
    }
    outcome.chosen = it.chosen;
    outcome.events = it.world.events();
    outcome.trace = it.world.trace().iter().map(ToString::to_string).collect();
    outcome
}

/// What events say that must not be.
#[derive(Clone, Default)]
struct Seen(Rc<RefCell<(BTreeSet<Ended>, Vec<String>)>>);
/// A node, an execution, a place and a lane.
type Ended = (NodeIx, (PeerId, u64, u64), u32, Option<u32>);

impl Seen {
    fn watch(world: &mut World, nothing_strikes: bool) -> Self {
        let seen = Seen::default();
        let into = seen.clone();
        world.on_event(move |node, event| {
            if let Event::FrameExpired { execution, place, lane, .. } = event {
                let (ended, faults) = &mut *into.0.borrow_mut();
                if nothing_strikes {
                    faults.push(format!("node {} waits where nothing keeps anyone: {event:?}", node.0));
                }
                let name = (execution.origin.clone(), execution.epoch, execution.counter);
                if !ended.insert((node, name, *place, *lane)) {
                    faults.push(format!("node {} ends the same twice: {event:?}", node.0));
                }
            }
        });
        seen
    }
    /// Who starts again knows no more than it has written down.
    fn starts_again(&self, node: NodeIx) {
        self.0.borrow_mut().0.retain(|(of, ..)| *of != node);
    }
    fn faults(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().1)
    }
}

struct Schedule {
    rng: ChaCha8Rng,
    chosen: BTreeSet<Kind>,
    world: World,
    slow: u64,
    /// Dead nodes, and when they start again.
    down: Vec<(NodeIx, Duration)>,
    durable: bool,
    /// Who lies, until faults end.
    liar: Option<NodeIx>,
    /// Whose component is faulty, and how often it was started again because of that.
    faulty: Option<NodeIx>,
    mended: u64,
    seen: Seen,
    /// Who does not hear whom, and until when.
    stalled: Vec<((NodeIx, NodeIx), Duration)>,
    stalls: u64,
}

impl Schedule {
    fn part(&mut self, kind: Kind, most: f64) -> f64 {
        if self.chosen.contains(&kind) { self.rng.random_range(0.05..most) } else { 0.0 }
    }
    fn link(&mut self) -> Link {
        let most = Duration::from_millis(self.rng.random_range(1..=200));
        let (drop, duplicate, reorder) =
            (self.part(Kind::Loss, 0.3), self.part(Kind::Duplicate, 0.3), self.part(Kind::Reorder, 0.5));
        let link = Link::default().delay(most / 10..=most).drop(drop).duplicate(duplicate).reorder(reorder);
        if self.chosen.contains(&Kind::Narrow) { link.bandwidth(self.rng.random_range(2_000..20_000)) } else { link }
    }
    fn nodes(&self) -> impl Iterator<Item = NodeIx> + use<> {
        (0..self.world.len()).map(NodeIx)
    }

    fn slow_down(&mut self) {
        if self.chosen.contains(&Kind::Slow) {
            let cost: Vec<u64> = self.nodes().map(|_| self.rng.random_range(0..=800)).collect();
            self.slow = cost.iter().filter(|c| **c > 400).count() as u64;
            self.world.set_cost(move |node, _| Duration::from_millis(cost[node.0]));
        }
    }
    fn lie(&mut self) {
        if self.chosen.contains(&Kind::Bytes) {
            let liar = self.nodes().filter(|n| *n != ASKER).choose(&mut self.rng).expect("there are others");
            let mut part = || self.rng.random_range(0.0..0.2);
            self.world.set_lies(liar, bb_sim::Lies { flip: part(), cut: part(), replay: part() });
            self.liar = Some(liar);
        }
    }
    fn break_component(&mut self) {
        let with_slots = self.nodes().filter(|n| !self.world.slots(*n).is_empty());
        if self.chosen.contains(&Kind::Component)
            && let Some(node) = with_slots.choose(&mut self.rng)
        {
            let slots = self.world.slots(node);
            let mut part = |most: f64| self.rng.random_range(0.0..most);
            let faults = ComponentFaults::default().shape(part(0.2)).error(part(0.3)).panic(part(0.1));
            let slot = slots.choose(&mut self.rng).expect("it has some");
            self.world.set_component_faults(node, slot, faults);
            self.faulty = Some(node);
        }
    }

    /// Whether everyone who waits can be told why there is nothing to wait for: by its deadline it knows.
    fn tells(&self) -> bool {
        let others = |kind: &Kind| !matches!(kind, Kind::Component | Kind::Duplicate | Kind::Reorder);
        !self.chosen.iter().any(others)
    }
    fn apart(&self) -> BTreeSet<NodeIx> {
        self.nodes().filter(|n| *n != ASKER && !self.world.connected(ASKER, *n)).collect()
    }
    /// Whether no fault came near the caller, and near half of the others at most.
    fn quorum_is_there(&self, open: &Open) -> bool {
        if self.chosen.contains(&Kind::Narrow) || open.touched.contains(&(ASKER, ASKER)) {
            return false;
        }
        let near = |n: &NodeIx| {
            open.apart.contains(n) || [(*n, *n), (*n, ASKER), (ASKER, *n)].iter().any(|way| open.touched.contains(way))
        };
        let others: Vec<NodeIx> = self.nodes().filter(|n| *n != ASKER).collect();
        others.iter().filter(|n| near(n)).count() * 2 <= others.len()
    }

    /// What happens in a slice.
    fn strike(&mut self) {
        let now = self.world.elapsed();
        self.start_again(now);
        if self.chosen.contains(&Kind::Partition) && self.rng.random_bool(0.02) {
            let size = self.rng.random_range(1..self.world.len());
            let all: Vec<NodeIx> = self.nodes().collect();
            let group: Vec<NodeIx> = all.sample(&mut self.rng, size).copied().collect();
            self.world.partition(&group);
        }
        self.hear_again(now);
        if self.chosen.contains(&Kind::Stall) && self.rng.random_bool(0.03) {
            let all: Vec<NodeIx> = self.nodes().collect();
            let pair: Vec<NodeIx> = all.sample(&mut self.rng, 2).copied().collect();
            let until = now + Duration::from_millis(self.rng.random_range(500..=15_000));
            for ends in [(pair[0], pair[1]), (pair[1], pair[0])] {
                self.world.set_link_between(ends.0, ends.1, Link::default().drop(1.0));
                self.stalled.push((ends, until));
            }
            self.stalls += 1;
        }
        if self.rng.random_bool(0.1) {
            self.world.connect_all();
        }
        let crashes = self.chosen.contains(&Kind::Crash) || self.durable;
        if crashes && self.rng.random_bool(0.02) {
            self.crash(now);
        }
    }
    /// Durable nodes may crash while a call is on its way: then they have something to take up again.
    fn crash_soon(&mut self, open: &[Open], now: Duration) {
        if self.durable && now < FAULTS_END && !open.is_empty() && self.rng.random_bool(0.1) {
            let within = self.rng.random_range(Duration::ZERO..SLICE);
            self.world.run_until(now + within);
            self.crash(now);
        }
    }
    fn crash(&mut self, now: Duration) {
        // Without a checkpoint the caller's calls are gone with it.
        let node = self.nodes().choose(&mut self.rng).expect("there are some");
        if self.world.usage(node).is_some() {
            self.world.kill(node);
            let pause = Duration::from_millis(self.rng.random_range(0..=4000));
            self.down.push((node, now + pause));
        }
    }
    fn start_again(&mut self, now: Duration) {
        let due: Vec<NodeIx> = self.down.extract_if(.., |(_, at)| *at <= now).map(|(node, _)| node).collect();
        for node in due {
            self.start_node(node);
            self.world.connect_all();
        }
    }
    fn start_node(&mut self, node: NodeIx) {
        self.seen.starts_again(node);
        self.world.start(node).expect("it installed before");
    }
    fn hear_again(&mut self, now: Duration) {
        for (ends, _) in self.stalled.extract_if(.., |(_, until)| *until <= now) {
            self.world.clear_link_between(ends.0, ends.1);
        }
    }
    /// All faults end.
    fn heal(&mut self) {
        self.start_again(Duration::MAX);
        self.hear_again(Duration::MAX);
        self.world.set_link(Link::default().delay(Duration::from_millis(5)..=Duration::from_millis(20)));
        // Who lied has told others numbers that are not its own: an honest node takes its place.
        if let Some(liar) = self.liar {
            self.world.set_lies(liar, bb_sim::Lies::default());
            self.world.destroy(liar);
            self.start_node(liar);
        }
        // A component that has panicked comes back with its node.
        if let Some(faulty) = self.faulty {
            for slot in self.world.slots(faulty) {
                self.world.set_component_faults(faulty, &slot, ComponentFaults::default());
            }
            self.mended = u64::from(Some(faulty) != self.liar);
            if self.mended > 0 {
                self.world.kill(faulty);
                self.start_node(faulty);
            }
        }
        self.world.connect_all();
    }

    fn check(&self, outcome: &mut Outcome, faults: &Faults) {
        let mut say = |fault: String| outcome.violations.push(fault);
        for node in self.nodes() {
            if self.world.usage(node) != Some(Usage::default()) {
                say(format!("node {} is not at rest: {:?}", node.0, self.world.usage(node)));
            }
        }
        let lies = self.chosen.contains(&Kind::Bytes);
        if !lies {
            faults.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(&mut say);
        }
        let c = self.world.counters();
        if self.chosen.is_empty() && (c.delivered, c.sent_again, c.duplicates) != (c.accepted, 0, 0) {
            say(format!("messages do not arrive once where nothing keeps them from it:\n{c}"));
        }
        let killed = self.world.faults().killed;
        let crashed = killed > 0;
        if !crashed && c.accepted != c.delivered + c.refused + c.expired + c.lost {
            say(format!("messages are not accounted for:\n{c}"));
        }
        let f = self.world.faults();
        let killed = killed - u64::from(self.liar.is_some()) - self.mended;
        let restored = if self.durable { killed } else { 0 };
        let struck = |kind: Kind| match kind {
            Kind::Loss => f.dropped,
            Kind::Duplicate => f.duplicated,
            Kind::Reorder => f.reordered,
            Kind::Partition => f.partitioned,
            Kind::Stall => self.stalls,
            Kind::Crash => killed - restored,
            Kind::Restore => restored,
            Kind::Slow => self.slow,
            Kind::Bytes => f.flipped + f.cut + f.replayed,
            Kind::Component => f.misshapen + f.refused + f.panicked,
            Kind::Narrow => f.queued,
        };
        outcome.struck = self.chosen.iter().map(|k| (*k, struck(*k))).collect();
        outcome.counters = c;
    }
}
