//! The plan of one place: its sites and lanes, what comes over wires, and who may send it.

use super::build::malformed;
use super::clocks::clocks;
use super::served::Served;
use super::sizes::Names;
use super::uses::{last_uses, plain, senders_read, successors};
use super::{
    Destination, Filler, LanesIx, LanesPlan, NodeIx, NodeKind, NodePlan, PlacePlan, RecvIx, RecvPlan, SendPlan, SiteIx,
    SitePlan, Storage,
};
use crate::error::InstallError;
use crate::load::Loaded;
use bb_ir::component::KernelEntry;
use bb_ir::digest::site_address;
use bb_ir::keys;
use bb_ir::names::START;
use bb_ir::ops::{ONNX_DOMAIN, SYSCALL_DOMAIN, SYSCALL_ORIGIN, WIRE_DOMAIN};
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::ValueType;
use bb_ir::value::{Dims, RawTensor, Value};
use bb_ir::views::{Attributes, Metadata};
use bb_ir::wire_shape::{Recv, Transport, read_wire_transport};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A place while its plan is being built.
pub(super) struct At<'a> {
    pub loaded: &'a Loaded,
    pub kernels: &'a FxHashMap<(&'a str, &'a str), &'a KernelEntry>,
    pub components: &'a Served,
    pub place: u32,
}

/// The sites of a place while it is being built.
#[derive(Default)]
pub(super) struct Sites<'a> {
    pub plans: Vec<SitePlan>,
    names: Names,
    pub by_name: FxHashMap<&'a str, SiteIx>,
}

impl<'a> Sites<'a> {
    fn add(&mut self, name: &'a str, ty: ValueType, storage: Storage) -> Result<SiteIx, InstallError> {
        let ix = SiteIx(self.plans.len() as u32);
        if self.by_name.insert(name, ix).is_some() {
            return Err(malformed(format!("two nodes write `{name}`")));
        }
        let named = self.names.of(&ty);
        let cohort = ty.is_cohort();
        self.plans.push(SitePlan { name: name.into(), ty, cohort, named, storage, output: None });
        Ok(ix)
    }
    pub fn get(&self, name: &str) -> Result<SiteIx, InstallError> {
        self.by_name.get(name).copied().ok_or_else(|| malformed(format!("nothing at its place writes `{name}`")))
    }
}

impl<'a> At<'a> {
    pub fn plan(&self, nodes: &[&'a NodeProto]) -> Result<PlacePlan, InstallError> {
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
                    clock: Vec::new(),
                    starts: 0,
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
            let from_place: u32 = self.number(node, keys::FROM_PLACE_KEY)?;
            let from =
                self.loaded.places.get(from_place as usize).ok_or_else(|| self.bad(node, "it leaves no place"))?;
            recvs.push((
                from_place,
                RecvPlan {
                    source: node.metadata(keys::SOURCE_KEY).map(Into::into),
                    name: node.name().into(),
                    wire,
                    payloads,
                    sender,
                    sender_read: true,
                    trigger_only: read_wire_transport(node) == Some(Transport::TriggerOnly),
                    slot: node.metadata_number(keys::RECV_SLOT_ID_KEY),
                    from_class: from.class.as_str().into(),
                    from_place,
                    filler: Filler::Member,
                    lanes: lane,
                    awaits,
                },
            ));
        }
        // Sites of nodes.
        let mut constants = Vec::new();
        for (name, value) in self.weights_as_values(nodes) {
            constants.push((sites.add(name, self.ty(name)?, Storage::Frame)?, value));
        }
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
        let mut recvs = self.fillers(recvs, &sites);
        let starts = clocks(&mut plans, &mut lanes, &recvs);

        for (i, output) in self.loaded.outputs.iter().enumerate() {
            if let Some(site) = sites.by_name.get(output.as_str()) {
                sites.plans[site.0 as usize].output = Some(i as u32);
            }
        }
        let (first_consumer, consumers) = successors(sites.plans.len(), &plans);
        last_uses(&mut plans, &sites.plans, &first_consumer, &consumers, &lanes, &recvs);
        senders_read(&mut recvs, &sites.plans, &first_consumer);
        plain(&mut plans, &sites.plans, &first_consumer, &consumers, &lanes);
        let all = || (0..plans.len() as u32).map(NodeIx);
        let sources = all().filter(|n| plans[n.0 as usize].pending == 0).collect();
        let sends = all().filter(|n| matches!(plans[n.0 as usize].kind, NodeKind::Send(_))).collect();
        let pending = plans.iter().map(|n| n.pending).collect();
        Ok(PlacePlan {
            place: self.place,
            each: self.loaded.places[self.place as usize].each,
            sites: sites.plans,
            names: sites.names.all,
            nodes: plans,
            consumers,
            first_consumer,
            recvs,
            lanes,
            constants,
            origins,
            start: Some(start),
            inputs,
            starts,
            sends,
            sources,
            pending,
        })
    }

    pub fn ty(&self, name: &str) -> Result<ValueType, InstallError> {
        let info = self.loaded.values.get(name).ok_or_else(|| malformed(format!("the value `{name}` has no type")))?;
        Ok(info.0.clone())
    }
    pub fn bad(&self, node: &NodeProto, reason: impl Into<String>) -> InstallError {
        InstallError::BadNode { node: node.name().to_owned(), reason: reason.into() }
    }
    pub fn number<N: std::str::FromStr>(&self, node: &NodeProto, key: &str) -> Result<N, InstallError> {
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
