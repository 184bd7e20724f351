//! Which Sends may share an envelope: those of one place to one peer value of which neither depends on the other.
//!
//! Sends that compete for an envelope are counted along paths; two with the same count cannot depend on each other.

use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::keys;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{is_send, read_wire_id};
use rustc_hash::FxHashMap;

/// By wire id: the number of its group, in the order of the program.
pub fn of(index: &FunctionIndex<'_>) -> FxHashMap<u64, u32> {
    let mut rivals: FxHashMap<(u32, ValueIx), u32> = FxHashMap::default();
    for (at, node) in index.nodes().filter(|(_, node)| is_send(node)) {
        if let Some(key) = destination(index, at, node.metadata_number(keys::PLACE_KEY)) {
            *rivals.entry(key).or_default() += 1;
        }
    }
    let mut before = vec![0u32; index.values()];
    let mut numbers: FxHashMap<((u32, ValueIx), u32), u32> = FxHashMap::default();
    let mut groups = FxHashMap::default();
    for (at, node) in index.nodes() {
        let mut count = index.inputs(at).iter().flatten().map(|v| before[v.at()]).max().unwrap_or(0);
        if is_send(node)
            && let Some(id) = read_wire_id(node)
            && let Some(key) = destination(index, at, node.metadata_number(keys::PLACE_KEY))
        {
            let next = u32::try_from(numbers.len()).expect("fewer than 2^32 wires");
            groups.insert(id, *numbers.entry((key, count)).or_insert(next));
            count += u32::from(rivals[&key] > 1);
        }
        for value in index.outputs(at).iter().flatten() {
            before[value.at()] = count;
        }
    }
    groups
}

fn destination(index: &FunctionIndex<'_>, at: NodeIx, place: Option<u32>) -> Option<(u32, ValueIx)> {
    Some((place?, index.data_inputs(at).last().copied().flatten()?))
}
