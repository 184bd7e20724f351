//! What a test of many worlds decides in this one: which faults strike, and which message arrives next.

use super::World;
use super::steps::{Due, Entry};
use crate::check::Script;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Which faults strike.
#[derive(Default)]
pub(crate) struct Strikes {
    only: Option<BTreeSet<u64>>,
    drawn: u64,
    /// Their numbers, where somebody asks.
    struck: Option<Vec<u64>>,
}
impl Strikes {
    /// A fault was drawn; whether it strikes.
    pub fn lets(&mut self) -> bool {
        let number = self.drawn;
        self.drawn += 1;
        let lets = self.only.as_ref().is_none_or(|only| only.contains(&number));
        if let (true, Some(struck)) = (lets, &mut self.struck) {
            struck.push(number);
        }
        lets
    }
}

/// Which message arrives next.
pub(super) struct Order {
    script: Vec<usize>,
    depth: usize,
    /// What was chosen, of how many.
    made: Vec<(usize, usize)>,
    /// On their way.
    pool: Vec<Entry>,
}

impl World {
    /// A world that goes by a script.
    pub(crate) fn scripted(script: &Script, depth: usize) -> World {
        let mut world = World::new(script.seed, bb::kernels());
        let only = script.faults.as_ref().map(|faults| faults.iter().copied().collect());
        world.strikes = Strikes { only, drawn: 0, struck: Some(Vec::new()) };
        let order = |script: &Vec<usize>| Order { script: script.clone(), depth, made: Vec::new(), pool: Vec::new() };
        world.order = script.order.as_ref().map(order);
        world
    }
    /// Which faults struck, and what was chosen.
    pub(crate) fn script_of_it(&mut self) -> (Vec<u64>, Vec<(usize, usize)>) {
        (self.strikes.struck.take().unwrap_or_default(), self.order.take().map(|o| o.made).unwrap_or_default())
    }

    /// In a world whose order a test chooses: the message that arrives next, if any is on its way.
    pub(super) fn chosen(&mut self) -> Option<Due> {
        let order = self.order.as_mut()?;
        let all = std::mem::take(&mut self.queue).into_vec();
        for Reverse(entry) in all {
            match entry.due {
                Due::Deliver { .. } => order.pool.push(entry),
                _ => self.queue.push(Reverse(entry)),
            }
        }
        order.pool.sort();
        let connected = &self.connected;
        order.pool.retain(|entry| match &entry.due {
            Due::Deliver { from, to, connection, .. } => connected.get(&(*from, *to)) == Some(connection),
            _ => false,
        });
        let options = order.pool.len();
        let mut chosen = 0;
        if options > 1 && order.made.len() < order.depth {
            chosen = order.script.get(order.made.len()).copied().unwrap_or(0).min(options - 1);
            order.made.push((chosen, options));
        }
        (options > 0).then(|| order.pool.remove(chosen).due)
    }
}
