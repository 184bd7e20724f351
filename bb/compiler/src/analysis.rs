//! What a compilation knows about the network its program needs.

use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::wire_shape::{is_recv, is_send, read_wire_id};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

/// The classes of a program and the wires between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkAnalysis {
    /// By class, in the order of places: the names of the nodes that run there.
    pub per_role: IndexMap<String, Vec<String>>,
    /// Every wire, by id.
    pub wire_edges: Vec<WireEdge>,
}

/// A wire: what leaves one class and arrives at another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireEdge {
    /// Its number, equal on both halves.
    pub wire_id: u64,
    /// The class it leaves.
    pub producer_role: String,
    /// The class it arrives at.
    pub consumer_role: String,
    /// The first value it brings.
    pub value_name: String,
    /// The Send's name.
    pub send_node: String,
    /// The Recv's name.
    pub recv_node: String,
}

/// Pairs Sends and Recvs by wire id, wherever they stand; the result is sorted by id. What has no partner is left out:
/// `validate_runtime_complete` says so.
pub fn discover_wire_edges<'a>(mains: impl IntoIterator<Item = (&'a str, &'a FunctionProto)>) -> Vec<WireEdge> {
    let mut sends = Vec::new();
    let mut recvs = FxHashMap::default();
    for (class, function) in mains {
        for node in function.node.iter().filter(|node| is_send(node) || is_recv(node)) {
            match read_wire_id(node) {
                Some(id) if is_send(node) => sends.push((id, class, node)),
                Some(id) if is_recv(node) => {
                    recvs.insert(id, (class, node));
                }
                _ => {}
            }
        }
    }
    sends.sort_by_key(|(id, ..)| *id);
    let edge = |(id, from, send): (u64, &str, &NodeProto)| {
        let (to, recv) = recvs.get(&id)?;
        Some(WireEdge {
            wire_id: id,
            producer_role: from.to_owned(),
            consumer_role: (*to).to_owned(),
            value_name: recv.output.first()?.clone(),
            send_node: send.name().to_owned(),
            recv_node: recv.name().to_owned(),
        })
    };
    sends.into_iter().filter_map(edge).collect()
}
