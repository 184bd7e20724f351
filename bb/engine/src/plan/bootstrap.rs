//! The plan of what runs once per start: a place of its own, which no wire leads to.

use super::graph::EntryInput;
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
    /// The components whose methods wait for its end.
    pub touches: BTreeSet<ComponentId>,
    /// What is staged before it begins.
    pub inputs: Vec<EntryInput>,
}

/// The bootstrap of an artifact, if it has one, at the place of that number.
pub(super) fn build(
    loaded: &Loaded,
    kernels: &FxHashMap<(&str, &str), &KernelEntry>,
    components: &Served,
    place: u32,
) -> Result<Option<(Arc<PlacePlan>, BootstrapPlan)>, InstallError> {
    let Some(loaded) = loaded.bootstrap.as_deref() else { return Ok(None) };
    let at = At { loaded, kernels, components, place: 0 };
    let plan = PlacePlan { place, ..at.plan(&loaded.nodes.iter().collect::<Vec<_>>())? };
    let touched = |kind: &NodeKind| match kind {
        NodeKind::Method { component, .. } => Some(*component),
        _ => None,
    };
    let touches = plan.nodes.iter().filter_map(|node| touched(&node.kind)).collect();
    let inputs = super::build::inputs(loaded)?;
    Ok(Some((Arc::new(plan), BootstrapPlan { place, touches, inputs })))
}
