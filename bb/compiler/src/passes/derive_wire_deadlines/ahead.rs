//! What lies ahead of every wire: the longest path back to the place it leaves, and who waits for it there.
//!
//! One walk from the end of the program to its start. What lies ahead of a value is, by place, how many wires there are
//! at most until something arrives there for the first time.

use crate::parallel;
use bb_ir::keys;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Operand, is_send, read_wire_id};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What is derived of one wire.
pub struct Way {
    /// The length of the longest path back; 1 if there is none.
    pub depth: u32,
    /// The classes on it, in its order, each once, the leaving one excluded.
    pub targets: Vec<Rc<str>>,
    /// The longest constant limit of a gather that waits for what depends on it; 0 if there is none.
    pub within_ns: u64,
}

/// Ahead of a value. Values with the same ahead share one.
#[derive(Clone, Default, PartialEq)]
struct Ahead {
    /// By place: the most wires until something arrives there, and the first of them.
    home: BTreeMap<u32, (u32, u64)>,
    /// By place: the longest limit of a gather there.
    within: BTreeMap<u32, u64>,
}

impl Ahead {
    fn is_nothing(&self) -> bool {
        self.home.is_empty() && self.within.is_empty()
    }
}

/// A wire, once it has been walked over.
struct Hop {
    to: u32,
    class: Rc<str>,
    arrived: Rc<Ahead>,
}

/// By wire id, for the wires of the root.
pub fn of(model: &ModelProto) -> FxHashMap<u64, Way> {
    let index = parallel::index(&model.functions[0]);
    let classes = classes(model);
    let mut ahead: Vec<Rc<Ahead>> = vec![Rc::default(); index.values()];
    let mut hops: FxHashMap<u64, Hop> = FxHashMap::default();
    let mut ways = FxHashMap::default();
    let nodes: Vec<_> = index.nodes().collect();
    for (at, node) in nodes.into_iter().rev() {
        let outputs: Vec<&Rc<Ahead>> = index.outputs(at).iter().flatten().map(|v| &ahead[v.at()]).collect();
        let here = match (wire(node), outputs.split_last()) {
            (Some((id, from, to)), Some((handle, arrived))) => {
                let hop = Hop { to, class: classes.get(&to).cloned().unwrap_or_default(), arrived: union(arrived) };
                let sent = Rc::new(hop.sent(id, from));
                let handle = Rc::clone(handle);
                hops.insert(id, hop);
                ways.insert(id, way(&hops, classes.get(&from), id, from));
                union(&[&sent, &handle])
            }
            _ => union(&outputs),
        };
        let (gathered, awaited) = awaited(node, &here);
        for (i, value) in index.inputs(at).iter().enumerate() {
            let Some(value) = value else { continue };
            let beyond = if i < gathered { &awaited } else { &here };
            ahead[value.at()] = union(&[&ahead[value.at()], beyond]);
        }
    }
    ways
}

/// By number: the class of each place.
fn classes(model: &ModelProto) -> FxHashMap<u32, Rc<str>> {
    let rows = model.metadata_under(keys::PLACE_TABLE_PREFIX);
    rows.filter_map(|(n, row)| Some((n.parse().ok()?, row.split('|').next()?.into()))).collect()
}

/// Of a Send: its wire, the place it leaves and the one it arrives at.
fn wire(node: &NodeProto) -> Option<(u64, u32, u32)> {
    let place = |key: &str| node.metadata_number(key);
    is_send(node).then_some(())?;
    Some((read_wire_id(node)?, place(keys::FROM_PLACE_KEY)?, place(keys::TO_PLACE_KEY)?))
}

/// How many of a node's inputs are gathered, and what lies ahead of those.
fn awaited(node: &NodeProto, here: &Rc<Ahead>) -> (usize, Rc<Ahead>) {
    let within = Gather::cast(node).and_then(|gather| match gather.within_ns()? {
        Operand::Constant(ns) => Some((gather.values().len(), ns)),
        Operand::Value(_) => None,
    });
    let Some((gathered, ns)) = within else { return (0, here.clone()) };
    let mut ahead = (**here).clone();
    let limit = ahead.within.entry(node.metadata_number(keys::PLACE_KEY).unwrap_or_default()).or_default();
    *limit = ns.max(*limit);
    (gathered, Rc::new(ahead))
}

impl Hop {
    /// What lies ahead of the values that leave with it.
    fn sent(&self, id: u64, from: u32) -> Ahead {
        let further = self.arrived.home.iter().map(|(place, (wires, _))| (*place, (wires.saturating_add(1), id)));
        let mut home: BTreeMap<u32, (u32, u64)> = further.collect();
        home.insert(self.to, (1, id));
        // A path that was here before has ended here, and so has a wait.
        home.remove(&from);
        let mut within = self.arrived.within.clone();
        within.remove(&from);
        Ahead { home, within }
    }
}

fn way(hops: &FxHashMap<u64, Hop>, leaving: Option<&Rc<str>>, id: u64, from: u32) -> Way {
    let mut way = Way { depth: 1, targets: Vec::new(), within_ns: 0 };
    let mut hop = &hops[&id];
    way.within_ns = hop.arrived.within.values().copied().max().unwrap_or(0);
    if let Some((wires, _)) = hop.arrived.home.get(&from).filter(|_| hop.to != from) {
        way.depth = wires.saturating_add(1);
    }
    for _ in 0..way.depth {
        if Some(&hop.class) != leaving && !way.targets.contains(&hop.class) {
            way.targets.push(hop.class.clone());
        }
        match hop.arrived.home.get(&from).filter(|_| hop.to != from) {
            Some((_, next)) => hop = &hops[next],
            None => break,
        }
    }
    way
}

fn union(all: &[&Rc<Ahead>]) -> Rc<Ahead> {
    let Some((first, rest)) = all.split_first() else { return Rc::default() };
    rest.iter().fold(Rc::clone(first), |a, b| {
        if Rc::ptr_eq(&a, b) || b.is_nothing() {
            return a;
        }
        if a.is_nothing() {
            return Rc::clone(b);
        }
        let mut both = (*a).clone();
        for (place, path) in &b.home {
            let longest = both.home.entry(*place).or_insert(*path);
            if path.0 > longest.0 {
                *longest = *path;
            }
        }
        for (place, ns) in &b.within {
            let longest = both.within.entry(*place).or_default();
            *longest = (*longest).max(*ns);
        }
        if both == *a { a } else { Rc::new(both) }
    })
}
