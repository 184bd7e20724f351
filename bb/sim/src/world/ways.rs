//! The ways that messages go: from one node to another.

use super::NodeIx;
use crate::link::Link;
use rustc_hash::FxHashMap;
use std::ops::{Index, IndexMut};

/// From one node to another.
#[derive(Default)]
pub(super) struct Way {
    /// The number of the connection, while there is one: what travels on an earlier one is lost.
    pub connection: Option<u64>,
    /// How many messages went.
    pub sent: u64,
    /// When the last message that keeps its order arrives.
    pub last_arrival: u64,
    /// When the last message has left.
    pub free_at: u64,
    /// How messages travel, where it is not as everywhere.
    pub link: Option<Box<Link>>,
}

/// A way, by its number.
#[derive(Clone, Copy)]
pub(super) struct WayIx(u32);

/// All ways that anything was ever said of: they stay.
#[derive(Default)]
pub(super) struct Ways {
    /// By direction.
    numbers: FxHashMap<(NodeIx, NodeIx), WayIx>,
    all: Vec<Way>,
}

impl Ways {
    pub fn find(&self, from: NodeIx, to: NodeIx) -> Option<WayIx> {
        self.numbers.get(&(from, to)).copied()
    }
    /// That way, which may be new.
    pub fn of(&mut self, from: NodeIx, to: NodeIx) -> WayIx {
        *self.numbers.entry((from, to)).or_insert_with(|| {
            self.all.push(Way::default());
            WayIx((self.all.len() - 1) as u32)
        })
    }
    pub fn connection(&self, from: NodeIx, to: NodeIx) -> Option<u64> {
        self[self.find(from, to)?].connection
    }
}

impl Index<WayIx> for Ways {
    type Output = Way;
    fn index(&self, way: WayIx) -> &Way {
        &self.all[way.0 as usize]
    }
}
impl IndexMut<WayIx> for Ways {
    fn index_mut(&mut self, way: WayIx) -> &mut Way {
        &mut self.all[way.0 as usize]
    }
}
