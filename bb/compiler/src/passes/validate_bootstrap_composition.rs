//! Looks at what runs once per start: the function `<root>__bootstrap` and all it calls.
//!
//! *Needs* nothing. *Makes* nothing. *Keeps* everything: what it lets through ends, and is on one peer from end to end.

use crate::error::{PassError, at_node};
use crate::passes::inline_for_partition::callees_first;
use bb_ir::bindings::is_bootstrap;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::views::FunctionKey;
use bb_ir::{names, ops};
use rustc_hash::{FxHashMap, FxHashSet};

const PASS: &str = "validate_bootstrap_composition";

/// Refuses a bootstrap that is not the root's, calls what is not there or itself, or sends.
pub fn validate_bootstrap_composition(model: &ModelProto) -> Result<(), PassError> {
    let mut faults = Vec::new();
    let expected = model.functions.first().map(|root| names::bootstrap(root.name())).unwrap_or_default();
    let mut taken = false;
    for bootstrap in model.functions.iter().filter(|f| is_bootstrap(f)) {
        if bootstrap.name() != expected || std::mem::replace(&mut taken, true) {
            let text = format!("`{}` is not the one bootstrap, `{expected}`", bootstrap.name());
            faults.push(Diagnostic::new("BB0901", text));
        }
        let tree = tree(model, bootstrap, &mut faults);
        let called = ModelProto { functions: tree.into_iter().cloned().collect(), ..ModelProto::default() };
        faults.extend(callees_first(&called).err().into_iter().flat_map(|e| e.faults));
    }
    PassError::unless(PASS, faults, ())
}

/// A bootstrap and all it calls, each once.
fn tree<'a>(model: &'a ModelProto, top: &'a FunctionProto, faults: &mut Vec<Diagnostic>) -> Vec<&'a FunctionProto> {
    let by_key: FxHashMap<FunctionKey, &FunctionProto> =
        model.functions.iter().map(|f| (FunctionKey::of_function(f), f)).collect();
    let mut seen: FxHashSet<FunctionKey> = FxHashSet::from_iter([FunctionKey::of_function(top)]);
    let mut tree = vec![top];
    let mut next = 0;
    while let Some(function) = tree.get(next).copied() {
        next += 1;
        for node in &function.node {
            if node.domain() == ops::WIRE_DOMAIN {
                let text = format!("`{}` sends nothing: it runs on every peer by itself", top.name());
                faults.push(at_node(node, "BB0214", text).help("send it in the module, with the first call"));
            }
            if (node.domain(), node.op_type()) == (ops::SYSCALL_DOMAIN, ops::SYSCALL_INTERVAL) {
                let text = format!("`{}` starts nothing again and again: it runs once", top.name());
                faults.push(at_node(node, "BB0214", text).help("an interval stands in a module of its own"));
            }
            if node.domain() != ops::MODULE_DOMAIN {
                continue;
            }
            let key = FunctionKey::of_node(node);
            match by_key.get(&key) {
                Some(callee) if seen.insert(key) => tree.push(callee),
                Some(_) => {}
                None => {
                    let text = format!("`{}` calls `{}`, which is not there", function.name(), node.op_type());
                    faults.push(at_node(node, "BB0901", text));
                }
            }
        }
    }
    tree
}
