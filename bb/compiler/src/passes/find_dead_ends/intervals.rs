//! Intervals: they call their own program, so it has to be one that needs no arguments, and they stand where it starts.

use crate::error::at_node;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;
use bb_ir::{keys, ops};
use rustc_hash::FxHashMap;

pub fn of(root: &FunctionProto) -> Vec<Diagnostic> {
    let is_interval = |n: &&NodeProto| (n.domain(), n.op_type()) == (ops::SYSCALL_DOMAIN, ops::SYSCALL_INTERVAL);
    let intervals: Vec<&NodeProto> = root.node.iter().filter(is_interval).collect();
    if intervals.is_empty() {
        return Vec::new();
    }
    let types: FxHashMap<&str, ValueType> = root
        .value_info
        .iter()
        .filter_map(|info| Some((info.name(), ValueType::from_proto(info.r#type.as_ref()?)?)))
        .collect();
    let is_argument = |input: &&String| types.get(input.as_str()) != Some(&ValueType::Trigger);
    let arguments: Vec<String> = root.input.iter().filter(is_argument).map(|input| format!("`{input}`")).collect();
    intervals.into_iter().filter_map(|node| refuse(node, root.name(), &arguments)).collect()
}

fn refuse(node: &NodeProto, module: &str, arguments: &[String]) -> Option<Diagnostic> {
    if !arguments.is_empty() {
        let text = format!("an interval calls `{module}`, and there is nobody who would pass {}", arguments.join(", "));
        let help = "take `start: On<_, ()>` alone, and what the arguments say from components";
        return Some(at_node(node, "BB0215", text).help(help));
    }
    if node.metadata(keys::PLACE_KEY) != Some("0") {
        let text = format!("an interval calls `{module}`, and this is not the place where its calls start");
        return Some(at_node(node, "BB0215", text).help("write it where `graph` starts"));
    }
    None
}
