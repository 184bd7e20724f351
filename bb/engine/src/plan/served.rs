//! Which component serves an op: a slot's by its number, one that the program names by its instance.

use super::graph::SlotInfo;
use crate::error::InstallError;
use crate::input::{Bound, ComponentId};
use crate::load::Slot;
use bb_ir::keys;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use std::collections::BTreeMap;

/// The components of an artifact.
pub struct Served {
    by_slot: BTreeMap<u32, ComponentId>,
    by_instance: BTreeMap<String, ComponentId>,
}

impl Served {
    pub fn of<'a>(slots: impl Iterator<Item = (&'a Slot, &'a SlotInfo)>) -> Self {
        let mut served = Served { by_slot: BTreeMap::new(), by_instance: BTreeMap::new() };
        for (slot, info) in slots {
            match slot.id {
                Some(id) => _ = served.by_slot.insert(id, info.component),
                None => _ = served.by_instance.insert(slot.name.clone(), info.component),
            }
        }
        served
    }

    /// The component whose method that role op is.
    pub fn by(&self, node: &NodeProto) -> Option<ComponentId> {
        match node.metadata(keys::INSTANCE_KEY) {
            Some(instance) => self.by_instance.get(instance).copied(),
            None => self.by_slot.get(&node.metadata_number(keys::SLOT_ID_KEY)?).copied(),
        }
    }
}

/// Whether the host has a component for the slot, or knows how one is built of the type that the program names.
pub fn is_bound(slot: &SlotInfo, bound: &[Bound<'_>]) -> Result<(), InstallError> {
    if bound.iter().any(|bound| *bound.name == *slot.name) {
        return Ok(());
    }
    let (name, role) = (slot.name.to_string(), slot.role.to_string());
    let Some(component) = slot.concrete.as_deref() else {
        return Err(InstallError::UnboundSlot { slot: name, role });
    };
    match bound.iter().filter(|bound| bound.name == component).count() {
        1 => Ok(()),
        0 => Err(InstallError::UnlinkedComponent { slot: name, component: component.to_owned() }),
        _ => Err(InstallError::AmbiguousComponent { component: component.to_owned() }),
    }
}
