//! Looks whether the runtime can construct all that serves: slots are bound, and what components need is there, all the way
//! down.
//!
//! *Needs* `resolve_component_dependencies`. *Makes* nothing. *Keeps* everything.

use crate::bindings::{BindingSpec, Served};
use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::passes::resolve_component_dependencies::{dependencies, how_to_give};
use bb_ir::component::DependencyDecl;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::views::Metadata;
use bb_ir::{keys, ops};
use std::collections::BTreeSet;

const PASS: &str = "validate_all_slots_bound";

/// Who asks for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotSource {
    /// A role op, by its method.
    Op(String),
    /// A component, by its name and type, which needs it.
    Dependency {
        /// What the program calls the component.
        component: String,
        /// Its type.
        of: &'static str,
    },
}

/// A slot that nothing can be constructed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnboundSlot {
    /// The slot.
    pub slot: String,
    /// The role it has to play.
    pub role: String,
    /// Who asks for it, the op first.
    pub chain: Vec<SlotSource>,
}

/// Refuses what the runtime could not construct.
pub fn validate_all_slots_bound(partitions: &[Partition], bindings: &BindingSpec) -> Result<(), PassError> {
    let mut faults = Vec::new();
    let mut slots = BTreeSet::new();
    for partition in partitions {
        let nodes = || partition.model.functions.iter().flat_map(|f| &f.node);
        let served = Served::of(partition.main(), nodes(), bindings);
        let mut walk = Walk { served: &served, class: &partition.class, done: BTreeSet::new(), faults: &mut faults };
        nodes().for_each(|node| walk.op(node));
        slots.extend(served.iter().map(|(name, service)| (name.to_owned(), service.role.clone())));
    }
    faults.extend(bindings.bound().filter_map(|(slot, component)| unknown(partitions, &slots, slot, component.role)));
    PassError::unless(PASS, faults, ())
}

/// What is said to be bound to a slot that no class has.
fn unknown(partitions: &[Partition], slots: &BTreeSet<(String, String)>, slot: &str, role: &str) -> Option<Diagnostic> {
    if slots.contains(&(slot.to_owned(), role.to_owned())) {
        return None;
    }
    let program = partitions.first()?.model.metadata(keys::PROGRAM_NAME_KEY)?;
    let has: Vec<String> = slots.iter().map(|(slot, role)| format!("`{slot}`, a `{role}`")).collect();
    let text = format!("`{program}` has no slot `{slot}` for a `{role}`");
    let help = match has.as_slice() {
        [] => "it has none: bind nothing to it".to_owned(),
        has => format!("it has {}", has.join("; ")),
    };
    Some(Diagnostic::new("BB0403", text).in_module(program).help(help))
}

struct Walk<'a, 's> {
    served: &'a Served<'s>,
    class: &'a str,
    /// Components that were looked at.
    done: BTreeSet<String>,
    faults: &'a mut Vec<Diagnostic>,
}

impl Walk<'_, '_> {
    fn op(&mut self, node: &NodeProto) {
        let Some(role) = ops::role_of_domain(node.domain()) else { return };
        match self.served.name_of(node) {
            Some(name) => self.component(node, name, &mut Vec::new()),
            None => {
                let slot = node.metadata(keys::SLOT_ID_KEY).unwrap_or_default().to_owned();
                let chain = vec![SlotSource::Op(node.op_type().to_owned())];
                self.faults.push(UnboundSlot { slot, role: role.to_owned(), chain }.told(node, self.class, None));
            }
        }
    }

    /// What the component needs, and what that needs. `above` are those that need it.
    fn component(&mut self, node: &NodeProto, name: &str, above: &mut Vec<(String, &'static str)>) {
        if let Some(from) = above.iter().position(|(above, _)| above == name) {
            let round: Vec<String> = above[from..].iter().map(|(name, of)| format!("`{name}` (`{of}`)")).collect();
            let text = match round.as_slice() {
                [alone] => format!("{alone} needs itself, so it can never be built"),
                round => format!("{} need each other, so none of them can be built first", round.join(" and ")),
            };
            let help = "take one of the `needs(…)` out: what both use may be a component of its own";
            self.faults.push(at_node(node, "BB0410", text).help(help));
            return;
        }
        if !self.done.insert(name.to_owned()) {
            return;
        }
        let Some(service) = self.served.get(name) else { return };
        let Some(component) = service.component else { return };
        above.push((name.to_owned(), component.ty));
        for needs in dependencies(service) {
            match self.served.get(needs.slot) {
                Some(by) if by.role == needs.role => self.component(node, needs.slot, above),
                _ => {
                    let by = |(component, of): &(String, &'static str)| SlotSource::Dependency {
                        component: component.clone(),
                        of,
                    };
                    let chain = [SlotSource::Op(node.op_type().to_owned())].into_iter().chain(above.iter().map(by));
                    let (slot, role) = (needs.slot.to_owned(), needs.role.to_owned());
                    let unbound = UnboundSlot { slot, role, chain: chain.collect() };
                    self.faults.push(unbound.told(node, self.class, Some(needs)));
                }
            }
        }
        above.pop();
    }
}

impl UnboundSlot {
    fn told(&self, node: &NodeProto, class: &str, needs: Option<&DependencyDecl>) -> Diagnostic {
        let UnboundSlot { slot, role, chain } = self;
        let text = format!("nothing on `{class}` serves `{slot}`, which has to play `{role}`");
        let mut fault = at_node(node, "BB0403", text);
        let mut needs_it = "whose component is";
        for source in chain {
            fault = fault.note(match source {
                SlotSource::Op(method) => format!("it is asked for by `{method}`"),
                SlotSource::Dependency { component, of } => format!("{needs_it} `{component}`, a `{of}`"),
            });
            if matches!(source, SlotSource::Dependency { .. }) {
                needs_it = "which needs";
            }
        }
        match needs {
            Some(needs) => fault.help(how_to_give(needs, class)),
            None => fault.help("give the root module a parameter for it"),
        }
    }
}
