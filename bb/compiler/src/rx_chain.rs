//! The walk all gates share: where the next gate goes. Behind a Recv the last gate gives the values their names, so that
//! readers and outputs keep theirs; before a Send the first gate reads what the Send read.

pub use bb_ir::gates::Chains;

use crate::driver::Partition;
use crate::parallel;
use crate::passes::insert_gates::{guard_of, import_gates};
use bb_ir::gates::{GateKind, Side, is_gate, stamp_dedup_slot};
use bb_ir::keys::{ATTR_PEER, DEST_SITE_NAME_PREFIX};
use bb_ir::names;
use bb_ir::proto::onnx::{FunctionProto, NodeProto, ValueInfoProto};
use bb_ir::views::{Attributes, Metadata, data_inputs};
use bb_ir::wire_shape::{is_recv, is_send, read_wire_id};
use rustc_hash::{FxHashMap, FxHashSet};

/// A gate behind every Recv, or before every Send, that has none of its kind.
pub(crate) fn insert(partitions: Vec<Partition>, kind: GateKind) -> Vec<Partition> {
    let mut renamed: FxHashMap<u64, Vec<String>> = FxHashMap::default();
    let guarded = parallel::map(partitions, |mut partition| {
        let mut renamed = FxHashMap::default();
        insert_in(&mut partition.model.functions[0], kind, &mut renamed);
        import_gates(&mut partition.model);
        (partition, renamed)
    });
    let mut partitions = Vec::with_capacity(guarded.len());
    for (partition, here) in guarded {
        partitions.push(partition);
        renamed.extend(here);
    }
    if renamed.is_empty() {
        return partitions;
    }
    // A Send says what the sites are called that it fills.
    for send in partitions.iter_mut().flat_map(|p| &mut p.model.functions[0].node).filter(|n| is_send(n)) {
        for (payload, name) in read_wire_id(send).and_then(|id| renamed.get(&id)).into_iter().flatten().enumerate() {
            let key = format!("{DEST_SITE_NAME_PREFIX}{payload}");
            if send.metadata(&key).is_some() {
                send.set_metadata(&key, name.clone());
            }
        }
    }
    partitions
}

/// A new gate: in front of a Send, or behind the node at `end` that gives what a Recv brings so far.
struct Insertion {
    end: usize,
    gate: NodeProto,
    /// The wire, where the node at `end` is its Recv.
    first_of: Option<u64>,
}

fn insertions(nodes: &[NodeProto], kind: GateKind) -> Vec<Insertion> {
    let chains = Chains::of(nodes);
    let at: FxHashMap<&str, usize> =
        nodes.iter().enumerate().filter(|(_, n)| is_gate(n)).map(|(i, n)| (n.name(), i)).collect();
    let mut all = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let (chain, last) = match kind.side() {
            Side::Rx if is_recv(node) => {
                let chain = chains.behind(node);
                let last = chain.last().map(|gate| at[gate.node().name()]);
                (chain, last)
            }
            Side::Tx if is_send(node) => (chains.before(node), None),
            _ => continue,
        };
        if chain.iter().all(|gate| gate.kind() != kind) {
            let first_of = if last.is_none() { read_wire_id(node) } else { None };
            all.push(Insertion { end: last.unwrap_or(i), gate: gate_of(node, kind), first_of });
        }
    }
    all.sort_by_key(|insertion| insertion.end);
    all
}

fn gate_of(wire_op: &NodeProto, kind: GateKind) -> NodeProto {
    let mut gate = guard_of(wire_op, kind.op());
    if let (GateKind::DedupRx, Some(wire)) = (kind, read_wire_id(wire_op)) {
        stamp_dedup_slot(&mut gate, wire);
    }
    if let Some(peer) = wire_op.attr(ATTR_PEER) {
        gate.set_attr(peer.clone());
    }
    gate
}

fn insert_in(function: &mut FunctionProto, kind: GateKind, renamed: &mut FxHashMap<u64, Vec<String>>) {
    let insertions = insertions(&function.node, kind);
    let mut typed = {
        let around = insertions.iter().map(|insertion| &function.node[insertion.end]);
        let like = around.flat_map(|node| match kind.side() {
            Side::Rx => &node.output[..],
            Side::Tx => data_inputs(node),
        });
        Typed::of(&mut function.value_info, like.map(String::as_str).collect())
    };
    let mut next = insertions.into_iter().peekable();
    let mut nodes = Vec::with_capacity(function.node.len());
    for (i, mut node) in std::mem::take(&mut function.node).into_iter().enumerate() {
        let Some(Insertion { mut gate, first_of, .. }) = next.next_if(|insertion| insertion.end == i) else {
            nodes.push(node);
            continue;
        };
        match kind.side() {
            Side::Rx => {
                let before = |name: &String| names::before_gate(name, node.op_type());
                gate.input = node.output.iter().map(before).collect();
                gate.output = std::mem::replace(&mut node.output, gate.input.clone());
                typed.like(&gate.output, &gate.input);
                if let Some(wire) = first_of {
                    renamed.insert(wire, node.output[..node.output.len() - 1].to_vec());
                }
                nodes.extend([node, gate]);
            }
            Side::Tx => {
                let read = data_inputs(&node).len();
                gate.output = (0..read).map(|n| format!("{}.{n}", gate.name())).collect();
                gate.input = node.input.splice(..read, gate.output.iter().cloned()).collect();
                typed.like(&gate.input, &gate.output);
                nodes.extend([gate, node]);
            }
        }
    }
    function.node = nodes;
}

/// The types of a function's values, while it gets new ones.
struct Typed<'a> {
    all: &'a mut Vec<ValueInfoProto>,
    by_name: FxHashMap<String, usize>,
}
impl<'a> Typed<'a> {
    /// To be asked for values like those in `like`.
    fn of(all: &'a mut Vec<ValueInfoProto>, like: FxHashSet<&str>) -> Self {
        let asked = all.iter().enumerate().filter(|(_, info)| like.contains(info.name()));
        let by_name = asked.map(|(i, info)| (info.name().to_owned(), i)).collect();
        Typed { all, by_name }
    }
    /// New values, each of the type of an old one.
    fn like(&mut self, old: &[String], new: &[String]) {
        for (old, new) in old.iter().zip(new) {
            if let Some(at) = self.by_name.get(old) {
                let info = ValueInfoProto { name: Some(new.clone()), ..self.all[*at].clone() };
                self.all.push(info);
            }
        }
    }
}
