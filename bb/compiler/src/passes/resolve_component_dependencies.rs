//! Says of every role op which slots serve what its component depends on.
//!
//! *Needs* `resolve_slots`, and what components declare. *Makes* `dep.<Role>` on role ops, and leaves out components that
//! the program names and nothing needs. *Keeps* everything else.

use crate::bindings::{BindingSpec, Served, Service};
use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::runner::Left;
use bb_ir::bindings::{Serving, stamp_dependency_metadata};
use bb_ir::component::DependencyDecl;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::Metadata;
use std::collections::BTreeSet;

const PASS: &str = "resolve_component_dependencies";

/// Stamps what serves dependencies; refuses what no slot of that name and role serves.
pub fn resolve_component_dependencies(
    partitions: Vec<Partition>,
    bindings: &BindingSpec,
) -> Result<Vec<Partition>, PassError> {
    Ok(dependencies_resolved(partitions, bindings)?.0)
}

/// The same, and whether there was anything to do.
pub(crate) fn dependencies_resolved(mut partitions: Vec<Partition>, bindings: &BindingSpec) -> Left<Vec<Partition>> {
    let mut faults = Vec::new();
    let mut changed = false;
    for partition in &mut partitions {
        let model = &mut partition.model;
        let served = Served::of(&model.functions[0], model.functions.iter().flat_map(|f| &f.node), bindings);
        changed |= stamp(model, &served, &mut faults);
        changed |= forget_unneeded(model, &served);
    }
    PassError::unless(PASS, faults, (partitions, changed))
}

fn stamp(model: &mut ModelProto, served: &Served<'_>, faults: &mut Vec<Diagnostic>) -> bool {
    let mut stamped = false;
    let mut told = BTreeSet::new();
    for node in model.functions.iter_mut().flat_map(|f| &mut f.node) {
        let Some((name, service)) = served.name_of(node).and_then(|name| Some((name.to_owned(), served.get(name)?)))
        else {
            continue;
        };
        let mut found: Vec<(&str, Serving)> = Vec::new();
        for dependency in dependencies(service) {
            match served.get(dependency.slot) {
                Some(by) if by.role == dependency.role => found.push((dependency.role, by.serving.clone())),
                other => {
                    // Every op of the component lacks it: said with the first.
                    if told.insert((name.clone(), dependency.slot)) {
                        faults.push(refused(node, &name, service, dependency, other));
                    }
                }
            }
        }
        stamp_dependency_metadata(node, &found);
        stamped |= !found.is_empty();
    }
    stamped
}

/// What a component depends on.
pub(crate) fn dependencies(service: &Service<'_>) -> &'static [DependencyDecl] {
    service.component.map_or(&[], |component| component.dependencies)
}

fn refused(
    node: &NodeProto,
    name: &str,
    service: &Service<'_>,
    needs: &DependencyDecl,
    there: Option<&Service<'_>>,
) -> Diagnostic {
    let (slot, role, class) = (needs.slot, needs.role, &service.class);
    let of = service.component.map_or("component", |component| component.ty);
    match there {
        Some(there) => {
            let text = format!(
                "`{name}`, a `{of}`, needs a `{role}` called `{slot}`, but `{slot}` on `{class}` is a `{}`",
                there.role
            );
            at_node(node, "BB0409", text).help(format!("call what plays `{role}` so, and the other one otherwise"))
        }
        None => {
            let text = format!("`{name}`, a `{of}`, needs a `{role}` called `{slot}`, and there is none on `{class}`");
            at_node(node, "BB0408", text).help(how_to_give(needs, class))
        }
    }
}

/// How a program gets what a component needs.
pub(crate) fn how_to_give(needs: &DependencyDecl, class: &str) -> String {
    let role = needs.role.rsplit('.').next().unwrap_or(needs.role);
    let slot = needs.slot;
    format!(
        "give the root module a parameter `{slot}: {role}At<{class}>`, or name one in it: `{role}At::<{class}>::concrete::<_>(\"{slot}\")`"
    )
}

/// A component that the program names is built for its ops, or since another one needs it.
fn forget_unneeded(model: &mut ModelProto, served: &Served<'_>) -> bool {
    let nodes = model.functions.iter().flat_map(|f| &f.node);
    let mut needed: BTreeSet<&str> = nodes.filter_map(|node| served.name_of(node)).collect();
    let mut next: Vec<&str> = needed.iter().copied().collect();
    while let Some(name) = next.pop() {
        let needs = served.get(name).map_or(&[][..], dependencies);
        next.extend(needs.iter().map(|needs| needs.slot).filter(|slot| needed.insert(slot)));
    }
    let idle = |service: &Service<'_>| matches!(service.serving, Serving::Instance(_));
    let rows = served.iter().filter(|(name, service)| idle(service) && !needed.contains(name));
    let keys: Vec<String> =
        rows.map(|(name, service)| format!("{}{}.{name}", keys::BINDING_KEY_PREFIX, service.class)).collect();
    model.functions[0].props_mut().retain(|row| !keys.iter().any(|key| key == row.key()));
    !keys.is_empty()
}
