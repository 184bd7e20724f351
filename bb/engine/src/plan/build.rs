//! Building the plan of an artifact: every name becomes a number here, and none is looked up later.

use super::graph::{EntryInput, GraphSlot, Installed, SlotInfo};
use super::{
    Destination, Filler, GatherPlan, LanesIx, LanesPlan, NeedPlan, NodeIx, NodeKind, NodePlan, PlacePlan, RecvIx,
    RecvPlan, SendPlan, SiteIx, SitePlan, Storage, WithinPlan,
};
use crate::error::InstallError;
use crate::input::{ComponentId, GraphId};
use crate::load::Loaded;
use bb_ir::component::KernelEntry;
use bb_ir::digest::site_address;
use bb_ir::keys;
use bb_ir::names::START;
use bb_ir::ops::{ONNX_DOMAIN, SYSCALL_DOMAIN, SYSCALL_ORIGIN, SYSCALL_PASS_THROUGH, WIRE_DOMAIN, role_of_domain};
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::ValueType;
use bb_ir::value::{Dims, RawTensor, Value};
use bb_ir::views::{Attributes, Metadata, control_inputs, data_inputs};
use bb_ir::wire_shape::{Gather, Need, Operand, Recv, Send, Transport, read_wire_transport};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

fn malformed(what: impl Into<String>) -> InstallError {
    InstallError::Malformed(what.into())
}

/// The plan of an artifact, for the engine's next graph, components and sites.
pub fn build(
    loaded: Loaded,
    graph: GraphId,
    first_component: u32,
    first_site: u32,
    kernels: &[KernelEntry],
    bound: &[&str],
) -> Result<(GraphSlot, Installed), InstallError> {
    let slots: Vec<SlotInfo> = loaded
        .slots
        .iter()
        .enumerate()
        .map(|(i, s)| SlotInfo {
            component: ComponentId(first_component + i as u32),
            name: s.name.as_str().into(),
            role: s.role.as_str().into(),
        })
        .collect();
    if let Some(slot) = slots.iter().find(|s| !bound.contains(&&*s.name)) {
        return Err(InstallError::UnboundSlot { slot: slot.name.to_string(), role: slot.role.to_string() });
    }
    let by_id: BTreeMap<u32, ComponentId> =
        loaded.slots.iter().zip(&slots).map(|(loaded, info)| (loaded.id, info.component)).collect();
    let kernels: FxHashMap<(&str, &str), &KernelEntry> = kernels.iter().map(|k| ((k.domain, k.op), k)).collect();

    let mut by_place: BTreeMap<u32, Vec<&NodeProto>> = BTreeMap::new();
    for node in &loaded.nodes {
        let place: u32 = node
            .metadata_number(keys::PLACE_KEY)
            .filter(|p| (*p as usize) < loaded.places.len())
            .ok_or_else(|| malformed(format!("the node `{}` has no place", node.name())))?;
        by_place.entry(place).or_default().push(node);
    }
    let hosts_entry = loaded.places[0].class == loaded.class;
    if hosts_entry {
        by_place.entry(0).or_default();
    }
    let mut places: Vec<Option<Arc<PlacePlan>>> = loaded.places.iter().map(|_| None).collect();
    let mut addresses = FxHashMap::default();
    for (place, nodes) in by_place {
        let at = At { loaded: &loaded, kernels: &kernels, components: &by_id, place };
        let plan = at.plan(&nodes)?;
        for (i, recv) in plan.recvs.iter().enumerate() {
            for (_, address, _) in &recv.payloads {
                if addresses.insert(*address, (place, RecvIx(i as u32))).is_some() {
                    return Err(InstallError::AddressCollision);
                }
            }
        }
        places[place as usize] = Some(Arc::new(plan));
    }

    let mut outputs = Vec::new();
    let mut at_entry = 0;
    for (i, name) in loaded.outputs.iter().enumerate() {
        let holds = |p: &PlacePlan| p.sites.iter().any(|s| s.output == Some(i as u32));
        let place = places.iter().flatten().find(|p| holds(p)).map(|p| p.place);
        let place = place.ok_or_else(|| malformed(format!("nothing writes the output `{name}`")))?;
        let number = (place == 0).then(|| {
            at_entry += 1;
            at_entry - 1
        });
        outputs.push((Arc::<str>::from(name.as_str()), place, number));
    }
    let input = |name: &String| {
        let (ty, class) = loaded.values.get(name).ok_or_else(|| malformed(format!("`{name}` has no type")))?;
        Ok(EntryInput { name: name.as_str().into(), ty: ty.clone(), peer_class: class.as_deref().map(Into::into) })
    };
    let inputs: Vec<EntryInput> =
        if hosts_entry { loaded.inputs.iter().map(input).collect::<Result<_, InstallError>>()? } else { Vec::new() };
    let installed = Installed {
        graph,
        program: loaded.program.as_str().into(),
        class: loaded.class.as_str().into(),
        slots,
        inputs: inputs.clone(),
        outputs: outputs.iter().map(|(name, place, _)| (name.clone(), *place == 0)).collect(),
    };
    let slot = GraphSlot {
        id: graph,
        program: installed.program.clone(),
        class: installed.class.clone(),
        digest: loaded.digest,
        wires: loaded.wires,
        places,
        inputs,
        outputs,
        addresses,
        first_site,
    };
    Ok((slot, installed))
}

