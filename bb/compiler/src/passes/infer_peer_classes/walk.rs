//! One walk over the root, in order: every value's place, lane and target follow from those before it.

use super::places::{Kind, PlaceIx, Places};
use super::refusals;
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use crate::passes::resolve_slots::slot_rows;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata, control_inputs};
use bb_ir::wire_shape::{Gather, is_gather, is_send, read_wire_id};
use bb_ir::{keys, names, ops};
use rustc_hash::{FxHashMap, FxHashSet};

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Site {
    /// A constant, `origin`, and what follows from them alone: wherever it is used.
    Anywhere,
    /// Something has been said about it; it meets everything, so that one mistake stays one.
    Told,
    /// At a place, in a lane or not.
    At(PlaceIx, Option<u64>),
}

/// What a peer value points at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// A place that is known: the sender of a value, or the origin.
    Place(PlaceIx),
    /// The peer or cohort that this value named first.
    Anchor(ValueIx),
}

/// The result: places, and the site of every node.
pub struct Placement {
    /// All places.
    pub places: Places,
    /// By node.
    pub nodes: Vec<Site>,
    /// The place a Send arrives at.
    pub arrives: FxHashMap<NodeIx, PlaceIx>,
    /// The class of peer values, where the walk knows it.
    pub peer_classes: Vec<Option<String>>,
}

/// Places the root of `model`; `None` where it has no entry, which is a fault.
pub fn place(model: &ModelProto, faults: &mut Vec<Diagnostic>) -> Option<Placement> {
    let root = model.functions.first().expect("validate requires a root");
    let entry = entry_class(root, faults)?;
    let index = FunctionIndex::new(root);
    let callees = model.functions.iter().map(|f| (FunctionKey::of_function(f), f)).collect();
    let mut walk = Walk {
        root,
        callees,
        forwards: FxHashMap::default(),
        slot_classes: slot_rows(root).map(|row| (row.slot, row.class.to_owned())).collect(),
        places: Places::starting_at(entry),
        sites: vec![Site::Anywhere; index.values()],
        targets: vec![None; index.values()],
        via: vec![None; index.values()],
        openers: FxHashSet::default(),
        cohort_of_lane: FxHashMap::default(),
        nodes: vec![Site::Anywhere; root.node.len()],
        arrives: FxHashMap::default(),
        peer_classes: (0..index.values()).map(|i| declared_class(&index, ValueIx::new(i))).collect(),
        index,
        faults,
    };
    walk.run();
    let Walk { places, nodes, arrives, peer_classes, .. } = walk;
    Some(Placement { places, nodes, arrives, peer_classes })
}

fn declared_class(index: &FunctionIndex<'_>, value: ValueIx) -> Option<String> {
    index.info(value)?.metadata(keys::PEER_CLASS_KEY).map(str::to_owned)
}

/// The one class all value inputs live on.
fn entry_class(root: &FunctionProto, faults: &mut Vec<Diagnostic>) -> Option<String> {
    let name = root.name();
    let start = root.input.first().is_some_and(|first| first == names::START);
    let inputs: FxHashSet<&str> = root.input.iter().skip(usize::from(start)).map(String::as_str).collect();
    let mut homes = Vec::new();
    for info in root.value_info.iter().filter(|info| inputs.contains(info.name())) {
        match info.metadata(keys::HOME_CLASS_KEY) {
            Some(class) => homes.push((class, info.metadata(keys::PLACE_KEY).unwrap_or("one"))),
            None => faults.push(
                Diagnostic::new("BB0901", format!("nothing says where the input `{}` lives", info.name()))
                    .in_module(name),
            ),
        }
    }
    match homes.first() {
        None if faults.is_empty() => {
            let text = format!("nothing says where a call of `{name}` starts");
            let help = "give it an input: `On<C, ()>` where it is only started";
            faults.push(Diagnostic::new("BB0901", text).in_module(name).help(help));
            None
        }
        None => None,
        Some((class, kind)) => {
            if *kind == "one" && homes.iter().all(|home| home == &homes[0]) {
                return Some((*class).to_owned());
            }
            let text = format!("`{name}` is a fragment: its inputs do not all live on one peer, so nobody can call it");
            faults.push(Diagnostic::new("BB0901", text).in_module(name).help("call it from another module"));
            None
        }
    }
}

