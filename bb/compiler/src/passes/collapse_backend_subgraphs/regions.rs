//! Which nodes are run together.
//!
//! Nodes are of one region where they hang together and wait for the same values from outside; and a node that only one
//! region reads is of that region. So no way leads out of a region and back into it, and nothing is held up that somebody
//! else is waiting for.

use super::{is_constant, is_pure};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A node that waits for more values from outside begins a region of its own: comparing long lists is what takes time.
const LONGEST: usize = 64;

/// The regions, each with its nodes in order. What only hands a value on is none.
pub fn of(index: &FunctionIndex<'_>, weights: &FxHashSet<String>) -> Vec<Vec<NodeIx>> {
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
    let consumers = index.consumers();
    let given: FxHashSet<ValueIx> = index.function_outputs().collect();
    for at in (0..count).rev().map(NodeIx::new).filter(|at| pure[at.at()]) {
        let outputs = || index.outputs(at).iter().copied().flatten();
        let mut readers = outputs().flat_map(|value| consumers.of(value).iter().copied());
        let Some(first) = readers.next().filter(|first| pure[first.at()] && whereabouts(*first) == whereabouts(at))
        else {
            continue;
        };
        let alone = readers.all(|reader| pure[reader.at()] && region[reader.at()] == region[first.at()]);
        if alone && outputs().all(|value| !given.contains(&value)) {
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

/// The nodes, each behind those whose values it reads.
pub fn in_order(nodes: Vec<NodeProto>) -> Vec<NodeProto> {
    let makers: FxHashMap<&str, usize> =
        nodes.iter().enumerate().flat_map(|(at, node)| node.output.iter().map(move |o| (o.as_str(), at))).collect();
    let mut waits = vec![0usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for maker in node.input.iter().filter_map(|input| makers.get(input.as_str())) {
            readers[*maker].push(at);
            waits[at] += 1;
        }
    }
    let mut ready: std::collections::BTreeSet<usize> = (0..nodes.len()).filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for reader in &readers[at] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    assert_eq!(order.len(), nodes.len(), "no way leads out of a region and back");
    let mut nodes: Vec<Option<NodeProto>> = nodes.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| nodes[at].take()).collect()
}
