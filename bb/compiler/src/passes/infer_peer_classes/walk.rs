//! One walk over the root, in order: every value's place, lane and target follow from those before it.

use super::places::{Kind, PlaceIx, Places};
use super::{refusals, targets};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use crate::parallel;
use crate::passes::inline_for_partition::callees_first;
use crate::passes::resolve_slots::{concrete_rows, slot_rows};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata, control_inputs};
use bb_ir::wire_shape::{is_gather, is_send};
use bb_ir::{keys, names, weights};
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
pub(super) enum Target {
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

/// Places the root of `model`, and numbers its values; `None` where it has no entry, which is a fault.
pub fn place<'m>(model: &'m ModelProto, faults: &mut Vec<Diagnostic>) -> Option<(Placement, FunctionIndex<'m>)> {
    let root = model.functions.first().expect("validate requires a root");
    let entry = entry_class(model, root, faults)?;
    let index = parallel::index(root);
    let callees_first = match callees_first(model) {
        Ok(order) => order,
        Err(recursion) => {
            faults.extend(recursion.faults);
            return None;
        }
    };
    let mut walk = Walk {
        root,
        forwards: targets::forwards(model, &callees_first),
        named_classes: concrete_rows(root).map(|row| (row.name.to_owned(), row.class.to_owned())).collect(),
        slot_classes: slot_rows(root).map(|row| (row.slot, row.class.to_owned())).collect(),
        places: Places::starting_at(entry),
        sites: vec![Site::Anywhere; index.values()],
        targets: vec![None; index.values()],
        via: vec![None; index.values()],
        openers: FxHashSet::default(),
        cohort_of_lane: FxHashMap::default(),
        nodes: vec![Site::Anywhere; root.node.len()],
        arrives: FxHashMap::default(),
        weights: weights::names(model),
        peer_classes: (0..index.values()).map(|i| declared_class(&index, ValueIx::new(i))).collect(),
        index,
        faults: Vec::new(),
    };
    walk.run();
    let Walk { places, nodes, arrives, peer_classes, index, faults: found, .. } = walk;
    faults.extend(found);
    Some((Placement { places, nodes, arrives, peer_classes }, index))
}

fn declared_class(index: &FunctionIndex<'_>, value: ValueIx) -> Option<String> {
    index.info(value)?.metadata(keys::PEER_CLASS_KEY).map(str::to_owned)
}

/// The one class all value inputs live on.
fn entry_class(model: &ModelProto, root: &FunctionProto, faults: &mut Vec<Diagnostic>) -> Option<String> {
    let name = root.name();
    let inputs: FxHashSet<&str> = weights::arguments(model, root).map(String::as_str).collect();
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

pub(super) struct Walk<'a> {
    pub(super) root: &'a FunctionProto,
    /// By callee: which input each output is, where it only hands it through.
    pub(super) forwards: FxHashMap<FunctionKey, Vec<Option<usize>>>,
    pub(super) named_classes: FxHashMap<String, String>,
    pub(super) slot_classes: FxHashMap<u32, String>,
    pub(super) index: FunctionIndex<'a>,
    pub(super) places: Places,
    pub(super) sites: Vec<Site>,
    pub(super) targets: Vec<Option<Target>>,
    /// The Send that brought a value, or what it was made from, to its place.
    pub(super) via: Vec<Option<NodeIx>>,
    /// (place, cohort's place): who has sent to a cohort.
    pub(super) openers: FxHashSet<(PlaceIx, PlaceIx)>,
    /// The cohort a lane is part of: lanes of two wires of one cohort are the same lanes.
    pub(super) cohort_of_lane: FxHashMap<u64, PlaceIx>,
    pub(super) nodes: Vec<Site>,
    pub(super) arrives: FxHashMap<NodeIx, PlaceIx>,
    pub(super) peer_classes: Vec<Option<String>>,
    /// Whoever reads one has it.
    pub(super) weights: FxHashSet<&'a str>,
    pub(super) faults: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    pub(super) fn run(&mut self) {
        for name in &self.root.input {
            let placed = !self.weights.contains(name.as_str());
            if let Some(value) = self.index.value(name).filter(|_| placed) {
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

    pub(super) fn kind_of_peer(&self, value: ValueIx) -> Option<Kind> {
        match self.index.value_type(value)? {
            ValueType::Seq(of) if *of == ValueType::peer() => Some(Kind::Each),
            of if of == ValueType::peer() => Some(Kind::One),
            _ => None,
        }
    }

    pub(super) fn anchor_here(&mut self, value: ValueIx) {
        if self.kind_of_peer(value).is_some() {
            self.targets[value.at()] = Some(Target::Anchor(value));
        }
    }

    pub(super) fn inputs(&self, at: NodeIx) -> Vec<ValueIx> {
        self.index.inputs(at).iter().copied().flatten().collect()
    }

    pub(super) fn give(&mut self, at: NodeIx, site: Site) {
        self.nodes[at.at()] = site;
        let via = self.index.inputs(at).iter().flatten().find_map(|v| self.via[v.at()]);
        for value in self.index.outputs(at).iter().copied().flatten() {
            self.sites[value.at()] = site;
            self.via[value.at()] = via;
        }
    }

    /// Where a node runs: all its inputs have to agree.
    pub(super) fn meet(&mut self, at: NodeIx, node: &NodeProto) -> Site {
        let inputs = self.inputs(at);
        let recorded = node.metadata_number::<u64>(keys::LANE_KEY);
        self.meet_values(node, &inputs, if is_gather(node) { None } else { recorded })
    }

    pub(super) fn meet_values(&mut self, node: &NodeProto, inputs: &[ValueIx], recorded: Option<u64>) -> Site {
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
                Some(lane) if lane == other => {}
                Some(_) => {
                    self.faults.push(refusals::across_lanes(node));
                    return Site::Told;
                }
            }
        }
        if told { Site::Told } else { Site::At(place, lane) }
    }

    /// A gather reads values of its wire's lanes and stands outside of them.
    pub(super) fn gather(&mut self, node: &NodeProto, site: Site) -> Site {
        let Site::At(place, lane) = site else { return site };
        let closes = node.metadata_number::<u64>(keys::LANE_KEY);
        if lane.is_some() && lane != closes {
            self.faults.push(refusals::across_lanes(node));
            return Site::Told;
        }
        Site::At(place, None)
    }

    /// An op that only waits for `graph` runs where the call starts, and that is where its component has to be.
    pub(super) fn check_start(&mut self, at: NodeIx, node: &NodeProto, site: Site) -> Site {
        let by_slot = || self.slot_classes.get(&node.metadata_number(keys::SLOT_ID_KEY)?);
        let by_name = node.metadata(keys::INSTANCE_KEY).and_then(|name| self.named_classes.get(name));
        let (Some(class), Site::At(place, _)) = (by_name.or_else(by_slot), site) else { return site };
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
}