struct Walk<'a> {
    root: &'a FunctionProto,
    callees: FxHashMap<FunctionKey, &'a FunctionProto>,
    /// By callee: which input each output is, where it only hands it through.
    forwards: FxHashMap<FunctionKey, Vec<Option<usize>>>,
    slot_classes: FxHashMap<u32, String>,
    index: FunctionIndex<'a>,
    places: Places,
    sites: Vec<Site>,
    targets: Vec<Option<Target>>,
    /// The Send that brought a value, or what it was made from, to its place.
    via: Vec<Option<NodeIx>>,
    /// (place, cohort's place): who has sent to a cohort.
    openers: FxHashSet<(PlaceIx, PlaceIx)>,
    /// The cohort a lane is part of: lanes of two wires of one cohort are the same lanes.
    cohort_of_lane: FxHashMap<u64, PlaceIx>,
    nodes: Vec<Site>,
    arrives: FxHashMap<NodeIx, PlaceIx>,
    peer_classes: Vec<Option<String>>,
    faults: &'a mut Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        for name in &self.root.input {
            if let Some(value) = self.index.value(name) {
                self.sites[value.at()] = Site::At(PlaceIx::ENTRY, None);
                self.anchor_here(value);
            }
        }
        for at in (0..self.root.node.len()).map(NodeIx::new) {
            let node = self.index.node(at);
            if is_send(node) {
                self.send(at, node);
            } else {
                let site = self.meet(at, node);
                let site = self.check_start(at, node, site);
                let site = if is_gather(node) { self.gather(node, site) } else { site };
                self.give(at, site);
                self.trace(at, node);
            }
        }
    }

    fn kind_of_peer(&self, value: ValueIx) -> Option<Kind> {
        match self.index.value_type(value)? {
            ValueType::Seq(of) if *of == ValueType::peer() => Some(Kind::Each),
            of if of == ValueType::peer() => Some(Kind::One),
            _ => None,
        }
    }

    fn anchor_here(&mut self, value: ValueIx) {
        if self.kind_of_peer(value).is_some() {
            self.targets[value.at()] = Some(Target::Anchor(value));
        }
    }

    fn inputs(&self, at: NodeIx) -> Vec<ValueIx> {
        self.index.inputs(at).iter().copied().flatten().collect()
    }

    fn give(&mut self, at: NodeIx, site: Site) {
        self.nodes[at.at()] = site;
        let via = self.inputs(at).iter().find_map(|v| self.via[v.at()]);
        for value in self.index.outputs(at).iter().copied().flatten() {
            self.sites[value.at()] = site;
            self.via[value.at()] = via;
        }
    }

    /// Where a node runs: all its inputs have to agree.
    fn meet(&mut self, at: NodeIx, node: &NodeProto) -> Site {
        let inputs = self.inputs(at);
        let recorded = node.metadata_number::<u64>(keys::LANE_KEY);
        self.meet_values(node, &inputs, if is_gather(node) { None } else { recorded })
    }

    fn meet_values(&mut self, node: &NodeProto, inputs: &[ValueIx], recorded: Option<u64>) -> Site {
        let placed = inputs.iter().filter_map(|value| match self.sites[value.at()] {
            Site::At(place, lane) => Some((*value, place, lane)),
            Site::Anywhere | Site::Told => None,
        });
        let placed: Vec<_> = placed.collect();
        let told = inputs.iter().any(|value| self.sites[value.at()] == Site::Told);
        let Some((first, place, _)) = placed.first().copied() else {
            return if told { Site::Told } else { Site::Anywhere };
        };
        if let Some((other, elsewhere, _)) = placed.iter().find(|(_, other, _)| *other != place).copied() {
            let via = |value: ValueIx| self.via[value.at()].map(|send| self.index.node(send));
            let sides = [(place, via(first)), (elsewhere, via(other))];
            self.faults.push(refusals::two_places(node, &self.places, sides));
            return Site::Told;
        }
        let mut lane = recorded;
        for other in placed.iter().filter_map(|(_, _, lane)| *lane) {
            match lane {
                None => lane = Some(other),
                Some(lane) if self.cohort_of_lane.get(&lane) == self.cohort_of_lane.get(&other) => {}
                Some(_) => {
                    self.faults.push(refusals::across_lanes(node));
                    return Site::Told;
                }
            }
        }
        if told { Site::Told } else { Site::At(place, lane) }
    }

    /// A gather reads values of its wire's lanes and stands outside of them.
    fn gather(&mut self, node: &NodeProto, site: Site) -> Site {
        let Site::At(place, lane) = site else { return site };
        let closes = node.metadata_number::<u64>(keys::LANE_KEY);
        let cohort = |lane: Option<u64>| lane.and_then(|lane| self.cohort_of_lane.get(&lane));
        if lane.is_some() && cohort(lane) != cohort(closes) {
            self.faults.push(refusals::across_lanes(node));
            return Site::Told;
        }
        Site::At(place, None)
    }

    /// An op that only waits for `graph` runs where the call starts, and that is where its component has to be.
    fn check_start(&mut self, at: NodeIx, node: &NodeProto, site: Site) -> Site {
        let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY) else { return site };
        let (Some(class), Site::At(place, _)) = (self.slot_classes.get(&slot), site) else { return site };
        let here = &self.places.get(place).class;
        if here == class {
            return site;
        }
        let control = control_inputs(node) > 0;
        let starts = control && self.index.inputs(at).last().copied().flatten() == self.index.value(names::START);
        self.faults.push(if starts {
            refusals::starts_elsewhere(node, self.root.name(), here, class)
        } else {
            refusals::after_elsewhere(node, class, here)
        });
        Site::Told
    }

    /// Follows peer values through what only hands them on; everything else makes new ones.
    fn trace(&mut self, at: NodeIx, node: &NodeProto) {
        if node.domain() == ops::SYSCALL_DOMAIN && node.op_type() == ops::SYSCALL_ORIGIN {
            return self.origin(at, node);
        }
        if let Some(gather) = Gather::cast(node) {
            self.members(at, gather);
        }
        let handed_on: Vec<Option<usize>> = match (node.domain(), node.op_type()) {
            (ops::ONNX_DOMAIN, "Identity") | (ops::SYSCALL_DOMAIN, ops::SYSCALL_PASS_THROUGH) => vec![Some(0)],
            (ops::MODULE_DOMAIN, _) => self.forwards(FunctionKey::of_node(node)),
            _ => Vec::new(),
        };
        for (i, output) in self.index.outputs(at).to_vec().into_iter().enumerate() {
            let Some(output) = output else { continue };
            let from = handed_on.get(i).copied().flatten().and_then(|from| self.index.inputs(at)[from]);
            match from.and_then(|from| Some((from, self.targets[from.at()]?))) {
                Some((from, target)) => self.same_peer(from, output, target),
                None => self.anchor_here(output),
            }
        }
    }

    fn same_peer(&mut self, from: ValueIx, to: ValueIx, target: Target) {
        self.targets[to.at()] = Some(target);
        if self.peer_classes[to.at()].is_none() {
            self.peer_classes[to.at()] = self.peer_classes[from.at()].clone();
        }
    }

    fn origin(&mut self, at: NodeIx, node: &NodeProto) {
        let entry = self.places.get(PlaceIx::ENTRY).class.clone();
        for value in self.index.outputs(at).iter().copied().flatten() {
            if let Some(asked) = self.peer_classes[value.at()].as_deref().filter(|asked| *asked != entry) {
                self.faults.push(refusals::wrong_origin(node, self.root.name(), &entry, asked));
            }
            self.targets[value.at()] = Some(Target::Place(PlaceIx::ENTRY));
            self.peer_classes[value.at()] = Some(entry.clone());
        }
    }

    /// Who answered is of the class of the cohort.
    fn members(&mut self, at: NodeIx, gather: Gather<'_>) {
        let members = self.index.outputs(at).get(gather.values().len()).copied().flatten();
        let cohort = gather.lane().and_then(|lane| self.cohort_of_lane.get(&lane));
        if let (Some(members), Some(cohort)) = (members, cohort) {
            self.peer_classes[members.at()] = Some(self.places.get(*cohort).class.clone());
        }
    }

    /// Which input each output of a called module is, where it hands one through.
    fn forwards(&mut self, key: FunctionKey) -> Vec<Option<usize>> {
        if let Some(known) = self.forwards.get(&key) {
            return known.clone();
        }
        let found = match self.callees.get(&key).copied() {
            None => Vec::new(),
            Some(callee) => {
                let index = FunctionIndex::new(callee);
                let mut from: Vec<Option<usize>> = (0..callee.input.len()).map(Some).collect();
                from.resize(index.values(), None);
                for (at, node) in index.nodes() {
                    let through = match (node.domain(), node.op_type()) {
                        (ops::ONNX_DOMAIN, "Identity") => vec![Some(0)],
                        (ops::MODULE_DOMAIN, _) => self.forwards(FunctionKey::of_node(node)),
                        _ => Vec::new(),
                    };
                    for (output, input) in index.outputs(at).iter().zip(through) {
                        let input = input.and_then(|i| index.inputs(at).get(i).copied().flatten());
                        if let (Some(output), Some(input)) = (output, input) {
                            from[output.at()] = from[input.at()];
                        }
                    }
                }
                callee.output.iter().map(|name| index.value(name).and_then(|v| from[v.at()])).collect()
            }
        };
        self.forwards.insert(key, found.clone());
        found
    }

    fn send(&mut self, at: NodeIx, node: &NodeProto) {
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

    fn made_per_member(&self, anchor: ValueIx) -> bool {
        matches!(self.sites[anchor.at()], Site::At(place, lane)
            if lane.is_some() || self.places.get(place).kind == Kind::Each)
    }

    /// The place a Send arrives at, or what is wrong with it.
    fn destination(&mut self, node: &NodeProto, peer: ValueIx, from: PlaceIx, lane: Option<u64>) -> Option<PlaceIx> {
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
