//! Which op of one program is which of the other.

use super::view::{Body, Kind, Op, OpIx, Source};
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// The ops of two bodies that are the same, by number.
pub struct Pairs {
    pub to_after: Vec<Option<OpIx>>,
    pub to_before: Vec<Option<OpIx>>,
}

impl Pairs {
    /// The surest first: who reads the same, who is read by the same, who is written at the same place, who is called the
    /// same, and at last who does the same sort of thing on the same class.
    pub fn of(before: &Body, after: &Body) -> Self {
        let mut pairs = Pairs { to_after: vec![None; before.ops.len()], to_before: vec![None; after.ops.len()] };
        pairs.equal(&upwards(before), &upwards(after));
        pairs.equal(&downwards(before), &downwards(after));
        for key in [placed, label, method, sort] {
            let keys = |body: &Body| body.ops.iter().map(key).collect::<Vec<u64>>();
            pairs.equal(&keys(before), &keys(after));
        }
        pairs
    }

    /// Pairs those that are left and have the same key, in their order.
    fn equal(&mut self, before: &[u64], after: &[u64]) {
        let mut open: FxHashMap<u64, VecDeque<OpIx>> = FxHashMap::default();
        for (i, key) in after.iter().enumerate().filter(|(i, _)| self.to_before[*i].is_none()) {
            open.entry(*key).or_default().push_back(OpIx(i));
        }
        for (i, key) in before.iter().enumerate() {
            if self.to_after[i].is_none()
                && let Some(twin) = open.get_mut(key).and_then(VecDeque::pop_front)
            {
                self.to_after[i] = Some(twin);
                self.to_before[twin.0] = Some(OpIx(i));
            }
        }
    }
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    of.hash(&mut hasher);
    hasher.finish()
}

fn label(op: &Op) -> u64 {
    hash((op.kind, &op.name, &op.domain, &op.class, &op.to))
}
/// With all its attributes: what a change of them must not make another.
fn exactly(op: &Op) -> u64 {
    let facets: Vec<(&String, &Vec<u8>)> = op.facets.iter().map(|(name, (_, bytes))| (name, bytes)).collect();
    hash((label(op), facets))
}
/// Written at the same place; where none is known, at none.
fn placed(op: &Op) -> u64 {
    hash((label(op), &op.at))
}
/// A role's op, whatever the method.
fn method(op: &Op) -> u64 {
    let slot = op.name.split('.').next();
    if op.kind == Kind::Role { hash((slot, &op.domain, &op.class)) } else { label(op) }
}
/// A wire from the same class, wherever it leads; a role's op, whatever slot serves it.
fn sort(op: &Op) -> u64 {
    if op.kind == Kind::Other { label(op) } else { hash((op.kind, &op.domain, &op.class)) }
}

/// A hash of each op and of all it reads.
fn upwards(body: &Body) -> Vec<u64> {
    let above = |op: OpIx| body.ops[op.0].inputs.iter().filter_map(maker).collect();
    walk(body.ops.len(), above, |op, known| {
        let op = &body.ops[op.0];
        let read = |source: &Source| match source {
            Source::Op(op, output) => hash((known[op.0], output)),
            other => hash(other),
        };
        hash((exactly(op), op.controls, op.inputs.iter().map(read).collect::<Vec<_>>()))
    })
}

/// A hash of each op and of all that reads it.
fn downwards(body: &Body) -> Vec<u64> {
    let mut readers: Vec<Vec<(OpIx, usize, usize)>> = body.ops.iter().map(|_| Vec::new()).collect();
    for (i, op) in body.ops.iter().enumerate() {
        for (n, source) in op.inputs.iter().enumerate() {
            if let Source::Op(of, output) = source {
                readers[of.0].push((OpIx(i), n, *output));
            }
        }
    }
    let mut given: Vec<Vec<usize>> = body.ops.iter().map(|_| Vec::new()).collect();
    for source in &body.outputs {
        if let Source::Op(of, output) = source {
            given[of.0].push(*output);
        }
    }
    let below = |op: OpIx| readers[op.0].iter().map(|(reader, ..)| *reader).collect();
    walk(body.ops.len(), below, |op, known| {
        let by = |(by, n, output): &(OpIx, usize, usize)| hash((known[by.0], n, output));
        let mut read: Vec<u64> = readers[op.0].iter().map(by).collect();
        read.sort_unstable();
        hash((exactly(&body.ops[op.0]), read, &given[op.0]))
    })
}

/// A hash of each op, made when those of its neighbours are there; in a circle, as if they were zero.
fn walk(ops: usize, neighbours: impl Fn(OpIx) -> Vec<OpIx>, of: impl Fn(OpIx, &[u64]) -> u64) -> Vec<u64> {
    let mut known = vec![0; ops];
    let mut seen = vec![false; ops];
    let mut open: Vec<(OpIx, bool)> = Vec::new();
    for first in (0..ops).map(OpIx) {
        open.push((first, false));
        while let Some((op, ready)) = open.pop() {
            if ready {
                known[op.0] = of(op, &known);
            } else if !std::mem::replace(&mut seen[op.0], true) {
                open.push((op, true));
                open.extend(neighbours(op).into_iter().filter(|next| !seen[next.0]).map(|next| (next, false)));
            }
        }
    }
    known
}

fn maker(source: &Source) -> Option<OpIx> {
    match source {
        Source::Op(op, _) => Some(*op),
        _ => None,
    }
}
