//! Components that a program names by their type.

use super::{ANYWHERE, Recorder, Site, SiteRef, source_place, with};
use crate::component::{Storage, declaration};
use bb_ir::bindings::{binding_key, encode_binding_value, is_instance};
use bb_ir::component::ComponentDecl;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::views::Metadata;
use std::collections::BTreeMap;
use std::panic::Location;

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Concrete {
    /// Its `Storage::TYPE`.
    pub ty: &'static str,
    /// What the program calls it.
    pub instance: &'static str,
}

/// Those of a program.
#[derive(Default)]
pub(super) struct Components {
    named: BTreeMap<&'static str, Named>,
    /// Types by what artifacts call them, each with what rustc calls it.
    types: BTreeMap<&'static str, (ComponentDecl, &'static str)>,
}
struct Named {
    class: &'static str,
    ty: &'static str,
    at: &'static Location<'static>,
    module: &'static str,
}

impl Components {
    /// The rows of the binding table they have, on the root module; what is called as one of its slots is refused.
    pub fn stamp(&self, root: &mut FunctionProto) -> Vec<Diagnostic> {
        let mut refused = Vec::new();
        for (instance, named) in &self.named {
            let (declared, _) = &self.types[named.ty];
            let key = binding_key(named.class, instance);
            if root.metadata(&key).is_some() {
                let text =
                    format!("`{}` has a parameter `{instance}`, which is a slot on `{}`", root.name(), named.class);
                let fault = Diagnostic::new("BB0407", text).at(Some(source_place(named.at))).in_module(named.module);
                refused.push(fault.help("give one of them another name"));
            } else {
                root.set_metadata(&key, encode_binding_value(declared.role, Some(named.ty), None));
            }
        }
        refused
    }
    /// What their types say of themselves.
    pub fn declarations(&self) -> Vec<ComponentDecl> {
        self.types.values().map(|(declared, _)| *declared).collect()
    }
}

/// The component that the program calls `instance`, on every peer of `class`.
#[track_caller]
pub fn concrete<X: Storage>(class: &'static str, instance: &'static str) -> SiteRef {
    let at = Location::caller();
    with(|r| {
        let concrete = Concrete { ty: X::TYPE, instance };
        if let Some(refused) = r.refused::<X>(class, instance, at) {
            r.fail(at, refused);
        } else {
            let module = r.scope().module;
            r.components.named.entry(instance).or_insert(Named { class, ty: X::TYPE, at, module });
            r.components.types.insert(X::TYPE, (declaration::<X>(), std::any::type_name::<X>()));
        }
        let site = Site::new(class, crate::place::Many::One, ANYWHERE, Vec::new(), Vec::new());
        r.add(Site { concrete: Some(concrete), ..site })
    })
}

impl Recorder {
    /// Why nothing can be called that there.
    fn refused<X: Storage>(
        &self,
        class: &'static str,
        instance: &str,
        at: &'static Location<'static>,
    ) -> Option<Diagnostic> {
        if !is_instance(instance) {
            let text = format!("a component cannot be called `{instance}`");
            let help = "a name is of letters, digits and `_`, as a parameter's is, since both are told apart by it";
            return Some(Diagnostic::new("BB0407", text).help(help));
        }
        let known = self.components.types.get(X::TYPE).map(|(_, rust)| *rust);
        if let Some(other) = known.filter(|other| *other != std::any::type_name::<X>()) {
            let (text, mine) =
                (format!("two types of components are called `{}`", X::TYPE), std::any::type_name::<X>());
            let note = format!("`{}` and `{}`", path(other), path(mine));
            let help = "call one of them otherwise: `#[bb::component(name = \"…\")]`";
            return Some(Diagnostic::new("BB0407", text).note(note).help(help));
        }
        let named = self.components.named.get(instance)?;
        let text = if named.class != class {
            format!("the component `{instance}` is on `{}` already, and here on `{class}`", named.class)
        } else if named.ty != X::TYPE {
            format!("the component `{instance}` is a `{}` already, and here a `{}`", named.ty, X::TYPE)
        } else {
            return None;
        };
        let there = (named.at != at).then(|| source_place(named.at));
        Some(Diagnostic::new("BB0407", text).note_at("this one", there).help("give one of them another name"))
    }
}

/// In the build script the mounted files lie below a module of their own.
fn path(rust: &str) -> String {
    rust.split_once("__src::").map_or(rust.to_owned(), |(_, rest)| format!("crate::{rest}"))
}
