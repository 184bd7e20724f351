//! Looks at a recorded model before anything changes it.
//!
//! *Needs* nothing. *Makes* nothing. *Keeps* everything: what it lets through, later passes may take for granted.

use crate::error::{ValidationError, at_node};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::{FunctionKey, Metadata};
use bb_ir::wire_shape::{Gather, Send, is_gather, is_recv, is_send, read_wire_id};
use rustc_hash::{FxHashMap, FxHashSet};

const MALFORMED: &str = "BB0901";

/// Every structural fault of `model`, together.
pub fn validate(model: &ModelProto) -> Result<(), ValidationError> {
    let mut faults = Vec::new();
    let mut functions = FxHashMap::default();
    for function in &model.functions {
        if functions.insert(FunctionKey::of_function(function), function).is_some() {
            faults.push(malformed(function, "is there twice"));
        }
    }
    check_root(model, &mut faults);
    let imported: FxHashSet<&str> = model.opset_import.iter().map(|o| o.domain()).collect();
    for function in &model.functions {
        let check = FunctionCheck { function, functions: &functions, imported: &imported };
        check.run(&mut faults);
    }
    if faults.is_empty() { Ok(()) } else { Err(ValidationError { faults }) }
}

fn malformed(function: &FunctionProto, what: &str) -> Diagnostic {
    let name = function.name();
    Diagnostic::new(MALFORMED, format!("function `{name}` {what}")).in_module(name)
}

fn check_root(model: &ModelProto, faults: &mut Vec<Diagnostic>) {
    match model.functions.first() {
        None => faults.push(Diagnostic::new(MALFORMED, "the model has no function: there is no root module")),
        Some(root) if root.domain() != ops::MODULE_DOMAIN => {
            faults.push(malformed(root, "is no module, but the first function of a program is its root module"));
        }
        Some(_) => {}
    }
}

struct FunctionCheck<'a> {
    function: &'a FunctionProto,
    functions: &'a FxHashMap<FunctionKey, &'a FunctionProto>,
    imported: &'a FxHashSet<&'a str>,
}

impl FunctionCheck<'_> {
    fn run(&self, faults: &mut Vec<Diagnostic>) {
        let function = self.function;
        let mut made: FxHashSet<&str> = FxHashSet::default();
        for input in &function.input {
            if input.is_empty() || !made.insert(input) {
                faults.push(malformed(function, &format!("has the input `{input}` twice, or without a name")));
            }
        }
        let makers: FxHashSet<&str> = function.node.iter().flat_map(|n| n.output.iter().map(String::as_str)).collect();
        let mut nodes = FxHashSet::default();
        let mut wires = FxHashSet::default();
        for node in &function.node {
            if node.name().is_empty() || !nodes.insert(node.name()) {
                faults.push(at_node(
                    node,
                    MALFORMED,
                    format!("a node `{}` is there twice, or has no name", node.name()),
                ));
            }
            for input in node.input.iter().filter(|i| !i.is_empty() && !made.contains(i.as_str())) {
                let why = if makers.contains(input.as_str()) {
                    "which is made only later, or from itself"
                } else {
                    "which nothing makes"
                };
                faults.push(at_node(node, MALFORMED, format!("`{}` reads `{input}`, {why}", node.name())));
            }
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                if !made.insert(output) {
                    faults.push(at_node(node, MALFORMED, format!("`{output}` is made twice")));
                }
            }
            self.check_op(node, &mut wires, faults);
        }
        for output in function.output.iter().filter(|o| !made.contains(o.as_str())) {
            faults.push(malformed(function, &format!("gives `{output}`, which nothing makes")));
        }
        // Bodies of ops are polymorphic: only modules say what their values are.
        if function.domain() == ops::MODULE_DOMAIN {
            self.check_types(&made, faults);
        }
    }

    fn check_types(&self, made: &FxHashSet<&str>, faults: &mut Vec<Diagnostic>) {
        let mut typed = FxHashSet::default();
        for info in &self.function.value_info {
            match info.r#type.as_ref().and_then(ValueType::from_proto) {
                Some(_) => {
                    typed.insert(info.name());
                }
                None => {
                    faults.push(malformed(self.function, &format!("gives `{}` a type bb does not know", info.name())));
                }
            }
        }
        let outputs = self.function.node.iter().flat_map(|n| &n.output);
        for name in self.function.input.iter().chain(outputs) {
            if made.contains(name.as_str()) && !typed.contains(name.as_str()) {
                faults.push(malformed(self.function, &format!("has the value `{name}` without a type")));
            }
        }
    }

    fn check_op<'n>(&self, node: &'n NodeProto, wires: &mut FxHashSet<u64>, faults: &mut Vec<Diagnostic>) {
        let domain = node.domain();
        if !self.imported.contains(domain) {
            faults.push(at_node(node, MALFORMED, format!("the model does not import the operator set `{domain}`")));
        }
        match domain {
            ops::ONNX_DOMAIN => check_onnx(node, faults),
            ops::MODULE_DOMAIN => self.check_call(node, faults),
            ops::WIRE_DOMAIN => check_wire_op(node, wires, faults),
            ops::SYSCALL_DOMAIN => check_syscall(node, faults),
            domain if ops::role_of_domain(domain).is_some() => check_role_op(node, faults),
            domain if domain.starts_with(ops::OP_DOMAIN_PREFIX) => {}
            domain => {
                faults.push(at_node(node, MALFORMED, format!("nobody knows the op `{}` of `{domain}`", node.op_type())))
            }
        }
    }

    fn check_call(&self, node: &NodeProto, faults: &mut Vec<Diagnostic>) {
        let Some(callee) = self.functions.get(&FunctionKey::of_node(node)) else {
            faults.push(at_node(node, MALFORMED, format!("`{}` is called, but not part of the model", node.op_type())));
            return;
        };
        if callee.input.len() != node.input.len() || callee.output.len() < node.output.len() {
            let text = format!(
                "`{}` takes {} values and gives {}, but the call has {} and {}",
                node.op_type(),
                callee.input.len(),
                callee.output.len(),
                node.input.len(),
                node.output.len()
            );
            faults.push(at_node(node, MALFORMED, text));
        }
        if let Some(map) = node.metadata(keys::SLOT_MAP_KEY)
            && super::resolve_slots::parse_slot_map(map).is_none()
        {
            faults.push(at_node(node, MALFORMED, format!("`{map}` is no map of slots")));
        }
    }
}

