//! A class's part of the bootstrap.

use crate::error::at_node;
use crate::passes::infer_peer_classes::bootstrap::staged;
use bb_ir::bindings::is_bootstrap;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::views::Metadata;
use rustc_hash::FxHashSet;

/// The bootstrap on `class`: what has that class, the constants that this reads, and what is staged there. None where it does nothing there.
pub fn part(model: &ModelProto, class: &str) -> Option<FunctionProto> {
    let whole = model.functions.iter().find(|f| is_bootstrap(f))?;
    let mut read: FxHashSet<&str> = FxHashSet::default();
    let mut nodes = Vec::new();
    for node in whole.node.iter().rev() {
        let here = match node.metadata(keys::HOME_CLASS_KEY) {
            Some(home) => home == class,
            None => node.output.iter().any(|output| read.contains(output.as_str())),
        };
        if here {
            read.extend(node.input.iter().map(String::as_str));
            let mut node = node.clone();
            node.set_metadata(keys::HOME_CLASS_KEY, class);
            nodes.push(node);
        }
    }
    if nodes.is_empty() {
        return None;
    }
    nodes.reverse();
    let staged = staged(whole);
    let here = |input: &&String| staged.get(input.as_str()).is_none_or(|there| *there == class);
    let input: Vec<String> = whole.input.iter().filter(here).cloned().collect();
    let made: FxHashSet<&str> = input.iter().chain(nodes.iter().flat_map(|n| &n.output)).map(String::as_str).collect();
    let value_info = whole.value_info.iter().filter(|info| made.contains(info.name())).cloned().collect();
    let mut part = FunctionProto { input, value_info, ..whole.clone() };
    part.node = nodes;
    let elsewhere = |key: &str| {
        key.strip_prefix(keys::BINDING_KEY_PREFIX).is_some_and(|row| !row.starts_with(&format!("{class}.")))
    };
    part.props_mut().retain(|row| !elsewhere(row.key()));
    Some(part)
}

/// What is to be done on a class that takes no part in calls: no peer of it is ever started.
pub fn nowhere<'a>(model: &ModelProto, classes: impl Iterator<Item = &'a String> + Clone) -> Vec<Diagnostic> {
    let nodes = model.functions.iter().filter(|f| is_bootstrap(f)).flat_map(|f| &f.node);
    let homeless = nodes.filter_map(|node| {
        let home = node.metadata(keys::HOME_CLASS_KEY)?;
        (!classes.clone().any(|class| class == home)).then_some((node, home))
    });
    homeless
        .map(|(node, home)| {
            let text =
                format!("a call does nothing on `{home}`, so no such peer is started and there is nothing to prepare");
            at_node(node, "BB0406", text).help("use the component in the module, or leave it out here")
        })
        .collect()
}
