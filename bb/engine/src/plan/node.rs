//! The plan of one node: what it is, what it reads and writes, and what it waits for.

use super::place::{At, Sites};
use super::weights::bind;
use super::{
    Destination, GatherPlan, LanesIx, LanesPlan, NeedPlan, NodeIx, NodeKind, NodePlan, SendPlan, SiteIx, Storage,
    Syscall, WithinPlan,
};
use crate::error::InstallError;
use bb_ir::keys;
use bb_ir::ops::{BACKEND_DOMAIN, ONNX_DOMAIN, SYSCALL_DOMAIN, SYSCALL_PASS_THROUGH, role_of_domain};
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::ValueType;
use bb_ir::views::{control_inputs, data_inputs};
use bb_ir::wire_shape::{Gather, Need, Operand, Send, Transport, read_wire_transport};
use rustc_hash::FxHashMap;

impl<'a> At<'a> {
    pub fn node(
        &self,
        node: &NodeProto,
        lane: Option<LanesIx>,
        ix: NodeIx,
        sites: &Sites<'a>,
        lanes: &mut [LanesPlan],
        lanes_of_wire: &FxHashMap<u64, LanesIx>,
    ) -> Result<NodePlan, InstallError> {
        let weights = self.weights(node);
        let handed = |at: usize| weights.iter().all(|(weight, _)| *weight != at);
        let data = data_inputs(node).iter().enumerate().filter(|(at, _)| handed(*at)).map(|(_, name)| name);
        let optional = |name: &String| if name.is_empty() { Ok(None) } else { sites.get(name).map(Some) };
        let inputs: Vec<Option<SiteIx>> = data.map(optional).collect::<Result<_, _>>()?;
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
        // One of its inputs is enough.
        let pending = if let NodeKind::Syscall(Syscall::Any) = &kind { 1 } else { waits_for.len() as u32 };
        Ok(NodePlan {
            name: node.name().into(),
            kind,
            moves: vec![false; inputs.len()],
            inputs,
            outputs,
            pending,
            plain: false,
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
        if let Some(syscall) = self.syscall(node)? {
            return Ok(NodeKind::Syscall(syscall));
        }
        if is_pass(node) {
            return Ok(NodeKind::Pass);
        }
        if role_of_domain(node.domain()).is_some() {
            let component = self.components.by(node);
            let component = component.ok_or_else(|| self.bad(node, "its slot is not in the binding table"))?;
            return Ok(NodeKind::Method { component, method: node.op_type().into() });
        }
        match self.kernels.get(&(node.domain(), node.op_type())) {
            Some(entry) => {
                let kernel = (entry.build)(node).map_err(|e| self.bad(node, e.0))?;
                Ok(NodeKind::Kernel(bind(kernel, self.weights(node))))
            }
            None => Err(InstallError::UnknownOp {
                domain: node.domain().into(),
                op: node.op_type().into(),
                help: if [ONNX_DOMAIN, BACKEND_DOMAIN].contains(&node.domain()) {
                    "add `bb-components` to the dependencies, for operators of models with its feature `tract`, and write `use bb_components as _;`"
                } else {
                    "link the crate whose `#[bb::op]` it is"
                },
            }),
        }
    }

    /// Whether a kernel of those that are linked runs the node.
    pub fn has_kernel(&self, node: &NodeProto) -> bool {
        !is_pass(node) && self.kernels.contains_key(&(node.domain(), node.op_type()))
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
            starts: None,
            clocks: Vec::new(),
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
}

/// Whether it gives what it is given.
fn is_pass(node: &NodeProto) -> bool {
    (node.domain() == SYSCALL_DOMAIN && node.op_type() == SYSCALL_PASS_THROUGH)
        || (node.domain() == ONNX_DOMAIN && node.op_type() == "Identity")
}

/// A fraction in millionths; none outside (0, 1].
pub fn millionths(fraction: f32) -> Option<u64> {
    let rounded = (f64::from(fraction) * 1e6).round();
    (fraction > 0.0 && fraction <= 1.0 && rounded >= 1.0).then_some(rounded as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_rounded_to_millionths_before_it_counts_members() {
        let need = |fraction: f32, members: u64| millionths(fraction).map(|m| (m * members).div_ceil(1_000_000).max(1));
        for (fraction, members, expected) in [
            (0.55, 100, Some(55)),
            (0.75, 8, Some(6)),
            (0.3, 3, Some(1)),
            (0.6, 3, Some(2)),
            (1.0, 7, Some(7)),
            (1e-6, 5, Some(1)),
            (0.0, 5, None),
            (-0.5, 5, None),
            (1.1, 5, None),
            (f32::NAN, 5, None),
        ] {
            assert_eq!(need(fraction, members), expected, "{fraction} of {members}");
        }
    }
}
