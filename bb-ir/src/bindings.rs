//! The binding table, and the other keys whose names have parts.
//!
//! Stamping twice changes nothing; a parser answers `None` on a foreign shape.

use crate::keys::{
    BINDING_KEY_PREFIX, DEP_SLOT_KEY_PREFIX, DEST_SUFFIX_ATTR_PREFIX, FRAMEWORK_IR_VERSION_KEY, MODULE_PHASE_BODY,
    MODULE_PHASE_BOOTSTRAP, MODULE_PHASE_KEY,
};
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use crate::version::FRAMEWORK_IR_VERSION;
use crate::views::Metadata;
use std::fmt;

/// One row of the binding table: what serves a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The role: a shipped role's name, or `<crate>.<Trait>`.
    pub role: String,
    /// A concrete component's `TYPE`; none for a generic slot.
    pub concrete: Option<String>,
    /// A generic slot's number.
    pub slot: Option<u32>,
}

fn is_target(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The key of a slot's row; `target` matches `[A-Za-z0-9_]+`.
pub fn binding_key(target: &str, slot: &str) -> String {
    format!("{BINDING_KEY_PREFIX}{target}.{slot}")
}
/// Target and slot of a row's key, split at the first dot behind the prefix.
pub fn parse_binding_key(key: &str) -> Option<(&str, &str)> {
    let (target, slot) = key.strip_prefix(BINDING_KEY_PREFIX)?.split_once('.')?;
    (is_target(target) && !slot.is_empty()).then_some((target, slot))
}
/// A row's value: `<role>||<slot>` of a generic slot, `<role>|<TYPE>|-1` of a concrete component, `<role>|<TYPE>|<slot>`
/// where a slot has both.
pub fn encode_binding_value(role: &str, concrete: Option<&str>, slot: Option<u32>) -> String {
    let slot = slot.map_or_else(|| "-1".to_owned(), |s| s.to_string());
    format!("{role}|{}|{slot}", concrete.unwrap_or_default())
}
/// What a row's value says.
pub fn parse_binding_value(value: &str) -> Option<Binding> {
    let mut parts = value.split('|');
    let (role, concrete, slot) = (parts.next()?, parts.next()?, parts.next()?);
    let slot = if slot == "-1" { None } else { Some(slot.parse().ok()?) };
    let known = !role.is_empty() && parts.next().is_none() && (slot.is_some() || !concrete.is_empty());
    let concrete = (!concrete.is_empty()).then(|| concrete.to_owned());
    known.then(|| Binding { role: role.to_owned(), concrete, slot })
}

/// The key under which a role op names the slot that serves its component's dependency on `role`.
pub fn dep_slot_key(role: &str) -> String {
    format!("{DEP_SLOT_KEY_PREFIX}{role}")
}
/// The role of such a key.
pub fn role_from_dep_slot_key(key: &str) -> Option<&str> {
    key.strip_prefix(DEP_SLOT_KEY_PREFIX).filter(|role| !role.is_empty())
}
/// What serves a dependency: a generic slot by its number, a concrete component by its instance, which begins with a
/// letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Serving {
    /// A generic slot.
    Slot(u32),
    /// An instance of a concrete component.
    Instance(String),
}
impl Serving {
    /// What serves, by its text.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(slot) => Some(Serving::Slot(slot)),
            Err(_) => is_instance(text).then(|| Serving::Instance(text.to_owned())),
        }
    }
}
impl fmt::Display for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Serving::Slot(slot) => write!(f, "{slot}"),
            Serving::Instance(instance) => f.write_str(instance),
        }
    }
}

/// Whether a concrete component may be called that: like a parameter, so that both can be told from a number.
pub fn is_instance(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && is_target(text)
}

/// Writes which slot serves each role that a node's component depends on.
pub fn stamp_dependency_metadata(node: &mut NodeProto, dependencies: &[(&str, Serving)]) {
    for (role, serving) in dependencies {
        node.set_metadata(&dep_slot_key(role), serving.to_string());
    }
}
/// Which slot serves each role that a node's component depends on; entries that do not parse are none.
pub fn read_dependency_metadata(node: &NodeProto) -> Vec<(String, Serving)> {
    let entries = node.metadata_under(DEP_SLOT_KEY_PREFIX);
    entries
        .filter(|(role, _)| !role.is_empty())
        .filter_map(|(role, serving)| Some((role.to_owned(), Serving::parse(serving)?)))
        .collect()
}

