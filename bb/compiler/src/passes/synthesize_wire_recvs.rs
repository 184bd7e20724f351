//! Gives every Send the Recv it pairs with.
//!
//! *Needs* `infer_peer_classes`. *Makes* one Recv per Send, right behind it, at the place its peer names; the values
//! that the Send seemed to give are the Recv's, under the same names. *Keeps* the order of everything else. Refuses more
//! wires than peers tell each other of, by number or by what telling of them takes, at the first that is too many.

use crate::error::{PassError, at_node};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::hello;
use bb_ir::limits::{PROGRAM_OFFER_BYTES_MAX, WIRES_MAX};
use bb_ir::peer_class::home_class_of_node;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Send, is_gather, is_recv, is_send, read_wire_id};
use bb_ir::{keys, names, ops};
use rustc_hash::{FxHashMap, FxHashSet};

const PASS: &str = "synthesize_wire_recvs";

/// Cuts every wire of the root in two.
pub fn synthesize_wire_recvs(mut model: ModelProto) -> Result<ModelProto, PassError> {
    let places = place_table(&model);
    let mut faults = Vec::new();
    let mut ids = FxHashSet::default();
    let root = &mut model.functions[0];
    faults.extend(one_too_many(root, &places));
    let mut nodes = Vec::with_capacity(root.node.len());
    for mut node in std::mem::take(&mut root.node) {
        if is_recv(&node) {
            faults.push(at_node(&node, "BB0901", "a Recv is written by hand: only `graph.wire` makes wires"));
        } else if is_send(&node) {
            let id = read_wire_id(&node);
            if !id.is_some_and(|id| ids.insert(id)) {
                faults.push(at_node(
                    &node,
                    "BB0901",
                    format!("`{}` shares its wire's number, or has none", node.name()),
                ));
                continue;
            }
            let to = node.metadata(keys::TO_PLACE_KEY).and_then(|to| Some((to, places.get(to)?)));
            let Some((to, class)) = to else {
                faults.push(at_node(&node, "BB0901", format!("`{}` leads to no place", node.name())));
                continue;
            };
            let recv = recv_of(&node, to, class);
            node.output.drain(..node.output.len() - 1);
            nodes.push(node);
            nodes.push(recv);
            continue;
        }
        nodes.push(node);
    }
    mark_returns(&mut nodes, &places_of_kind_each(&model));
    model.functions[0].node = nodes;
    PassError::unless_but(PASS, faults, model)
}

/// What peers do not tell each other of, no engine installs.
fn one_too_many(root: &FunctionProto, places: &FxHashMap<String, String>) -> Option<Diagnostic> {
    let class = |place: Option<&str>| place.and_then(|place| places.get(place)).map_or("", String::as_str);
    let mut bytes = 0;
    for (before, send) in root.node.iter().filter_map(Send::cast).enumerate() {
        let (payloads, send) = (send.payloads().len(), send.node());
        let (from, to) = (home_class_of_node(send), class(send.metadata(keys::TO_PLACE_KEY)));
        bytes += hello::wire_bytes_max(from, to, payloads);
        let text = match () {
            () if before == WIRES_MAX => format!("{WIRES_MAX} wires at most, since peers tell each other of them all"),
            () if bytes > PROGRAM_OFFER_BYTES_MAX => {
                let limit = PROGRAM_OFFER_BYTES_MAX >> 10;
                format!("wires that peers can tell each other of in {limit} KiB, by their classes and payloads")
            }
            () => continue,
        };
        let text = format!("a program has {text}: this is one more");
        let help =
            "a loop records a wire each time round: go round on one side, or send more at once, as a tuple or a tensor";
        return Some(at_node(send, "BB0411", text).help(help));
    }
    None
}

/// By number: the class of each place.
fn place_table(model: &ModelProto) -> FxHashMap<String, String> {
    let rows = model.metadata_under(keys::PLACE_TABLE_PREFIX);
    rows.filter_map(|(n, row)| Some((n.to_owned(), row.split('|').next()?.to_owned()))).collect()
}

fn places_of_kind_each(model: &ModelProto) -> FxHashSet<String> {
    let rows = model.metadata_under(keys::PLACE_TABLE_PREFIX);
    rows.filter(|(_, row)| row.split('|').nth(1) == Some("each")).map(|(n, _)| n.to_owned()).collect()
}

fn recv_of(send: &NodeProto, to: &str, class: &str) -> NodeProto {
    let values = &send.output[..send.output.len() - 1];
    let mut recv = NodeProto {
        name: Some(names::recv(send.name())),
        domain: Some(ops::WIRE_DOMAIN.into()),
        op_type: Some(ops::OP_RECV.into()),
        output: values.to_vec(),
        ..NodeProto::default()
    };
    for key in
        [keys::WIRE_ID_KEY, keys::MODULE_INSTANCE_KEY, keys::SOURCE_KEY, keys::FROM_PLACE_KEY, keys::TO_PLACE_KEY]
    {
        if let Some(value) = send.metadata(key) {
            recv.set_metadata(key, value);
        }
    }
    recv.set_metadata(keys::HOME_CLASS_KEY, class);
    recv.set_metadata(keys::PLACE_KEY, to);
    recv
}

/// What comes home from a cohort arrives in lanes: those of its own wire.
fn mark_returns(nodes: &mut [NodeProto], each: &FxHashSet<String>) {
    let of = |node: &NodeProto, key: &str| node.metadata(key).is_some_and(|place| each.contains(place));
    for node in nodes.iter_mut().filter(|n| !is_gather(n) && is_recv(n)) {
        if of(node, keys::FROM_PLACE_KEY) && !of(node, keys::TO_PLACE_KEY) {
            let wire = node.metadata(keys::WIRE_ID_KEY).unwrap_or_default().to_owned();
            node.set_metadata(keys::LANE_KEY, wire);
        }
    }
}
