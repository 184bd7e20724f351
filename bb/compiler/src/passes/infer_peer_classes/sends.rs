//! Wires: where they lead, and which may lead nowhere.

use super::places::{Kind, PlaceIx};
use super::refusals;
use super::walk::{Site, Target, Walk};
use crate::index::{NodeIx, ValueIx};
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::read_wire_id;

impl Walk<'_> {
    pub(super) fn send(&mut self, at: NodeIx, node: &NodeProto) {
        let inputs = self.inputs(at);
        let wire = read_wire_id(node).expect("validate requires a wire id");
        let data: Vec<Option<ValueIx>> = self.index.data_inputs(at).to_vec();
        let peer = data.last().copied().flatten().expect("validate requires a destination");
        let mut from = self.meet_values(node, &inputs, node.metadata_number(keys::LANE_KEY));
        if from == Site::Anywhere {
            // Nothing but constants, and to the origin: the call itself sends it.
            from = Site::At(PlaceIx::ENTRY, None);
        }
        let to = match from {
            Site::At(place, lane) => self.destination(node, peer, place, lane),
            Site::Anywhere | Site::Told => None,
        };
        self.give(at, from);
        let outputs = self.index.outputs(at).to_vec();
        let (Site::At(from, _), Some(to)) = (from, to) else {
            for value in outputs.into_iter().flatten() {
                self.sites[value.at()] = Site::Told;
            }
            return;
        };
        self.arrives.insert(at, to);
        let lane = (self.places.get(from).kind == Kind::Each && self.places.get(to).kind == Kind::One).then_some(wire);
        if lane.is_some() {
            self.cohort_of_lane.insert(wire, from);
        }
        let payloads = data.len() - 1;
        for (i, value) in outputs.into_iter().enumerate().take(payloads + 1) {
            let Some(value) = value else { continue };
            self.sites[value.at()] = Site::At(to, lane);
            self.via[value.at()] = Some(at);
            if i == payloads {
                self.targets[value.at()] = Some(Target::Place(from));
                self.peer_classes[value.at()] = Some(self.places.get(from).class.clone());
            } else if let Some((payload, target)) =
                data[i].and_then(|payload| Some((payload, self.targets[payload.at()]?)))
            {
                self.same_peer(payload, value, target);
                // One peer per lane is no longer the one peer it was.
                if lane.is_some() && matches!(target, Target::Anchor(anchor) if self.made_per_member(anchor)) {
                    self.anchor_here(value);
                }
            }
        }
    }

    pub(super) fn made_per_member(&self, anchor: ValueIx) -> bool {
        matches!(self.sites[anchor.at()], Site::At(place, lane)
            if lane.is_some() || self.places.get(place).kind == Kind::Each)
    }

    /// The place a Send arrives at, or what is wrong with it.
    pub(super) fn destination(
        &mut self,
        node: &NodeProto,
        peer: ValueIx,
        from: PlaceIx,
        lane: Option<u64>,
    ) -> Option<PlaceIx> {
        let kind = self.kind_of_peer(peer);
        let (Some(target), Some(kind)) = (self.targets[peer.at()], kind) else {
            self.faults.push(refusals::unknown_class(node));
            return None;
        };
        let each = self.places.get(from).kind == Kind::Each;
        if kind == Kind::Each && (each || lane.is_some()) {
            self.faults.push(refusals::cohort_in_cohort(node));
            return None;
        }
        let to = match (target, self.peer_classes[peer.at()].clone()) {
            (Target::Place(place), _) => place,
            (Target::Anchor(anchor), Some(class)) => {
                if each && !self.made_per_member(anchor) || !each && lane.is_none() {
                    self.places.named_by(anchor, kind, &class)
                } else {
                    self.faults.push(if each { refusals::third_place(node) } else { refusals::out_of_lane(node) });
                    return None;
                }
            }
            (Target::Anchor(_), None) => {
                self.faults.push(refusals::unknown_class(node));
                return None;
            }
        };
        let there = self.places.get(to).kind;
        match lane {
            // A reply: to the members this lane is one of.
            Some(lane) if self.cohort_of_lane.get(&lane) != Some(&to) => {
                self.faults.push(refusals::out_of_lane(node));
                return None;
            }
            Some(_) => {}
            None if each && !self.openers.contains(&(to, from)) => {
                self.faults.push(refusals::third_place(node));
                return None;
            }
            None if there == Kind::Each => {
                self.openers.insert((from, to));
            }
            None => {}
        }
        Some(to)
    }
}
