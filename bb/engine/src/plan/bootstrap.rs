//! The plan of what runs once per start: a place of its own, which no wire leads to.

use super::graph::{EntryInput, SlotInfo};
use super::place::At;
use super::served::Served;
use super::{NodeKind, PlacePlan};
use crate::error::InstallError;
use crate::input::ComponentId;
use crate::load::Loaded;
use bb_ir::component::KernelEntry;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is to be known of a bootstrap besides its place.
#[derive(Clone, Debug)]
pub struct BootstrapPlan {
    /// Its place, behind those of the program.
    pub place: u32,
    /// The components whose methods wait for its end: those it uses, and all of their groups.
    pub touches: BTreeSet<ComponentId>,
    /// What is staged before it begins.
    pub inputs: Vec<EntryInput>,
}

/// The bootstrap of an artifact, if it has one, at the place of that number.
pub(super) fn build(
    loaded: &Loaded,
    kernels: &FxHashMap<(&str, &str), &KernelEntry>,
    (components, slots): (&Served, &[SlotInfo]),
    place: u32,
) -> Result<Option<(Arc<PlacePlan>, BootstrapPlan)>, InstallError> {
    let Some(loaded) = loaded.bootstrap.as_deref() else { return Ok(None) };
    let at = At { loaded, kernels, components, place: 0 };
    let plan = PlacePlan { place, ..at.plan(&loaded.nodes.iter().collect::<Vec<_>>())? };
    let used = |kind: &NodeKind| match kind {
        NodeKind::Method { component, .. } => slots.iter().find(|slot| slot.component == *component),
        _ => None,
    };
    let groups: BTreeSet<ComponentId> = plan.nodes.iter().filter_map(|n| Some(used(&n.kind)?.group)).collect();
    let touches = slots.iter().filter(|slot| groups.contains(&slot.group)).map(|slot| slot.component).collect();
    let inputs = super::build::inputs(loaded)?;
    Ok(Some((Arc::new(plan), BootstrapPlan { place, touches, inputs })))
}
