//! Writes a placement onto the root, and puts what lives anywhere to where it is used.

use super::places::PlaceIx;
use super::walk::{Placement, Site};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::views::Metadata;
use bb_ir::{keys, names};

/// Stamps the root's nodes and values and writes the table of places.
pub fn settle(model: &mut ModelProto, placement: &Placement) {
    let root = std::mem::take(&mut model.functions[0]);
    let index = FunctionIndex::new(&root);
    let settled = Settled { homes: homes(&index, placement), index, placement };
    placement.places.write(model, |anchor| settled.index.name(anchor).to_owned());
    let (node, value_info) = (settled.nodes(), settled.infos());
    model.functions[0] = FunctionProto { node, value_info, ..root };
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

struct Settled<'a> {
    index: FunctionIndex<'a>,
    placement: &'a Placement,
    homes: Vec<Vec<PlaceIx>>,
}

impl Settled<'_> {
    /// The nodes, one for each of their places; what nobody reads anywhere is gone.
    fn nodes(&self) -> Vec<NodeProto> {
        let mut nodes = Vec::with_capacity(self.index.function().node.len());
        for (at, node) in self.index.nodes() {
            for (n, place) in self.homes[at.at()].iter().enumerate() {
                nodes.push(self.at_place(at, node, n, *place));
            }
        }
        nodes
    }

    fn at_place(&self, at: NodeIx, node: &NodeProto, n: usize, place: PlaceIx) -> NodeProto {
        let mut node = node.clone();
        for (name, value) in node.input.iter_mut().zip(self.index.inputs(at)) {
            let maker = value.and_then(|value| self.index.producer(value));
            let Some(maker) = maker.filter(|maker| self.placement.nodes[maker.at()] == Site::Anywhere) else {
                continue;
            };
            let copy = self.homes[maker.at()].binary_search(&place).expect("what is read here has a copy here");
            *name = copy_name(name, copy);
        }
        if n > 0 {
            node.name = Some(copy_name(node.name(), n));
            for output in &mut node.output {
                *output = copy_name(output, n);
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

    fn infos(&self) -> Vec<ValueInfoProto> {
        let mut infos = Vec::with_capacity(self.index.values());
        for i in 0..self.index.values() {
            let value = ValueIx::new(i);
            let Some(info) = self.index.info(value) else { continue };
            let mut info = info.clone();
            if let Some(class) = &self.placement.peer_classes[i] {
                info.set_metadata(keys::PEER_CLASS_KEY, &**class);
            }
            let copies = self.index.producer(value).map_or(1, |at| self.homes[at.at()].len());
            for n in 0..copies {
                infos.push(ValueInfoProto { name: Some(copy_name(info.name(), n)), ..info.clone() });
            }
        }
        infos
    }
}

/// The first copy keeps its name.
fn copy_name(name: &str, n: usize) -> String {
    if n == 0 { name.to_owned() } else { names::copy(name, n) }
}
