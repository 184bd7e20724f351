//! A class's piece without its wires: what they bring are inputs, what they take are outputs. Regions for a backend are
//! the operators that they hold.

use super::bodies::identity;
use super::{Main, NoReference};
use crate::driver::Partition;
use bb_ir::backend::region;
use bb_ir::gates::fold;
use bb_ir::keys;
use bb_ir::names;
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Recv, Send, read_wire_id};
use rustc_hash::{FxHashMap, FxHashSet};

/// The main function of `partition` without gates and wires; a Gather has one lane of each value, then of the sender.
pub(super) fn pure(partition: &Partition, program: &ModelProto) -> Result<Main, NoReference> {
    let main = partition.main();
    let unguarded = |e: bb_ir::gates::Unguarded| NoReference { node: e.node, why: format!("{} is missing", e.gate) };
    let nodes = opened(fold(main.node.clone()).map_err(unguarded)?);
    // Over there the values of a wire have the names that they have in the whole program.
    let whole = program.functions[0].node.iter().filter_map(Send::cast);
    let arriving: FxHashMap<u64, &[String]> = whole.filter_map(|send| Some((send.wire_id()?, send.values()))).collect();
    let senders: FxHashMap<u64, String> =
        nodes.iter().filter_map(Recv::cast).filter_map(|r| Some((r.wire_id()?, r.sender().to_owned()))).collect();
    let infos: FxHashMap<&str, &ValueInfoProto> = main.value_info.iter().map(|i| (i.name(), i)).collect();
    let mut function = FunctionProto { node: Vec::new(), ..main.clone() };
    for node in nodes {
        if let Some(recv) = Recv::cast(&node) {
            function.input.extend(recv.node().output.iter().cloned());
        } else if let Some(send) = Send::cast(&node) {
            let there = read_wire_id(&node).and_then(|wire| arriving.get(&wire)).copied().unwrap_or_default();
            for (payload, there) in send.payloads().iter().zip(there) {
                let sent = names::sent(there);
                let info = infos.get(payload.as_str());
                function.value_info.extend(info.map(|info| super::renamed(info, &sent)));
                function.node.push(identity(payload, &sent));
                function.output.push(sent);
            }
        } else if let Some(gather) = Gather::cast(&node) {
            let sender = gather.lane().and_then(|wire| senders.get(&wire)).cloned();
            let input = gather.values().iter().cloned().chain(sender).collect();
            let mut node = NodeProto { input, ..node.clone() };
            node.remove_metadata(keys::CONTROL_KEY);
            function.node.push(node);
        } else {
            function.node.push(node);
        }
    }
    // A graph's outputs are not its inputs.
    let inputs: FxHashSet<String> = function.input.iter().cloned().collect();
    for at in 0..function.output.len() {
        if inputs.contains(&function.output[at]) {
            let given = std::mem::take(&mut function.output[at]);
            let output = names::given(&given);
            function.value_info.extend(infos.get(given.as_str()).map(|info| super::renamed(info, &output)));
            function.node.push(identity(&given, &output));
            function.output[at] = output;
        }
    }
    let lanes = vec![0; function.node.len()];
    Ok(Main { function, lanes })
}

/// Operators in place of carriers. Several may hold the same constant, and have it beside them too.
fn opened(nodes: Vec<NodeProto>) -> Vec<NodeProto> {
    let held = |node: NodeProto| match region(&node).filter(|_| node.domain() == ops::BACKEND_DOMAIN) {
        Some(region) => region.node.clone(),
        None => vec![node],
    };
    let is_constant = |node: &NodeProto| node.domain() == ops::ONNX_DOMAIN && node.op_type() == "Constant";
    let mut constants = FxHashSet::default();
    let all = nodes.into_iter().flat_map(held);
    all.filter(|node| !is_constant(node) || constants.insert(node.name().to_owned())).collect()
}