fn check_onnx(node: &NodeProto, faults: &mut Vec<Diagnostic>) {
    let name = node.op_type();
    let Some(op) = ops::onnx_op(name) else {
        let fault = at_node(node, "BB0501", format!("no backend implements the operator `{name}`"));
        faults.push(fault.help("write it with the operators there are, or as a function with `#[bb::op]`"));
        return;
    };
    let (least, most) = op.inputs;
    if node.input.len() < least || node.input.len() > most || node.output.len() != op.outputs {
        let text = format!("`{name}` has {} inputs and {} outputs", node.input.len(), node.output.len());
        faults.push(at_node(node, MALFORMED, text));
    }
}

fn check_wire_op(node: &NodeProto, wires: &mut FxHashSet<u64>, faults: &mut Vec<Diagnostic>) {
    if is_recv(node) {
        faults.push(at_node(node, MALFORMED, "a Recv is written by hand: only `graph.wire` makes wires"));
    } else if is_send(node) {
        match read_wire_id(node) {
            None => faults.push(at_node(node, MALFORMED, format!("the wire of `{}` has no number", node.name()))),
            Some(id) if !wires.insert(id) => {
                faults.push(at_node(node, MALFORMED, format!("two wires of one module have the number {id}")));
            }
            Some(_) => {}
        }
        if Send::cast(node).is_none_or(Send::is_cut) || node.input.iter().any(String::is_empty) {
            faults.push(at_node(node, MALFORMED, format!("`{}` has not the shape of a Send", node.name())));
        }
    } else if is_gather(node) {
        if Gather::cast(node).is_none_or(|gather| gather.lane().is_none()) {
            faults.push(at_node(node, MALFORMED, format!("`{}` has not the shape of a Gather", node.name())));
        }
    } else {
        faults.push(at_node(node, MALFORMED, format!("nobody knows the wire op `{}`", node.op_type())));
    }
}

fn check_syscall(node: &NodeProto, faults: &mut Vec<Diagnostic>) {
    let known = [ops::SYSCALL_ORIGIN, ops::SYSCALL_CONSTANT, ops::SYSCALL_PASS_THROUGH];
    if !known.contains(&node.op_type()) {
        faults.push(at_node(node, MALFORMED, format!("the engine has no op `{}`", node.op_type())));
    }
}

fn check_role_op(node: &NodeProto, faults: &mut Vec<Diagnostic>) {
    let slot = node.metadata(keys::SLOT_ID_KEY);
    let fine = match (slot, node.metadata(keys::CONCRETE_TYPE_KEY)) {
        (Some(slot), None) => slot.parse::<u32>().is_ok() && node.metadata(keys::REQUIRED_TRAIT_KEY).is_some(),
        (None, Some(_)) => node.metadata(keys::INSTANCE_KEY).is_some(),
        _ => false,
    };
    if !fine {
        let text = format!("`{}` says not, or not well, which component serves it", node.name());
        faults.push(at_node(node, MALFORMED, text));
    }
}
