//! A copy of every node in a lane for every member of its cohort.
//!
//! A wire to a cohort opens lanes, a Gather closes them, and what reads a value of a lane is in it.

use super::bodies::{bytes, element};
use super::{Main, NoReference, renamed};
use crate::unrolled::Unrolled;
use bb_ir::keys;
use bb_ir::names;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Need, Operand, Send, is_gather, is_send};
use rustc_hash::{FxHashMap, FxHashSet};

/// The root of a placed program without lanes. Every Send has the peer that sends as its last input, a Gather has the
/// lanes of each value one after the other, the senders behind them. What wires bring are outputs too.
pub(super) fn unrolled(program: &ModelProto, members: &Unrolled, caller: &[u8]) -> Result<Main, NoReference> {
    let root = &program.functions[0];
    let mut unroll = Unroll {
        members,
        caller,
        infos: root.value_info.iter().map(|i| (i.name(), i)).collect(),
        places: program.metadata_under(keys::PLACE_TABLE_PREFIX).collect(),
        senders: root.node.iter().filter_map(Send::cast).filter_map(|s| Some((s.wire_id()?, s.sender()?))).collect(),
        lanes: FxHashMap::default(),
        named: FxHashSet::default(),
        brought: Vec::new(),
        made: Main { function: FunctionProto { node: vec![], value_info: vec![], ..root.clone() }, lanes: vec![] },
    };
    for input in &root.input {
        unroll.info(input, input);
    }
    for node in &root.node {
        unroll.node(node)?;
    }
    let Unroll { brought, mut made, .. } = unroll;
    let mut known: FxHashSet<String> = made.function.output.iter().cloned().collect();
    made.function.output.extend(brought.into_iter().filter(|name| known.insert(name.clone())));
    Ok(made)
}

struct Unroll<'a> {
    members: &'a Unrolled,
    caller: &'a [u8],
    infos: FxHashMap<&'a str, &'a ValueInfoProto>,
    /// Rows of the table of places, by number.
    places: FxHashMap<&'a str, &'a str>,
    /// By wire: the value that names who sent it.
    senders: FxHashMap<u64, &'a str>,
    /// In how many lanes a value is, where it is in lanes.
    lanes: FxHashMap<&'a str, usize>,
    /// The values that name a sender and are there by now.
    named: FxHashSet<String>,
    brought: Vec<String>,
    made: Main,
}

impl<'a> Unroll<'a> {
    fn node(&mut self, node: &'a NodeProto) -> Result<(), NoReference> {
        if is_gather(node) {
            return self.gather(node);
        }
        let Some(lanes) = self.lanes_of(node) else { return self.copy(node, 0, 1) };
        self.lanes.extend(node.output.iter().map(|name| (name.as_str(), lanes)));
        (0..lanes).try_for_each(|lane| self.copy(node, lane, lanes))
    }

    fn lanes_of(&self, node: &'a NodeProto) -> Option<usize> {
        let opened = Send::cast(node).and_then(Send::peer).and_then(|to| self.cohort(to));
        opened.or_else(|| node.input.iter().find_map(|name| self.lanes.get(name.as_str()).copied()))
    }
    /// How many members there are in a value that is a cohort.
    fn cohort(&self, value: &str) -> Option<usize> {
        let info = self.infos.get(value)?;
        let of = ValueType::from_proto(info.r#type.as_ref()?)?;
        of.is_cohort().then(|| info.metadata(keys::PEER_CLASS_KEY).map_or(1, |class| self.members.members_of(class)))
    }

    /// `node` as it is in one of so many lanes.
    fn copy(&mut self, node: &'a NodeProto, lane: usize, of: usize) -> Result<(), NoReference> {
        let mut copy = node.clone();
        copy.name = Some(names::lane(node.name(), lane, of));
        for (name, before) in copy.input.iter_mut().zip(&node.input) {
            *name = self.in_lane(before, lane);
        }
        for (name, before) in copy.output.iter_mut().zip(&node.output) {
            *name = names::lane(before, lane, of);
            self.info(before, name);
        }
        if is_send(node) {
            copy.input.push(self.sender(node, lane)?);
            let values = copy.output.len() - 1;
            self.brought.extend(copy.output[..values].iter().cloned());
        }
        self.push(copy, lane);
        Ok(())
    }
    fn in_lane(&self, value: &str, lane: usize) -> String {
        self.lanes.get(value).map_or_else(|| value.to_owned(), |of| names::lane(value, lane, *of))
    }

    /// The value that names the place a Send leaves: the caller, or what anchors the place.
    fn sender(&mut self, send: &NodeProto, lane: usize) -> Result<String, NoReference> {
        let place = send.metadata(keys::FROM_PLACE_KEY).unwrap_or_default();
        let row = self.places.get(place).copied().unwrap_or_default();
        let (name, nodes) = match row.splitn(3, '|').collect::<Vec<_>>()[..] {
            _ if place == "0" => {
                let name = names::caller();
                let node = bytes(self.caller, &name);
                (name, vec![node])
            }
            [_, "one", anchor] => return Ok(self.in_lane(anchor, lane)),
            [_, "each", anchor] => {
                let name = names::member(anchor, lane);
                let nodes = element(anchor, lane, &names::position(&name), &name);
                (name, nodes.into())
            }
            _ => {
                let why = format!("the table of places has no row {place}");
                return Err(NoReference { node: send.name().to_owned(), why });
            }
        };
        if self.named.insert(name.clone()) {
            nodes.into_iter().for_each(|node| self.push(node, 0));
        }
        Ok(name)
    }

    fn gather(&mut self, node: &'a NodeProto) -> Result<(), NoReference> {
        let refused = |why: &str| NoReference { node: node.name().to_owned(), why: why.to_owned() };
        let gather = Gather::cast(node).ok_or_else(|| refused("it is no Gather"))?;
        let sender = gather.lane().and_then(|wire| self.senders.get(&wire)).copied();
        let sender = sender.ok_or_else(|| refused("the wire that it closes is not there"))?;
        let lanes = self.lanes.get(sender).copied().ok_or_else(|| refused("its wire is in no lanes"))?;
        if matches!(gather.need(), Need::First(Operand::Constant(n)) if n < lanes as u64) {
            return Err(refused("which of its lanes come first is not said"));
        }
        let values = gather.values().iter().map(String::as_str).chain([sender]);
        let input = values.flat_map(|value| (0..lanes).map(move |lane| names::lane(value, lane, lanes))).collect();
        node.output.iter().for_each(|name| self.info(name, name));
        self.push(NodeProto { input, ..node.clone() }, 0);
        Ok(())
    }

    fn info(&mut self, of: &str, name: &str) {
        let info = self.infos.get(of).map(|info| renamed(info, name));
        self.made.function.value_info.extend(info);
    }
    fn push(&mut self, node: NodeProto, lane: usize) {
        self.made.function.node.push(node);
        self.made.lanes.push(lane);
    }
}
