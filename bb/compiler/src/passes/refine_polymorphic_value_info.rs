//! Says what a component's tensors of any element hold, where its type is known.
//!
//! *Needs* `validate`, and what components declare. *Makes* value infos of role ops narrower. *Keeps* every element
//! type that is there.

use crate::bindings::{BindingSpec, Served};
use crate::error::{PassError, at_node, source_of};
use crate::index::{FunctionIndex, InfoIx, ValueIx};
use crate::passes::resolve_slots::parse_slot_map;
use bb_ir::bindings::{Serving, is_bootstrap};
use bb_ir::component::ComponentDecl;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::views::{FunctionKey, Metadata, data_inputs};
use bb_ir::{keys, ops};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

const PASS: &str = "refine_polymorphic_value_info";

/// Narrows what role ops take and give to the elements of their components.
pub fn refine_polymorphic_value_info(mut model: ModelProto, bindings: &BindingSpec) -> Result<ModelProto, PassError> {
    let mut found = Found::default();
    let mut indices: BTreeMap<usize, FunctionIndex<'_>> = BTreeMap::new();
    for (function, slots) in reached(&model, bindings) {
        let index = &*indices.entry(function).or_insert_with(|| FunctionIndex::new(&model.functions[function]));
        let nodes = model.functions[function].node.iter();
        for (at, node) in nodes.enumerate().filter(|(_, node)| ops::role_of_domain(node.domain()).is_some()) {
            let slot = || slots.get(&node.metadata_number(keys::SLOT_ID_KEY)?).copied();
            let component = bindings.concrete(node).or_else(slot);
            if let Some(component) = component.filter(|component| component.element.is_some()) {
                found.op(index, (function, at), node, component);
            }
        }
    }
    let Found { values, faults } = found;
    let declared =
        |((function, value), by): ((usize, ValueIx), By)| Some((function, indices[&function].declared_at(value)?, by));
    let declared: Vec<(usize, InfoIx, By)> = values.into_iter().filter_map(declared).collect();
    for (function, info, by) in declared {
        let info = &mut model.functions[function].value_info[info.at()];
        let of = info.r#type.as_ref().and_then(ValueType::from_proto);
        info.r#type = of.and_then(|of| narrowed(&of, by.element)).map(|of| of.to_proto()).or(info.r#type.take());
    }
    PassError::unless_but(PASS, faults, model)
}

/// What serves a function's slots, as far as it is known.
type Slots<'s> = BTreeMap<u32, &'s ComponentDecl>;

/// Every function that calls get to, with each of the ways its slots are served.
fn reached<'s>(model: &ModelProto, bindings: &'s BindingSpec) -> Vec<(usize, Slots<'s>)> {
    let positions: FxHashMap<FunctionKey, usize> =
        model.functions.iter().enumerate().map(|(at, f)| (FunctionKey::of_function(f), at)).collect();
    let starts = |(at, f): &(usize, &FunctionProto)| *at == 0 || is_bootstrap(f);
    let starts = model.functions.iter().enumerate().filter(starts);
    let mut reached: Vec<(usize, Slots<'s>)> = starts.map(|(at, f)| (at, of_rows(f, bindings))).collect();
    let mut seen: FxHashSet<(usize, Vec<(u32, &str)>)> = FxHashSet::default();
    let mut next = 0;
    while next < reached.len() {
        let (at, slots) = reached[next].clone();
        next += 1;
        for call in model.functions[at].node.iter().filter(|node| node.domain() == ops::MODULE_DOMAIN) {
            let Some(callee) = positions.get(&FunctionKey::of_node(call)).copied() else { continue };
            let map = call.metadata(keys::SLOT_MAP_KEY).and_then(parse_slot_map).unwrap_or_default();
            let handed = map.iter().filter_map(|(inner, outer)| Some((*inner, *slots.get(outer)?)));
            let handed: Slots<'s> = handed.collect();
            if seen.insert((callee, handed.iter().map(|(slot, component)| (*slot, component.ty)).collect())) {
                reached.push((callee, handed));
            }
        }
    }
    reached
}

fn of_rows<'s>(function: &FunctionProto, bindings: &'s BindingSpec) -> Slots<'s> {
    let served = Served::of(function, [].into_iter(), bindings);
    let slot = |serving: &_| match serving {
        Serving::Slot(slot) => Some(*slot),
        Serving::Instance(_) => None,
    };
    served.iter().filter_map(|(_, service)| Some((slot(&service.serving)?, service.component?))).collect()
}

/// Who said first what a value holds.
struct By {
    element: ElementKind,
    of: &'static str,
    node: (usize, usize),
}

#[derive(Default)]
struct Found {
    values: BTreeMap<(usize, ValueIx), By>,
    faults: Vec<Diagnostic>,
}

impl Found {
    fn op(&mut self, index: &FunctionIndex<'_>, node_at: (usize, usize), node: &NodeProto, component: &ComponentDecl) {
        let Some(element) = component.element else { return };
        let values = data_inputs(node).iter().chain(&node.output).filter_map(|name| index.value(name));
        for value in values.filter(|value| is_open(index, *value)) {
            match self.values.get(&(node_at.0, value)) {
                None => {
                    let by = By { element, of: component.ty, node: node_at };
                    self.values.insert((node_at.0, value), by);
                }
                Some(first) if first.element == element => {}
                Some(first) => {
                    let (one, other) = (first.element.name(), element.name());
                    let text = format!(
                        "a `{}` holds `{one}` and a `{}` holds `{other}`, and this value is of both",
                        first.of, component.ty
                    );
                    let there =
                        (first.node != node_at).then(|| source_of(&index.function().node[first.node.1])).flatten();
                    let help =
                        "convert it in between: `.narrow::<_>()` says what it is, `.cast::<_>()` makes it another";
                    let fault = at_node(node, "BB0304", text).note_at("the first one", there).help(help);
                    if !self.faults.contains(&fault) {
                        self.faults.push(fault);
                    }
                }
            }
        }
    }
}

/// Whether nothing says what a value's tensors hold.
fn is_open(index: &FunctionIndex<'_>, value: ValueIx) -> bool {
    index.value_type(value).is_some_and(|of| narrowed(&of, ElementKind::F32).is_some())
}

/// The type with that element, where it has none.
fn narrowed(of: &ValueType, to: ElementKind) -> Option<ValueType> {
    match of {
        ValueType::Tensor { element: None, shape } => {
            Some(ValueType::Tensor { element: Some(to), shape: shape.clone() })
        }
        ValueType::Seq(of) => Some(ValueType::Seq(Box::new(narrowed(of, to)?))),
        ValueType::Tensor { .. } | ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => None,
    }
}
