//! An artifact and its components: those of its handle, those that replace what the program names, and those that are
//! built by their type.

use crate::builder::{Bound, Hosted};
use crate::components::Components;
use crate::error::StartError;
use bb_engine::{Bound as Has, Engine, InstallError, Installed};
use bb_ir::component::built;
use bb_ir::held::Held;
use bb_ir::needs::{hand_over, needs_of};

/// Adds an artifact and its components, or nothing.
pub fn install(engine: &mut Engine, components: &mut Components, hosted: Hosted) -> Result<Installed, InstallError> {
    let Hosted { artifact, kernels, components: mut given, entries } = hosted;
    let needs: Vec<_> = given.iter_mut().map(|(_, component)| needs_of(component)).collect();
    let own = given.iter().zip(&needs).map(|((slot, _), needs)| Has { name: slot, needs });
    let by_type = entries.iter().map(|entry| Has { name: entry.ty, needs: entry.needs });
    let installed = engine.install_with(&artifact, &kernels, &own.chain(by_type).collect::<Vec<_>>())?;
    let mut given: Vec<_> = given.into_iter().map(Some).collect();
    let mut held = Vec::new();
    for info in &installed.slots {
        let own = given.iter_mut().find(|given| given.as_ref().is_some_and(|(slot, _)| *slot == *info.name));
        let built = || built(&entries, info.concrete.as_deref());
        // A slot that no op of the class uses is not in its artifact.
        if let Some(component) = own.and_then(Option::take).map(|(_, component)| component).or_else(built) {
            held.push((info, Held::new(component)));
        }
    }
    hand_over(held.iter().map(|(info, held)| (&info.name, held)));
    held.into_iter().for_each(|(info, held)| components.bind(info, held));
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
                [] => {
                    "this program names no component, so there is none to replace; one that the handle has a field for is given there".to_owned()
                },
                has => format!("it names {}", has.join("; ")),
            };
            let (program, class) = (installed.program.to_string(), installed.class.to_string());
            return Err(StartError::Bind { program, class, slot, role: role.to_owned(), help });
        }
    }
    Ok(installed)
}
