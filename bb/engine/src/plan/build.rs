//! The plan of an artifact: every name becomes a number here, and none is looked up later.

use super::graph::{EntryInput, GraphSlot, Installed, SlotInfo};
use super::place::At;
use super::served::Served;
use super::{PlacePlan, RecvIx};
use crate::error::InstallError;
use crate::input::{Bound, ComponentId, GraphId};
use crate::load::{Loaded, Slot};
use bb_ir::component::KernelEntry;
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn malformed(what: impl Into<String>) -> InstallError {
    InstallError::Malformed(what.into())
}

/// The plan of an artifact, for the engine's next graph, components and sites.
pub fn build(
    loaded: Loaded,
    graph: GraphId,
    first_component: u32,
    first_site: u32,
    kernels: &[KernelEntry],
    bound: &[Bound<'_>],
) -> Result<(GraphSlot, Installed), InstallError> {
    let info = |(i, slot): (u32, &Slot)| {
        let component = ComponentId(first_component + i);
        let concrete = slot.concrete.as_deref().map(Into::into);
        let (name, role) = (slot.name.as_str().into(), slot.role.as_str().into());
        SlotInfo { component, name, role, concrete, needs: Vec::new(), group: component }
    };
    let mut slots: Vec<SlotInfo> = (0..).zip(&loaded.slots).map(info).collect();
    slots.iter().try_for_each(|slot| super::served::is_bound(slot, bound))?;
    super::needs::resolve(&mut slots, bound)?;
    let served = Served::of(loaded.slots.iter().zip(&slots));
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
        let at = At { loaded: &loaded, kernels: &kernels, components: &served, place };
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

    // Behind those of the program, which nobody else knows of.
    let bootstrap = super::bootstrap::build(&loaded, &kernels, (&served, &slots), places.len() as u32)?;
    places.extend(bootstrap.iter().map(|(plan, _)| Some(plan.clone())));

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
    let inputs = if hosts_entry { inputs(&loaded)? } else { Vec::new() };
    let installed = Installed {
        graph,
        program: loaded.program.as_str().into(),
        class: loaded.class.as_str().into(),
        slots,
        inputs: inputs.clone(),
        staged: bootstrap.iter().flat_map(|(_, b)| b.inputs.iter().cloned()).collect(),
        outputs: outputs.iter().map(|(name, place, _)| (name.clone(), *place == 0)).collect(),
    };
    let slot = GraphSlot {
        id: graph,
        program: installed.program.clone(),
        class: installed.class.clone(),
        digest: loaded.digest,
        wires: loaded.wires,
        places,
        classes: loaded.places.iter().map(|p| p.class.as_str().into()).collect(),
        inputs,
        outputs,
        addresses,
        bootstrap: bootstrap.map(|(_, b)| b),
        first_site,
    };
    Ok((slot, installed))
}

/// What is handed in, with its types.
pub(super) fn inputs(loaded: &Loaded) -> Result<Vec<EntryInput>, InstallError> {
    let input = |name: &String| {
        let (ty, class) = loaded.values.get(name).ok_or_else(|| malformed(format!("`{name}` has no type")))?;
        Ok(EntryInput { name: name.as_str().into(), ty: ty.clone(), peer_class: class.as_deref().map(Into::into) })
    };
    loaded.inputs.iter().map(input).collect()
}
