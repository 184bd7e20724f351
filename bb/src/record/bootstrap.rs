//! Bootstraps: recorded beside the root module they belong to, into the same model.
//!
//! A bootstrap has no wires, so nothing of it ever is on two peers: its `graph` is the start on each class, and each
//! class gets its part.

use super::{Graph, Recorder, with};
use crate::module::{ParamInfo, Params};
use crate::place::Many;
use bb_ir::bindings::{binding_key, parse_binding_key, parse_binding_value, stamp_function_module_phase};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops::MODULE_DOMAIN;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::views::Metadata;
use std::cell::Cell;
use std::panic::Location;

/// What `#[bb::bootstrap]` registers.
pub struct Bootstrap {
    /// What it is called where it is recorded: `<root>__bootstrap`.
    pub name: &'static str,
    /// Its Rust module.
    pub path: &'static str,
    /// Of its tokens: what is found in others is stale.
    pub hash: &'static str,
    /// The name of the type of its root module's function: no two functions share one.
    pub root: fn() -> &'static str,
    /// Where it is.
    pub at: fn() -> &'static Location<'static>,
    /// Records it beside that root.
    pub record: fn(&FunctionProto),
}
inventory::collect!(Bootstrap);

impl Bootstrap {
    /// Every one that is linked, in an order that does not depend on linking.
    pub(crate) fn all() -> Vec<&'static Bootstrap> {
        let mut all: Vec<_> = inventory::iter::<Bootstrap>().collect();
        all.sort_by_key(|b| (b.path, b.name, (b.at)()));
        all
    }
}

thread_local!(static RECORDING: Cell<Option<&'static str>> = const { Cell::new(None) });

/// The bootstrap that was being recorded when recording panicked, if it was one.
#[cfg(feature = "build")]
pub(crate) fn panicked_in() -> Option<&'static str> {
    RECORDING.take()
}

/// Where this is called.
#[track_caller]
pub fn here() -> &'static Location<'static> {
    Location::caller()
}

/// A bootstrap that is recorded, and how many functions there were before it.
pub(super) struct Recorded {
    pub(super) function: FunctionProto,
    pub(super) functions_before: usize,
}

/// Records the bootstrap of the root module `root`, whose function's type is called `key`, if there is one.
pub(super) fn of_root(key: &str, root: &FunctionProto, is_called: bool) {
    let mut all = Bootstrap::all();
    all.retain(|b| (b.root)() == key);
    let Some((first, others)) = all.split_first() else { return };
    (first.record)(root);
    if !is_called {
        let text =
            format!("`{}` is a fragment, which nobody starts: its inputs do not all live on one peer", root.name());
        let diagnostic = Diagnostic::new("BB0104", text).help("bootstrap the module that calls it");
        with(|r| r.fail_in(first.name, (first.at)(), diagnostic));
    }
    for other in others {
        let text = format!("`{}` has another bootstrap", root.name());
        let diagnostic = Diagnostic::new("BB0103", text)
            .note_at("this one", Some(super::source_place((first.at)())))
            .help("make them one function");
        with(|r| r.fail_in(other.name, (other.at)(), diagnostic));
    }
}

/// What the attribute expands to: records `body`, which takes components of `root` by their names there, and values that
/// are staged.
pub fn bootstrap<A: Params>(
    name: &'static str,
    root: &FunctionProto,
    names: &[&'static str],
    places: &[&'static Location<'static>],
    body: impl FnOnce(&Graph, A),
) {
    let functions_before = with(|r| {
        r.push(name, false, None);
        r.scope().bootstrap = true;
        r.scope().parameters = places.to_vec();
        r.start();
        for ((info, name), at) in A::infos().iter().zip(names).zip(places) {
            if let Some(diagnostic) = refused(root, info, name) {
                r.fail(at, diagnostic);
            }
        }
        r.functions.len()
    });
    RECORDING.set(Some(name));
    body(&Graph { start: None }, A::declare(names));
    RECORDING.set(None);
    with(|r| {
        let mut function = r.scopes.pop().expect("pushed above").function;
        stamp_function_module_phase(&mut function, keys::MODULE_PHASE_BOOTSTRAP);
        r.bootstrap = Some(Recorded { function, functions_before });
    });
}

/// Why that is no parameter of `root`'s bootstrap.
fn refused(root: &FunctionProto, info: &ParamInfo, name: &str) -> Option<Diagnostic> {
    let Some(role) = &info.slot else {
        let text = format!("`{name}` is on many peers, and a bootstrap is on one: nobody tells it of others");
        let help = format!("`{name}: On<{}, _>` is staged on each of them, by `node.stage(\"{name}\", …)`", info.class);
        return (info.many != Many::One).then(|| Diagnostic::new("BB0406", text).help(help));
    };
    let there = root.metadata(&binding_key(info.class, name)).and_then(parse_binding_value);
    if there.is_some_and(|there| there.role == *role) {
        return None;
    }
    let component = |class: &str, name: &str, role: &str| {
        format!("`{name}: {}At<{class}>`", role.rsplit('.').next().unwrap_or(role))
    };
    let rows =
        root.props().iter().filter_map(|row| Some((parse_binding_key(row.key())?, parse_binding_value(row.value())?)));
    let has: Vec<String> = rows.map(|((class, name), row)| component(class, name, &row.role)).collect();
    let text = format!("`{}` has no component {}", root.name(), component(info.class, name, role));
    let help = match has.as_slice() {
        [] => "it has none: give it one, or do without a bootstrap".to_owned(),
        has => format!("it has {}", has.join(", ")),
    };
    Some(Diagnostic::new("BB0406", text).help(help))
}

impl Recorder {
    /// The root module, where the program is one call of it: the name of its function's type, and what it became.
    pub(super) fn root(&mut self) -> Option<(String, FunctionProto)> {
        let index = self.functions.len().checked_sub(1)?;
        let root = self.functions[index].proto.clone();
        let main = &self.scope().function;
        let wraps = matches!(main.node.as_slice(), [call]
            if call.domain() == MODULE_DOMAIN && call.output == main.output && call.op_type() == root.name());
        // Keys are names of the types of closures, each of which is the one in its function.
        let (key, _) = self.by_key.iter().find(|(_, i)| **i == index).filter(|_| wraps)?;
        Some((key.strip_suffix("::{{closure}}")?.to_owned(), root))
    }
    fn fail_in(&mut self, module: &str, at: &'static Location<'static>, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.at(Some(super::source_place(at))).in_module(module));
    }
}
