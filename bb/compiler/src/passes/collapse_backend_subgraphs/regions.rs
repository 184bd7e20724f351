//! Which nodes are run together.
//!
//! Nodes are of one region where they hang together and wait for the same values from outside; and a node that only one
//! region reads is of that region. So no way leads out of a region and back into it, and nothing is held up that somebody
//! else is waiting for.

use super::{Readers, is_constant, is_pure};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::keys;
use bb_ir::views::Metadata;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A node that waits for more values from outside begins a region of its own: comparing long lists is what takes time.
const LONGEST: usize = 64;

/// The regions, each with its nodes in order. What only hands a value on is none.
pub fn of(index: &FunctionIndex<'_>, readers: &Readers, weights: &FxHashSet<String>) -> Vec<Vec<NodeIx>> {
    let count = index.function().node.len();
    let pure: Vec<bool> = (0..count).map(|i| is_pure(index, NodeIx::new(i))).collect();
    let whereabouts = |at: NodeIx| {
        let node = index.node(at);
        (node.metadata(keys::PLACE_KEY), node.metadata(keys::LANE_KEY))
    };
    let mut region: Vec<usize> = (0..count).collect();
    let mut waits: Vec<Rc<Vec<ValueIx>>> = Vec::with_capacity(count);
    for (at, _) in index.nodes() {
        let mut outside: Vec<ValueIx> = Vec::new();
        let mut makers = Vec::new();
        for value in index.inputs(at).iter().copied().flatten() {
            match index.producer(value) {
                Some(maker) if pure[maker.at()] && whereabouts(maker) == whereabouts(at) => {
                    outside.extend(waits[maker.at()].iter());
                    makers.push(maker);
                }
                Some(maker) if is_constant(index.node(maker)) => {}
                None if weights.contains(index.name(value)) => {}
                _ => outside.push(value),
            }
        }
        outside.sort_unstable_by_key(|value| value.at());
        outside.dedup();
        if outside.len() > LONGEST {
            outside = index.outputs(at).iter().copied().flatten().collect();
        }
        let same = makers.iter().filter(|maker| pure[at.at()] && *waits[maker.at()] == outside);
        let roots: Vec<usize> = same.map(|maker| root(&mut region, maker.at())).collect();
        for other in roots {
            let mine = root(&mut region, at.at());
            region[mine.max(other)] = mine.min(other);
        }
        waits.push(Rc::new(outside));
    }
    let mut region: Vec<usize> = (0..count).map(|at| root(&mut region, at)).collect();
    for at in (0..count).rev().map(NodeIx::new).filter(|at| pure[at.at()]) {
        let outputs = || index.outputs(at).iter().copied().flatten();
        let first = outputs().find_map(|value| readers.nodes.of(value).first().copied());
        let Some(first) = first.filter(|first| pure[first.at()] && whereabouts(*first) == whereabouts(at)) else {
            continue;
        };
        let same = |reader: NodeIx| pure[reader.at()] && region[reader.at()] == region[first.at()];
        if outputs().all(|value| readers.all(value, same)) {
            region[at.at()] = region[first.at()];
        }
    }
    let mut members: BTreeMap<usize, Vec<NodeIx>> = BTreeMap::new();
    for at in (0..count).filter(|at| pure[*at]) {
        members.entry(region[at]).or_default().push(NodeIx::new(at));
    }
    let works = |members: &Vec<NodeIx>| members.iter().any(|at| index.node(*at).op_type() != "Identity");
    members.into_values().filter(works).collect()
}

fn root(region: &mut [usize], mut at: usize) -> usize {
    while region[at] != at {
        region[at] = region[region[at]];
        at = region[at];
    }
    at
}