/// The attribute that holds a payload's receiving site.
pub fn dest_suffix_attribute(payload: usize) -> String {
    format!("{DEST_SUFFIX_ATTR_PREFIX}{payload}")
}

/// Writes bb's IR version.
pub fn stamp_model_metadata(model: &mut ModelProto) {
    model.set_metadata(FRAMEWORK_IR_VERSION_KEY, FRAMEWORK_IR_VERSION);
}
/// bb's IR version of a model.
pub fn read_model_metadata(model: &ModelProto) -> Option<&str> {
    model.metadata(FRAMEWORK_IR_VERSION_KEY)
}

/// Writes a function's phase: [`MODULE_PHASE_BODY`] or [`MODULE_PHASE_BOOTSTRAP`].
pub fn stamp_function_module_phase(function: &mut FunctionProto, phase: &str) {
    function.set_metadata(MODULE_PHASE_KEY, phase);
}
/// A function's phase, if it is one of the two.
pub fn read_function_module_phase(function: &FunctionProto) -> Option<&str> {
    function.metadata(MODULE_PHASE_KEY).filter(|p| [MODULE_PHASE_BODY, MODULE_PHASE_BOOTSTRAP].contains(p))
}

/// Whether a function runs once per start.
pub fn is_bootstrap(function: &FunctionProto) -> bool {
    function.metadata(MODULE_PHASE_KEY) == Some(MODULE_PHASE_BOOTSTRAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_read_back(target in "[A-Za-z0-9_]{1,12}", slot in "[a-z._]{1,12}", role in "[A-Za-z.]{1,9}", ty in proptest::option::of("[A-Za-z.]{1,9}"), id in proptest::option::of(0u32..99)) {
            let key = binding_key(&target, &slot);
            prop_assert_eq!(parse_binding_key(&key), Some((target.as_str(), slot.as_str())));
            let expected = (ty.is_some() || id.is_some()).then(|| Binding { role: role.clone(), concrete: ty.clone(), slot: id });
            prop_assert_eq!(parse_binding_value(&encode_binding_value(&role, ty.as_deref(), id)), expected);
        }

        #[test]
        fn foreign_text_is_no_row(text in ".{0,40}") {
            prop_assert_eq!(parse_binding_key(&text), None);
            prop_assert_eq!(role_from_dep_slot_key(&text), None);
            if let Some(b) = parse_binding_value(&text) {
                let again = parse_binding_value(&encode_binding_value(&b.role, b.concrete.as_deref(), b.slot));
                prop_assert_eq!(again, Some(b));
            }
        }
    }

    fn slot(number: u32) -> Serving {
        Serving::Slot(number)
    }
    fn named(instance: &str) -> Serving {
        Serving::Instance(instance.to_owned())
    }

    #[test]
    fn an_instance_is_told_from_a_slot() {
        assert_eq!((Serving::parse("7"), Serving::parse("near")), (Some(slot(7)), Some(named("near"))));
        for neither in ["", "7a", "-1", "a.b", "a b", "4294967296"] {
            assert_eq!(Serving::parse(neither), None, "{neither}");
        }
    }

    #[test]
    fn stamping_twice_changes_nothing() {
        let mut node = NodeProto::default();
        for _ in 0..2 {
            stamp_dependency_metadata(&mut node, &[("Backend", slot(3)), ("Index", named("near"))]);
        }
        assert_eq!(
            read_dependency_metadata(&node),
            [("Backend".to_owned(), slot(3)), ("Index".to_owned(), named("near"))]
        );
        let mut function = FunctionProto::default();
        for _ in 0..2 {
            stamp_function_module_phase(&mut function, MODULE_PHASE_BODY);
        }
        assert_eq!(
            (function.metadata_props.len(), read_function_module_phase(&function)),
            (1, Some(MODULE_PHASE_BODY))
        );
        let mut model = ModelProto::default();
        stamp_model_metadata(&mut model);
        assert_eq!(read_model_metadata(&model), Some(FRAMEWORK_IR_VERSION));
        assert_eq!(role_from_dep_slot_key(&dep_slot_key("Index")), Some("Index"));
    }
}
