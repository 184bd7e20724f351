//! For every Recv: the nearest Sends of its own place without which its value cannot come.
//!
//! Backwards over wires, stopping at the first Send of the own place on each path; computed forwards, in one walk: what
//! a value depends on is, by place, the last Sends that left it on the way here. What a gather yields that goes on without
//! some of its members depends on no Send of theirs: one that failed is asked again.

use crate::index::FunctionIndex;
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Need, Operand, is_send, read_wire_id};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// By place: the wires that left it last. Values that depend on the same wires share one.
type Left = Rc<BTreeMap<u32, BTreeSet<u64>>>;

/// By wire id, sorted; wires whose Recv waits for no Send of its place are left out.
pub fn of(index: &FunctionIndex<'_>) -> FxHashMap<u64, Vec<u64>> {
    let nothing: Left = Rc::default();
    let mut left: Vec<Left> = vec![nothing.clone(); index.values()];
    let mut awaits = FxHashMap::default();
    let mut leaves: FxHashMap<u64, u32> = FxHashMap::default();
    for (at, node) in index.nodes() {
        let inputs = index.inputs(at).iter().flatten();
        let mut here = inputs.fold(nothing.clone(), |all, value| union(all, &left[value.at()]));
        match is_send(node).then(|| wire(node)).flatten() {
            Some((place, to, id)) => {
                let mut arrived = (*here).clone();
                arrived.insert(place, BTreeSet::from([id]));
                leaves.insert(id, place);
                // The next Send from where it arrives takes their place, so nobody asks for these again.
                if let Some(own) = arrived.remove(&to) {
                    awaits.insert(id, own.into_iter().collect());
                }
                // All it gives arrives there, but for its handle.
                let arrived = Rc::new(arrived);
                for value in index.outputs(at).iter().rev().skip(1).flatten() {
                    left[value.at()] = arrived.clone();
                }
                if let Some(handle) = index.outputs(at).last().copied().flatten() {
                    left[handle.at()] = here;
                }
                continue;
            }
            None => {
                let members = Gather::cast(node).filter(|gather| goes_on_without(gather.need())).and_then(Gather::lane);
                if let Some(members) =
                    members.and_then(|wire| leaves.get(&wire)).filter(|place| here.contains_key(place))
                {
                    let mut gathered = (*here).clone();
                    gathered.remove(members);
                    here = Rc::new(gathered);
                }
            }
        }
        for value in index.outputs(at).iter().flatten() {
            left[value.at()] = here.clone();
        }
    }
    awaits
}

/// Whether a gather may yield though a member failed. Fractions are rounded to millionths.
fn goes_on_without(need: Need) -> bool {
    match need {
        Need::All => false,
        Need::Fraction(Operand::Constant(of)) => of < 1.0 - 0.5e-6,
        Need::Fraction(Operand::Value(_)) | Need::Count(_) | Need::First(_) => true,
    }
}

/// Of a Send: the place it leaves, the one it arrives at, and its wire.
fn wire(node: &NodeProto) -> Option<(u32, u32, u64)> {
    let place = |key: &str| node.metadata_number(key);
    Some((place(keys::PLACE_KEY)?, place(keys::TO_PLACE_KEY)?, read_wire_id(node)?))
}

fn union(a: Left, b: &Left) -> Left {
    if Rc::ptr_eq(&a, b) || b.is_empty() {
        return a;
    }
    if a.is_empty() {
        return b.clone();
    }
    let mut both = (*a).clone();
    for (place, wires) in b.iter() {
        both.entry(*place).or_default().extend(wires);
    }
    if both == *a { a } else { Rc::new(both) }
}
