//! Where the ops of a bootstrap are: no wire leads anywhere, so each is on the class of its component or of what it reads.

use crate::error::at_node;
use crate::index::FunctionIndex;
use crate::passes::resolve_slots::{parse_slot_map, slot_rows};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::views::Metadata;
use bb_ir::{keys, names};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Stamps the class on every node; what follows from constants alone has none, and goes where it is read.
pub fn settle(bootstrap: &mut FunctionProto, faults: &mut Vec<Diagnostic>) {
    let classes = classes(bootstrap, faults);
    for (node, class) in bootstrap.node.iter_mut().zip(classes) {
        if let Some(class) = class {
            node.set_metadata(keys::HOME_CLASS_KEY, class);
        }
    }
}

fn classes(bootstrap: &FunctionProto, faults: &mut Vec<Diagnostic>) -> Vec<Option<String>> {
    let slots: FxHashMap<u32, &str> = slot_rows(bootstrap).map(|row| (row.slot, row.class)).collect();
    let index = FunctionIndex::new(bootstrap);
    let staged = staged(bootstrap);
    let mut homes: Vec<Option<&str>> = Vec::with_capacity(bootstrap.node.len());
    for (at, node) in index.nodes() {
        let makers = index.inputs(at).iter().flatten().filter_map(|value| index.producer(*value));
        let read = makers.filter_map(|maker| homes.get(maker.at()).copied().flatten());
        let given = node.input.iter().filter_map(|input| staged.get(input.as_str()).copied());
        let served = components(node).into_iter().filter_map(|slot| slots.get(&slot).copied());
        let here: BTreeSet<&str> = read.chain(given).chain(served).chain(node.metadata(keys::HOME_CLASS_KEY)).collect();
        if here.len() > 1 {
            let all = here.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(" and ");
            let text = format!("in a bootstrap nothing gets from one class to another, and this is about {all}");
            faults.push(at_node(node, "BB0901", text));
        }
        if here.is_empty() && node.input.iter().any(|input| input == names::START) {
            faults.push(at_node(node, "BB0901", "nothing says on which class this runs: a bootstrap starts on each"));
        }
        homes.push(here.first().copied());
    }
    homes.into_iter().map(|home| home.map(str::to_owned)).collect()
}

/// The class of every value that is staged.
pub fn staged(bootstrap: &FunctionProto) -> FxHashMap<&str, &str> {
    let inputs: FxHashSet<&str> = bootstrap.input.iter().map(String::as_str).collect();
    let infos = bootstrap.value_info.iter().filter(|info| inputs.contains(info.name()));
    infos.filter_map(|info| Some((info.name(), info.metadata(keys::HOME_CLASS_KEY)?))).collect()
}

/// The slots of the components that a node is about.
fn components(node: &NodeProto) -> Vec<u32> {
    let handed = node.metadata(keys::SLOT_MAP_KEY).and_then(parse_slot_map).unwrap_or_default();
    node.metadata_number(keys::SLOT_ID_KEY).into_iter().chain(handed.into_values()).collect()
}
