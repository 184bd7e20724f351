//! What a test of many worlds decides in this one: which faults may strike, and which message arrives next.

use super::World;
use super::queue::Entry;
use super::steps::Due;
use crate::check::Script;
use crate::fate::Strike;

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
        world.fate.least_delays = script.least_delays;
        if let Some(faults) = &script.faults {
            world.fate.allow_only(faults.iter().copied());
        }
        let order = |script: &Vec<usize>| Order { script: script.clone(), depth, made: Vec::new(), pool: Vec::new() };
        world.order = script.order.as_ref().map(order);
        world
    }
    /// Which faults struck, and what was chosen.
    pub(crate) fn script_of_it(&mut self) -> (Vec<Strike>, Vec<(usize, usize)>) {
        (std::mem::take(&mut self.fate.struck), self.order.take().map(|o| o.made).unwrap_or_default())
    }

    /// In a world whose order a test chooses: the message that arrives next, if any is on its way.
    pub(super) fn chosen(&mut self) -> Option<Due> {
        let order = self.order.as_mut()?;
        order.pool.extend(self.queue.take(|due| matches!(due, Due::Deliver { .. })));
        order.pool.sort_by_key(|entry| (entry.at, entry.number));
        let ways = &self.ways;
        order.pool.retain(|entry| match &entry.due {
            Due::Deliver { way, connection, .. } => ways[*way].connection == Some(*connection),
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
