//! Writes a placement onto the root, and puts what lives anywhere to where it is used.

use super::places::PlaceIx;
use super::walk::{Placement, Site};
use crate::index::{FunctionIndex, InfoIx, NodeIx, ValueIx};
use crate::parallel;
use bb_ir::proto::onnx::{ModelProto, NodeProto, ValueInfoProto};
use bb_ir::views::Metadata;
use bb_ir::{keys, names};
use rustc_hash::FxHashMap;

/// What is read off the index, before the root's nodes and infos are taken from it.
pub struct Settled<'a> {
    placement: &'a Placement,
    homes: Homes<'a>,
    /// The rows of the table of places.
    table: Vec<(String, String)>,
    /// What a node reads of another copy than the first: by node and copy, which input, and its name there.
    others: FxHashMap<(NodeIx, usize), Vec<(usize, String)>>,
    /// Of values that are declared, in order: where, and by how many nodes each is made.
    declared: Vec<(ValueIx, InfoIx, usize)>,
}

impl<'a> Settled<'a> {
    /// What there is to write.
    pub fn of(index: &FunctionIndex<'_>, placement: &'a Placement) -> Self {
        let homes = Homes::of(index, placement);
        let mut others: FxHashMap<(NodeIx, usize), Vec<(usize, String)>> = FxHashMap::default();
        for (at, node) in index.nodes() {
            for (i, value) in index.inputs(at).iter().enumerate() {
                let maker = value.and_then(|value| index.producer(value));
                let Some(maker) = maker.filter(|maker| placement.nodes[maker.at()] == Site::Anywhere) else { continue };
                for (n, place) in homes.at(at).iter().enumerate() {
                    let copy = homes.at(maker).binary_search(place).expect("what is read here has a copy here");
                    if copy > 0 {
                        others.entry((at, n)).or_default().push((i, names::copy(&node.input[i], copy)));
                    }
                }
            }
        }
        let values = (0..index.values()).map(ValueIx::new);
        let declared = values.filter_map(|value| {
            let copies = index.producer(value).map_or(1, |at| homes.at(at).len());
            Some((value, index.declared_at(value)?, copies))
        });
        let declared = declared.collect();
        let table = placement.places.rows(|anchor| index.name(anchor).to_owned()).collect();
        Settled { placement, homes, table, others, declared }
    }

    /// Stamps the root's nodes and values and writes the table of places.
    pub fn write(self, model: &mut ModelProto) {
        let root = &mut model.functions[0];
        root.node = self.nodes(std::mem::take(&mut root.node));
        root.value_info = self.infos(std::mem::take(&mut root.value_info));
        model.set_all_metadata(self.table);
    }

    /// The nodes, one for each of their places; what nobody reads anywhere is gone.
    fn nodes(&self, all: Vec<NodeProto>) -> Vec<NodeProto> {
        let mut nodes = Vec::with_capacity(all.len());
        let mut copies: Vec<(NodeIx, usize, PlaceIx)> = Vec::with_capacity(all.len());
        for (i, node) in all.into_iter().enumerate() {
            let at = NodeIx::new(i);
            let places = self.homes.at(at);
            copies.extend((0..).zip(places).map(|(n, place)| (at, n, *place)));
            nodes.extend(std::iter::repeat_n(node, places.len()));
        }
        parallel::each(&mut nodes, |i, node| {
            let (at, n, place) = copies[i];
            self.put_at(at, node, n, place);
        });
        nodes
    }

    /// Makes `node` the copy of the node at `at` with that number, which stands there.
    fn put_at(&self, at: NodeIx, node: &mut NodeProto, n: usize, place: PlaceIx) {
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
    }

    fn infos(&self, mut all: Vec<ValueInfoProto>) -> Vec<ValueInfoProto> {
        let mut infos = Vec::with_capacity(self.declared.len());
        for (value, position, copies) in &self.declared {
            let mut info = std::mem::take(&mut all[position.at()]);
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

/// Where what lives anywhere is used, and where all else is.
struct Homes<'a> {
    placement: &'a Placement,
    /// Of what lives anywhere: the places of all that read it, sorted.
    anywhere: FxHashMap<NodeIx, Vec<PlaceIx>>,
}

impl<'a> Homes<'a> {
    fn of(index: &FunctionIndex<'_>, placement: &'a Placement) -> Self {
        let mut homes = Homes { placement, anywhere: FxHashMap::default() };
        let is_anywhere =
            |value: ValueIx| index.producer(value).filter(|at| placement.nodes[at.at()] == Site::Anywhere);
        for at in index.function_outputs().filter_map(is_anywhere) {
            homes.anywhere.entry(at).or_default().push(PlaceIx::ENTRY);
        }
        for at in (0..placement.nodes.len()).rev().map(NodeIx::new) {
            if let Some(here) = homes.anywhere.get_mut(&at) {
                here.sort_unstable();
                here.dedup();
            }
            for maker in index.inputs(at).iter().copied().flatten().filter_map(is_anywhere) {
                let here = homes.at(at).to_vec();
                homes.anywhere.entry(maker).or_default().extend(here);
            }
        }
        homes
    }

    /// The places of a node.
    fn at(&self, at: NodeIx) -> &[PlaceIx] {
        match &self.placement.nodes[at.at()] {
            Site::At(place, _) => std::slice::from_ref(place),
            Site::Anywhere | Site::Told => self.anywhere.get(&at).map_or(&[], Vec::as_slice),
        }
    }
}