struct At<'a> {
    loaded: &'a Loaded,
    kernels: &'a FxHashMap<(&'a str, &'a str), &'a KernelEntry>,
    components: &'a BTreeMap<u32, ComponentId>,
    place: u32,
}

/// The sites of a place while it is being built.
#[derive(Default)]
struct Sites<'a> {
    plans: Vec<SitePlan>,
    by_name: FxHashMap<&'a str, SiteIx>,
}

impl<'a> Sites<'a> {
    fn add(&mut self, name: &'a str, ty: ValueType, storage: Storage) -> Result<SiteIx, InstallError> {
        let ix = SiteIx(self.plans.len() as u32);
        if self.by_name.insert(name, ix).is_some() {
            return Err(malformed(format!("two nodes write `{name}`")));
        }
        self.plans.push(SitePlan { name: name.into(), ty, storage, output: None });
        Ok(ix)
    }
    fn get(&self, name: &str) -> Result<SiteIx, InstallError> {
        self.by_name.get(name).copied().ok_or_else(|| malformed(format!("nothing at its place writes `{name}`")))
    }
}

impl<'a> At<'a> {
    fn plan(&self, nodes: &[&'a NodeProto]) -> Result<PlacePlan, InstallError> {
        let mut sites = Sites::default();
        let start = sites.add(START, ValueType::Trigger, Storage::Frame)?;
        let mut inputs = Vec::new();
        if self.place == 0 {
            for name in &self.loaded.inputs {
                inputs.push(sites.add(name, self.ty(name)?, Storage::Frame)?);
            }
        }
        let mut recvs = Vec::new();
        let mut lanes: Vec<LanesPlan> = Vec::new();
        let mut lanes_of_wire: FxHashMap<u64, LanesIx> = FxHashMap::default();
        // Lanes first: nodes in them need their number.
        for node in nodes.iter().filter(|n| bb_ir::wire_shape::is_recv(n)) {
            let recv = Recv::cast(node).ok_or_else(|| self.bad(node, "it is no Recv"))?;
            let wire = recv.wire_id().ok_or_else(|| self.bad(node, "it has no wire"))?;
            let own = node.metadata_number::<u64>(keys::LANE_KEY) == Some(wire);
            let ix = RecvIx(recvs.len() as u32);
            let lane = own.then(|| {
                let lane = LanesIx(lanes.len() as u32);
                lanes_of_wire.insert(wire, lane);
                lanes.push(LanesPlan {
                    recv: ix,
                    cohort: start,
                    sites: Vec::new(),
                    nodes: Vec::new(),
                    gathers: Vec::new(),
                    awaits: Vec::new(),
                });
                lane
            });
            let mut payloads = Vec::new();
            for (i, name) in recv.values().iter().enumerate() {
                let ty = self.ty(name)?;
                let hash = ty.hash();
                let site = self.site(&mut sites, &mut lanes, name, ty, lane)?;
                payloads.push((site, site_address(&self.loaded.digest, wire, i as u32), hash));
            }
            let sender = self.site(&mut sites, &mut lanes, recv.sender(), ValueType::peer(), lane)?;
            let awaits = self.awaits(node)?;
            if let Some(lane) = lane {
                lanes[lane.0 as usize].awaits = awaits.clone();
            }
            let from_place: u32 = self.number(node, keys::FROM_PLACE_KEY)?;
            let from =
                self.loaded.places.get(from_place as usize).ok_or_else(|| self.bad(node, "it leaves no place"))?;
            recvs.push((
                from_place,
                RecvPlan {
                    name: node.name().into(),
                    wire,
                    payloads,
                    sender,
                    trigger_only: read_wire_transport(node) == Some(Transport::TriggerOnly),
                    from_class: from.class.as_str().into(),
                    filler: Filler::Member,
                    lanes: lane,
                    awaits,
                },
            ));
        }
        // Sites of nodes.
        let mut constants = Vec::new();
        let mut origins = Vec::new();
        let mut running: Vec<(&NodeProto, Option<LanesIx>)> = Vec::new();
        for node in nodes.iter().copied().filter(|n| !bb_ir::wire_shape::is_recv(n)) {
            let constant = node.domain() == ONNX_DOMAIN && node.op_type() == "Constant";
            let origin = node.domain() == SYSCALL_DOMAIN && node.op_type() == SYSCALL_ORIGIN;
            if constant || origin {
                let name = node.output.first().ok_or_else(|| self.bad(node, "it has no output"))?;
                let ty = self.ty(name)?;
                let site = sites.add(name, ty.clone(), Storage::Frame)?;
                if constant {
                    constants
                        .push((site, constant_value(node, &ty).ok_or_else(|| self.bad(node, "its value is none"))?));
                } else {
                    origins.push(site);
                }
                continue;
            }
            let lane: Option<u64> = node.metadata_number(keys::LANE_KEY);
            // A Gather closes lanes and runs outside of them.
            let lane = lane.filter(|_| !bb_ir::wire_shape::is_gather(node));
            let lane = match lane {
                Some(wire) => Some(*lanes_of_wire.get(&wire).ok_or_else(|| self.bad(node, "its lane is not here"))?),
                None => None,
            };
            for name in node.output.iter().filter(|n| !n.is_empty()) {
                // Nobody reads a Send's handle.
                let ty = if node.domain() == WIRE_DOMAIN && bb_ir::wire_shape::is_send(node) {
                    ValueType::Trigger
                } else {
                    self.ty(name)?
                };
                self.site(&mut sites, &mut lanes, name, ty, lane)?;
            }
            running.push((node, lane));
        }
        // Nodes.
        let mut plans = Vec::new();
        for (node, lane) in running {
            let ix = NodeIx(plans.len() as u32);
            let plan = self.node(node, lane, ix, &sites, &mut lanes, &lanes_of_wire)?;
            plans.push(plan);
        }
        self.cohorts(&mut lanes, &recvs, &plans)?;
        let recvs = self.fillers(recvs, &sites);

        for (i, output) in self.loaded.outputs.iter().enumerate() {
            if let Some(site) = sites.by_name.get(output.as_str()) {
                sites.plans[site.0 as usize].output = Some(i as u32);
            }
        }
        let (first_consumer, consumers) = successors(sites.plans.len(), &plans);
        last_uses(&mut plans, &sites.plans, &first_consumer, &consumers, &lanes);
        let sources = (0..plans.len() as u32).map(NodeIx).filter(|n| plans[n.0 as usize].pending == 0).collect();
        let pending = plans.iter().map(|n| n.pending).collect();
        Ok(PlacePlan {
            place: self.place,
            each: self.loaded.places[self.place as usize].each,
            sites: sites.plans,
            nodes: plans,
            consumers,
            first_consumer,
            recvs,
            lanes,
            constants,
            origins,
            start: Some(start),
            inputs,
            sources,
            pending,
        })
    }

    fn ty(&self, name: &str) -> Result<ValueType, InstallError> {
        let info = self.loaded.values.get(name).ok_or_else(|| malformed(format!("the value `{name}` has no type")))?;
        Ok(info.0.clone())
    }
    fn bad(&self, node: &NodeProto, reason: impl Into<String>) -> InstallError {
        InstallError::BadNode { node: node.name().to_owned(), reason: reason.into() }
    }
    fn number<N: std::str::FromStr>(&self, node: &NodeProto, key: &str) -> Result<N, InstallError> {
        node.metadata_number(key).ok_or_else(|| self.bad(node, format!("`{key}` is not there")))
    }
    fn awaits(&self, node: &NodeProto) -> Result<Vec<u64>, InstallError> {
        let text = node.metadata(keys::AWAITS_KEY).unwrap_or_default();
        let ids = text.split(',').filter(|i| !i.is_empty()).map(str::parse);
        ids.collect::<Result<_, _>>().map_err(|_| self.bad(node, "what it awaits are no wires"))
    }
    fn site(
        &self,
        sites: &mut Sites<'a>,
        lanes: &mut [LanesPlan],
        name: &'a str,
        ty: ValueType,
        lane: Option<LanesIx>,
    ) -> Result<SiteIx, InstallError> {
        match lane {
            None => sites.add(name, ty, Storage::Frame),
            Some(lane) => {
                let plan = &mut lanes[lane.0 as usize];
                let site = sites.add(name, ty, Storage::Lanes(lane, plan.sites.len() as u32))?;
                plan.sites.push(site);
                Ok(site)
            }
        }
    }

    fn node(
        &self,
        node: &NodeProto,
        lane: Option<LanesIx>,
        ix: NodeIx,
        sites: &Sites<'a>,
        lanes: &mut [LanesPlan],
        lanes_of_wire: &FxHashMap<u64, LanesIx>,
    ) -> Result<NodePlan, InstallError> {
        let data = data_inputs(node);
        let optional = |name: &String| if name.is_empty() { Ok(None) } else { sites.get(name).map(Some) };
        let inputs: Vec<Option<SiteIx>> = data.iter().map(optional).collect::<Result<_, _>>()?;
        let kind = self.kind(node, ix, sites, lanes, lanes_of_wire)?;
        let mut waits_for: Vec<SiteIx> = Vec::new();
        let gathered = if let NodeKind::Gather(g) = &kind { g.values.len() } else { 0 };
        let control = node.input[node.input.len() - control_inputs(node)..].iter().map(optional);
        let control = control.collect::<Result<Vec<_>, _>>()?;
        // A Gather does not wait for what it gathers: its lanes tell it.
        for site in inputs.iter().skip(gathered).chain(&control).flatten() {
            if !waits_for.contains(site) {
                waits_for.push(*site);
            }
        }
        let foreign = |s: &SiteIx| match sites.plans[s.0 as usize].storage {
            Storage::Frame => false,
            Storage::Lanes(of, _) => Some(of) != lane,
        };
        if waits_for.iter().any(foreign) {
            return Err(self.bad(node, "it reads a value of lanes it does not run in"));
        }
        let outputs = node.output.iter().filter(|o| !o.is_empty()).map(|o| sites.get(o)).collect::<Result<_, _>>()?;
        let lanes = lane.map(|lane| {
            let plan = &mut lanes[lane.0 as usize];
            plan.nodes.push(ix);
            (lane, plan.nodes.len() as u32 - 1)
        });
        Ok(NodePlan {
            name: node.name().into(),
            kind,
            moves: vec![false; inputs.len()],
            inputs,
            outputs,
            pending: waits_for.len() as u32,
            waits_for,
            lanes,
        })
    }

    fn kind(
        &self,
        node: &NodeProto,
        ix: NodeIx,
        sites: &Sites<'a>,
        lanes: &mut [LanesPlan],
        lanes_of_wire: &FxHashMap<u64, LanesIx>,
    ) -> Result<NodeKind, InstallError> {
        if bb_ir::wire_shape::is_send(node) {
            return self.send(node, sites).map(NodeKind::Send);
        }
        if bb_ir::wire_shape::is_gather(node) {
            return self.gather(node, ix, sites, lanes, lanes_of_wire).map(NodeKind::Gather);
        }
        let pass = (node.domain() == SYSCALL_DOMAIN && node.op_type() == SYSCALL_PASS_THROUGH)
            || (node.domain() == ONNX_DOMAIN && node.op_type() == "Identity");
        if pass {
            return Ok(NodeKind::Pass);
        }
        if role_of_domain(node.domain()).is_some() {
            let slot: u32 = self.number(node, keys::SLOT_ID_KEY)?;
            let component =
                self.components.get(&slot).ok_or_else(|| self.bad(node, "its slot is not in the binding table"))?;
            return Ok(NodeKind::Method { component: *component, method: node.op_type().into() });
        }
        match self.kernels.get(&(node.domain(), node.op_type())) {
            Some(entry) => {
                let kernel = (entry.build)(node).map_err(|e| self.bad(node, e.0))?;
                Ok(NodeKind::Kernel(kernel))
            }
            None => Err(InstallError::UnknownOp {
                domain: node.domain().into(),
                op: node.op_type().into(),
                help: if node.domain() == ONNX_DOMAIN {
                    "add `bb-components` to the dependencies and write `use bb_components as _;`"
                } else {
                    "link the crate whose `#[bb::op]` it is"
                },
            }),
        }
    }

    fn send(&self, node: &NodeProto, sites: &Sites<'a>) -> Result<SendPlan, InstallError> {
        let send = Send::cast(node).ok_or_else(|| self.bad(node, "it is no Send"))?;
        let wire = send.wire_id().ok_or_else(|| self.bad(node, "it has no wire"))?;
        let to_place: u32 = self.number(node, keys::TO_PLACE_KEY)?;
        let to = self.loaded.places.get(to_place as usize).ok_or_else(|| self.bad(node, "it arrives at no place"))?;
        let mut payloads = Vec::new();
        for (i, name) in send.payloads().iter().enumerate() {
            let address = send.destination(i).ok_or_else(|| self.bad(node, "it has no destination"))?;
            payloads.push((sites.get(name)?, address, self.ty(name)?.hash()));
        }
        let peer = match (send.peer(), send.static_peer()) {
            (Some(name), _) => Destination::Site(sites.get(name)?),
            (None, Some(peer)) => Destination::Static(peer),
            (None, None) => return Err(self.bad(node, "it has no peer")),
        };
        let cohort = match &peer {
            Destination::Site(site) => matches!(sites.plans[site.0 as usize].ty, ValueType::Seq(_)),
            Destination::Static(_) => false,
        };
        Ok(SendPlan {
            wire,
            to_place,
            to_each: to.each && cohort,
            payloads,
            trigger_only: read_wire_transport(node) == Some(Transport::TriggerOnly),
            peer,
            deadline_ns: send.deadline_ns(),
        })
    }

    fn gather(
        &self,
        node: &NodeProto,
        ix: NodeIx,
        sites: &Sites<'a>,
        lanes: &mut [LanesPlan],
        lanes_of_wire: &FxHashMap<u64, LanesIx>,
    ) -> Result<GatherPlan, InstallError> {
        let gather = Gather::cast(node).ok_or_else(|| self.bad(node, "it is no Gather"))?;
        let lane =
            gather.lane().and_then(|w| lanes_of_wire.get(&w)).ok_or_else(|| self.bad(node, "its wire is not here"))?;
        let mut values = Vec::new();
        for name in gather.values() {
            match sites.plans[sites.get(name)?.0 as usize].storage {
                Storage::Lanes(of, number) if of == *lane => values.push(number),
                _ => return Err(self.bad(node, format!("`{name}` is no value of its lanes"))),
            }
        }
        let need = match gather.need() {
            Need::All => NeedPlan::All,
            Need::Count(Operand::Constant(n)) => NeedPlan::Count(n),
            Need::First(Operand::Constant(n)) => NeedPlan::First(n),
            Need::Fraction(Operand::Constant(f)) => NeedPlan::Fraction(millionths(f).unwrap_or(u64::MAX)),
            Need::Count(Operand::Value(v)) => NeedPlan::CountOf(sites.get(v)?),
            Need::First(Operand::Value(v)) => NeedPlan::FirstOf(sites.get(v)?),
            Need::Fraction(Operand::Value(v)) => NeedPlan::FractionOf(sites.get(v)?),
        };
        let within = match gather.within_ns() {
            None => WithinPlan::Never,
            Some(Operand::Constant(ns)) => WithinPlan::Constant(ns),
            Some(Operand::Value(v)) => WithinPlan::Of(sites.get(v)?),
        };
        let plan = &mut lanes[lane.0 as usize];
        plan.gathers.push(ix);
        Ok(GatherPlan { lanes: *lane, values, need, within, number: plan.gathers.len() as u32 - 1 })
    }

    /// The cohort of each wire that comes home: what the Sends from here to its place are sent to.
    fn cohorts(
        &self,
        lanes: &mut [LanesPlan],
        recvs: &[(u32, RecvPlan)],
        plans: &[NodePlan],
    ) -> Result<(), InstallError> {
        for lane in lanes {
            let (from, recv) = &recvs[lane.recv.0 as usize];
            let opens = |plan: &NodePlan| match &plan.kind {
                NodeKind::Send(SendPlan { to_place, to_each: true, peer: Destination::Site(site), .. })
                    if to_place == from =>
                {
                    Some(*site)
                }
                _ => None,
            };
            let cohort = plans.iter().find_map(opens);
            lane.cohort = cohort
                .ok_or_else(|| malformed(format!("`{}` comes from a cohort that nothing here opens", recv.name)))?;
        }
        Ok(())
    }

    /// Who may fill each Recv (SEMANTICS 1.6).
    fn fillers(&self, recvs: Vec<(u32, RecvPlan)>, sites: &Sites<'a>) -> Vec<RecvPlan> {
        let mut by_place: BTreeMap<u32, Vec<RecvIx>> = BTreeMap::new();
        for (i, (from, recv)) in recvs.iter().enumerate() {
            if recv.lanes.is_none() {
                by_place.entry(*from).or_default().push(RecvIx(i as u32));
            }
        }
        recvs
            .into_iter()
            .map(|(from, mut recv)| {
                let place = &self.loaded.places[from as usize];
                let named = sites.by_name.get(place.anchor.as_str()).filter(|_| !place.each && from != 0);
                recv.filler = match (recv.lanes, from, named) {
                    (Some(_), ..) => Filler::Member,
                    (None, 0, _) => Filler::Origin,
                    (None, _, Some(site)) => Filler::Named(*site),
                    (None, _, None) => Filler::Same(by_place.get(&from).cloned().unwrap_or_default()),
                };
                recv
            })
            .collect()
    }
}

/// A fraction in millionths; none outside (0, 1].
pub fn millionths(fraction: f32) -> Option<u64> {
    let rounded = (f64::from(fraction) * 1e6).round();
    (fraction > 0.0 && fraction <= 1.0 && rounded >= 1.0).then_some(rounded as u64)
}

/// What a Constant holds, as a value of the type that is declared for it.
fn constant_value(node: &NodeProto, ty: &ValueType) -> Option<Value> {
    let proto = node.attr_tensor("value")?;
    let element = bb_ir::types::ElementKind::from_onnx(proto.data_type())?;
    let sizes: Vec<u64> = proto.dims.iter().map(|d| u64::try_from(*d).ok()).collect::<Option<_>>()?;
    let tensor = RawTensor::new(element, Dims::new(&sizes)?, proto.raw_data.clone()?)?;
    Some(match ty {
        ValueType::Trigger => Value::Trigger,
        ValueType::Denoted(_) => Value::Bytes(tensor.to_bytes()),
        _ => Value::Tensor(tensor),
    })
}

/// Per site, the nodes that wait for it, in compressed rows.
fn successors(sites: usize, nodes: &[NodePlan]) -> (Vec<u32>, Vec<NodeIx>) {
    let mut first = vec![0u32; sites + 1];
    for site in nodes.iter().flat_map(|n| &n.waits_for) {
        first[site.0 as usize + 1] += 1;
    }
    for i in 0..sites {
        first[i + 1] += first[i];
    }
    let mut next = first.clone();
    let mut all = vec![NodeIx(0); first[sites] as usize];
    for (i, node) in nodes.iter().enumerate() {
        for site in &node.waits_for {
            let at = &mut next[site.0 as usize];
            all[*at as usize] = NodeIx(i as u32);
            *at += 1;
        }
    }
    (first, all)
}

/// A value moves to its reader where that is the only one, and reads it once, and nobody else keeps it.
fn last_uses(nodes: &mut [NodePlan], sites: &[SitePlan], first: &[u32], consumers: &[NodeIx], lanes: &[LanesPlan]) {
    let mut kept: FxHashSet<SiteIx> = lanes.iter().map(|l| l.cohort).collect();
    for lane in lanes {
        for gather in &lane.gathers {
            if let NodeKind::Gather(g) = &nodes[gather.0 as usize].kind {
                kept.extend(g.values.iter().map(|v| lane.sites[*v as usize]));
            }
        }
    }
    for node in nodes {
        let in_lane = node.lanes.is_some();
        for i in 0..node.inputs.len() {
            let Some(site) = node.inputs[i] else { continue };
            let s = site.0 as usize;
            let readers = &consumers[first[s] as usize..first[s + 1] as usize];
            let once = node.inputs.iter().filter(|o| **o == Some(site)).count() == 1;
            // A value of the frame is read by every lane.
            let shared = in_lane && sites[s].storage == Storage::Frame;
            let read_again = matches!(node.kind, NodeKind::Send(_) | NodeKind::Gather(_));
            node.moves[i] = readers.len() == 1
                && once
                && !shared
                && !read_again
                && !kept.contains(&site)
                && sites[s].output.is_none();
        }
    }
}
