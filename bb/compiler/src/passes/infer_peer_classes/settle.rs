//! Writes a placement onto the root, and puts what lives anywhere to where it is used.

use super::places::PlaceIx;
use super::walk::{Placement, Site};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::proto::onnx::{ModelProto, NodeProto, ValueInfoProto};
use bb_ir::views::Metadata;
use bb_ir::{keys, names};
use rustc_hash::FxHashMap;

/// Stamps the root's nodes and values and writes the table of places.
pub fn settle(model: &mut ModelProto, placement: &Placement) {
    let mut root = std::mem::take(&mut model.functions[0]);
    let index = FunctionIndex::new(&root);
    placement.places.write(model, |anchor| index.name(anchor).to_owned());
    let settled = Settled::of(&index, placement);
    root.node = settled.nodes(std::mem::take(&mut root.node));
    root.value_info = settled.infos(std::mem::take(&mut root.value_info));
    model.functions[0] = root;
}

/// Every node's places: its own one, or those of all that read it, sorted.
fn homes(index: &FunctionIndex<'_>, placement: &Placement) -> Vec<Vec<PlaceIx>> {
    let mut homes: Vec<Vec<PlaceIx>> = vec![Vec::new(); placement.nodes.len()];
    let anywhere = |value: ValueIx| index.producer(value).filter(|at| placement.nodes[at.at()] == Site::Anywhere);
    for value in index.function_outputs() {
        if let Some(at) = anywhere(value) {
            homes[at.at()].push(PlaceIx::ENTRY);
        }
    }
    for at in (0..homes.len()).rev().map(NodeIx::new) {
        let mut here = std::mem::take(&mut homes[at.at()]);
        if let Site::At(place, _) = placement.nodes[at.at()] {
            here.push(place);
        }
        here.sort_unstable();
        here.dedup();
        for value in index.inputs(at).iter().copied().flatten() {
            if let Some(maker) = anywhere(value) {
                homes[maker.at()].extend(&here);
            }
        }
        homes[at.at()] = here;
    }
    homes
}

/// What is read off the index, before the root's nodes and infos are taken from it.
struct Settled<'a> {
    placement: &'a Placement,
    homes: Vec<Vec<PlaceIx>>,
    /// What a node reads of another copy than the first: by node and copy, which input, and its name there.
    others: FxHashMap<(NodeIx, usize), Vec<(usize, String)>>,
    /// Of values that are declared, in order: where, and by how many nodes each is made.
    declared: Vec<(ValueIx, usize, usize)>,
}

impl<'a> Settled<'a> {
    fn of(index: &FunctionIndex<'_>, placement: &'a Placement) -> Self {
        let homes = homes(index, placement);
        let mut others: FxHashMap<(NodeIx, usize), Vec<(usize, String)>> = FxHashMap::default();
        for (at, node) in index.nodes() {
            for (i, value) in index.inputs(at).iter().enumerate() {
                let maker = value.and_then(|value| index.producer(value));
                let Some(maker) = maker.filter(|maker| placement.nodes[maker.at()] == Site::Anywhere) else { continue };
                for (n, place) in homes[at.at()].iter().enumerate() {
                    let copy = homes[maker.at()].binary_search(place).expect("what is read here has a copy here");
                    if copy > 0 {
                        others.entry((at, n)).or_default().push((i, names::copy(&node.input[i], copy)));
                    }
                }
            }
        }
        let mut declared = vec![None; index.values()];
        for (position, info) in index.function().value_info.iter().enumerate() {
            if let Some(value) = index.value(info.name()) {
                let copies = index.producer(value).map_or(1, |at| homes[at.at()].len());
                declared[value.at()] = Some((value, position, copies));
            }
        }
        Settled { placement, homes, others, declared: declared.into_iter().flatten().collect() }
    }

    /// The nodes, one for each of their places; what nobody reads anywhere is gone.
    fn nodes(&self, all: Vec<NodeProto>) -> Vec<NodeProto> {
        let mut nodes = Vec::with_capacity(all.len());
        for (i, node) in all.into_iter().enumerate() {
            let at = NodeIx::new(i);
            let Some((last, before)) = self.homes[i].split_last() else { continue };
            for (n, place) in before.iter().enumerate() {
                nodes.push(self.at_place(at, node.clone(), n, *place));
            }
            nodes.push(self.at_place(at, node, before.len(), *last));
        }
        nodes
    }

    fn at_place(&self, at: NodeIx, mut node: NodeProto, n: usize, place: PlaceIx) -> NodeProto {
        for (input, name) in self.others.get(&(at, n)).into_iter().flatten() {
            node.input[*input].clone_from(name);
        }
        if n > 0 {
            node.name = Some(names::copy(node.name(), n));
            for output in &mut node.output {
                *output = names::copy(output, n);
            }
        }
        node.set_metadata(keys::HOME_CLASS_KEY, &*self.placement.places.get(place).class);
        node.set_metadata(keys::PLACE_KEY, place.0.to_string());
        if let Some(to) = self.placement.arrives.get(&at) {
            node.set_metadata(keys::FROM_PLACE_KEY, place.0.to_string());
            node.set_metadata(keys::TO_PLACE_KEY, to.0.to_string());
        }
        if let Site::At(_, Some(lane)) = self.placement.nodes[at.at()] {
            node.set_metadata(keys::LANE_KEY, lane.to_string());
        }
        node
    }

    fn infos(&self, mut all: Vec<ValueInfoProto>) -> Vec<ValueInfoProto> {
        let mut infos = Vec::with_capacity(self.declared.len());
        for (value, position, copies) in &self.declared {
            let mut info = std::mem::take(&mut all[*position]);
            if let Some(class) = &self.placement.peer_classes[value.at()] {
                info.set_metadata(keys::PEER_CLASS_KEY, &**class);
            }
            let others = 1..*copies;
            let others = others.map(|n| ValueInfoProto { name: Some(names::copy(info.name(), n)), ..info.clone() });
            let others: Vec<ValueInfoProto> = others.collect();
            infos.extend((*copies > 0).then_some(info).into_iter().chain(others));
        }
        infos
    }
}
