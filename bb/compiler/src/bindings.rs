//! What a compilation knows of components. None of it crosses into artifacts: these say which slots there are.

use bb_ir::bindings::{Serving, parse_binding_value};
use bb_ir::component::ComponentDecl;
use bb_ir::keys;
use bb_ir::ops::role_of_domain;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::views::Metadata;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The types of components a program names, and those that will be bound to its slots, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingSpec {
    types: BTreeMap<&'static str, ComponentDecl>,
    slots: BTreeMap<String, ComponentDecl>,
}

impl BindingSpec {
    /// With what this type says of itself.
    pub fn declare(mut self, component: ComponentDecl) -> Self {
        self.types.insert(component.ty, component);
        self
    }
    /// With a component of this type in a slot of the root module.
    pub fn bind(mut self, slot: impl Into<String>, component: ComponentDecl) -> Self {
        self.slots.insert(slot.into(), component);
        self
    }
    /// What is bound to slots, by their names.
    pub fn bound(&self) -> impl Iterator<Item = (&str, &ComponentDecl)> {
        self.slots.iter().map(|(slot, component)| (slot.as_str(), component))
    }
    /// Whether any component says what its tensors of any element hold.
    pub(crate) fn has_elements(&self) -> bool {
        self.types.values().chain(self.slots.values()).any(|component| component.element.is_some())
    }
    /// What a row of the table stands for.
    fn component(&self, name: &str, concrete: Option<&str>) -> Option<&ComponentDecl> {
        match concrete {
            Some(of) => self.types.get(of),
            None => self.slots.get(name),
        }
    }
    /// The component that an op of a concrete type runs on.
    pub(crate) fn concrete(&self, node: &NodeProto) -> Option<&ComponentDecl> {
        self.types.get(node.metadata(keys::CONCRETE_TYPE_KEY)?)
    }
}

/// What can serve ops and dependencies in a function whose rows of the binding table are its own.
pub(crate) struct Served<'s> {
    by_name: BTreeMap<String, Service<'s>>,
    slots: FxHashMap<u32, String>,
}

/// A slot, or a component that the program names.
pub(crate) struct Service<'s> {
    /// The class it is on.
    pub class: String,
    /// Its role.
    pub role: String,
    /// How artifacts name it.
    pub serving: Serving,
    /// What is known of the component.
    pub component: Option<&'s ComponentDecl>,
}

impl<'s> Served<'s> {
    /// Of the rows on `function`, and of the components that its nodes name.
    pub fn of<'f>(
        function: &FunctionProto,
        nodes: impl Iterator<Item = &'f NodeProto>,
        bindings: &'s BindingSpec,
    ) -> Self {
        let mut served = Served { by_name: BTreeMap::new(), slots: FxHashMap::default() };
        for (key, row) in function.metadata_under(keys::BINDING_KEY_PREFIX) {
            let Some(((class, name), row)) = key.split_once('.').zip(parse_binding_value(row)) else { continue };
            let serving = row.slot.map_or_else(|| Serving::Instance(name.to_owned()), Serving::Slot);
            served.slots.extend(row.slot.map(|slot| (slot, name.to_owned())));
            let component = bindings.component(name, row.concrete.as_deref());
            let service = Service { class: class.to_owned(), role: row.role, serving, component };
            served.by_name.insert(name.to_owned(), service);
        }
        // IR from elsewhere may name a component on its ops alone.
        for node in nodes {
            let Some((instance, role)) = node.metadata(keys::INSTANCE_KEY).zip(role_of_domain(node.domain())) else {
                continue;
            };
            served.by_name.entry(instance.to_owned()).or_insert_with(|| Service {
                class: node.metadata(keys::HOME_CLASS_KEY).unwrap_or_default().to_owned(),
                role: role.to_owned(),
                serving: Serving::Instance(instance.to_owned()),
                component: bindings.concrete(node),
            });
        }
        served
    }

    /// What serves under that name.
    pub fn get(&self, name: &str) -> Option<&Service<'s>> {
        self.by_name.get(name)
    }
    /// Everything that serves, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Service<'s>)> {
        self.by_name.iter().map(|(name, service)| (name.as_str(), service))
    }
    /// The name of what serves an op.
    pub fn name_of<'a>(&'a self, node: &'a NodeProto) -> Option<&'a str> {
        let slot = || self.slots.get(&node.metadata_number(keys::SLOT_ID_KEY)?).map(String::as_str);
        node.metadata(keys::INSTANCE_KEY).or_else(slot)
    }
}
