//! An artifact and its components: those of its handle, those that replace what the program names, and those that are
//! built by their type.

use crate::builder::{Bound, Hosted};
use crate::components::Components;
use crate::error::StartError;
use bb_engine::{Engine, InstallError, Installed};
use bb_ir::component::built;

/// Adds an artifact and its components, or nothing.
pub fn install(engine: &mut Engine, components: &mut Components, hosted: Hosted) -> Result<Installed, InstallError> {
    let Hosted { artifact, kernels, components: given, entries } = hosted;
    let bound: Vec<&str> = given.iter().map(|(slot, _)| slot.as_str()).chain(entries.iter().map(|e| e.ty)).collect();
    let installed = engine.install(&artifact, &kernels, &bound)?;
    let mut given: Vec<_> = given.into_iter().map(Some).collect();
    for info in &installed.slots {
        let own = given.iter_mut().find(|given| given.as_ref().is_some_and(|(slot, _)| *slot == *info.name));
        let built = || built(&entries, info.concrete.as_deref());
        // A slot that no op of the class uses is not in its artifact.
        if let Some(component) = own.and_then(Option::take).map(|(_, component)| component).or_else(built) {
            components.bind(info.component, component);
        }
    }
    Ok(installed)
}

/// The same, with components in place of some that the program names.
pub fn install_bound(
    engine: &mut Engine,
    components: &mut Components,
    mut hosted: Hosted,
    bound: Vec<Bound>,
) -> Result<Installed, StartError> {
    let roles: Vec<_> = bound.iter().map(|bound| (bound.slot.clone(), bound.role)).collect();
    hosted.components.extend(bound.into_iter().map(|bound| (bound.slot, bound.component)));
    let installed = install(engine, components, hosted)?;
    let named = || installed.slots.iter().filter(|info| info.concrete.is_some());
    for (slot, role) in roles {
        if !named().any(|info| *info.name == *slot && *info.role == *role) {
            let has: Vec<String> =
                named().map(|info| format!("`{}`, of the role `{}`", info.name, info.role)).collect();
            let help = match has.as_slice() {
                [] => "it names none: what the handle has a field for is given there".to_owned(),
                has => format!("it names {}", has.join("; ")),
            };
            let (program, class) = (installed.program.to_string(), installed.class.to_string());
            return Err(StartError::Bind { program, class, slot, role: role.to_owned(), help });
        }
    }
    Ok(installed)
}
