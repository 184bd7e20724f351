//! Components that need others: that these are there, and who may not run at the same time.

use super::graph::SlotInfo;
use crate::error::InstallError;
use crate::input::{Bound, ComponentId};
use bb_ir::component::DependencyDecl;
use std::collections::BTreeSet;

/// Says of each slot what its component needs, and of which group it is.
pub fn resolve(slots: &mut [SlotInfo], bound: &[Bound<'_>]) -> Result<(), InstallError> {
    let direct = slots.iter().map(|slot| direct(slot, slots, bound)).collect::<Result<Vec<_>, _>>()?;
    for at in 0..slots.len() {
        let all = all_below(at, slots, &direct)?;
        slots[at].needs = all.iter().map(|below| slots[*below].component).collect();
    }
    for (at, below) in direct.iter().enumerate() {
        for other in below {
            join(slots, at, *other);
        }
    }
    Ok(())
}

/// The slots that serve what the component of this one needs, by their names, as the compiler finds them.
fn direct(slot: &SlotInfo, slots: &[SlotInfo], bound: &[Bound<'_>]) -> Result<Vec<usize>, InstallError> {
    let has = |name: &str| bound.iter().find(|bound| bound.name == name);
    let Some(component) = has(&slot.name).or_else(|| has(slot.concrete.as_deref()?)) else { return Ok(Vec::new()) };
    let serves = |needs: &DependencyDecl| {
        let by = slots.iter().position(|other| *other.name == *needs.slot);
        let role = by.map(|by| &*slots[by].role);
        by.filter(|_| role == Some(needs.role)).ok_or_else(|| InstallError::UnmetNeed {
            slot: slot.name.to_string(),
            needs: needs.slot.to_owned(),
            role: needs.role.to_owned(),
            there: role.map_or_else(|| "nothing".to_owned(), |role| format!("a `{role}`")),
        })
    };
    component.needs.iter().map(serves).collect()
}

/// All that `top` needs, directly and further down.
fn all_below(top: usize, slots: &[SlotInfo], direct: &[Vec<usize>]) -> Result<BTreeSet<usize>, InstallError> {
    let mut all = BTreeSet::new();
    let mut next = direct[top].clone();
    while let Some(at) = next.pop() {
        if at == top {
            return Err(InstallError::NeedsItself { slot: slots[top].name.to_string() });
        }
        if all.insert(at) {
            next.extend(&direct[at]);
        }
    }
    Ok(all)
}

/// Makes one group of two. It is called by its first component.
fn join(slots: &mut [SlotInfo], one: usize, other: usize) {
    let (a, b) = (slots[one].group, slots[other].group);
    let (first, last): (ComponentId, ComponentId) = (a.min(b), a.max(b));
    slots.iter_mut().filter(|slot| slot.group == last).for_each(|slot| slot.group = first);
}
