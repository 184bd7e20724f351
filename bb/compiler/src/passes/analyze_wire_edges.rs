//! Says of every wire what it carries, where it goes and what it waits for.
//!
//! *Needs* `partition_by_wire_ops`, and the whole program as it was placed, before there were Recvs. *Makes* transport, batch group, destination
//! names and addresses on Sends, transport and awaited wires on Recvs. *Keeps* everything else.

mod awaits;
mod batches;

use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::index::FunctionIndex;
use crate::parallel;
use crate::runner::Left;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::digest::{ProgramDigest, site_address};
use bb_ir::keys;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::{Metadata, control_inputs};
use bb_ir::wire_shape::{Send, Transport, is_recv, is_send, read_wire_id, stamp_destination, stamp_wire_transport};
use rustc_hash::FxHashMap;

const PASS: &str = "analyze_wire_edges";

/// What is known of one wire.
struct Wire {
    transport: Transport,
    /// The values it brings, by payload.
    sites: Vec<String>,
    batch_group: u32,
    awaits: Vec<u64>,
}

/// Stamps both halves of every wire of `placed` in its partitions.
pub fn analyze_wire_edges(
    placed: &ModelProto,
    digest: &ProgramDigest,
    partitions: Vec<Partition>,
) -> Result<Vec<Partition>, PassError> {
    Ok(analyzed(placed, digest, partitions)?.0)
}

/// The same, and whether there are wires at all.
pub(crate) fn analyzed(
    placed: &ModelProto,
    digest: &ProgramDigest,
    mut partitions: Vec<Partition>,
) -> Left<Vec<Partition>> {
    if !placed.functions[0].node.iter().any(is_send) {
        return Ok((partitions, false));
    }
    let mut faults = Vec::new();
    let wires = wires_of(placed, &mut faults);
    let nodes = partitions.iter_mut().flat_map(|p| &mut p.model.functions[0].node);
    for node in nodes.filter(|node| is_send(node) || is_recv(node)) {
        let Some(id) = read_wire_id(node) else { continue };
        let Some(wire) = wires.get(&id) else { continue };
        if is_send(node) {
            stamp_send(node, id, wire, digest);
        } else if is_recv(node) {
            stamp_recv(node, wire);
        }
    }
    PassError::unless(PASS, faults, (partitions, true))
}

fn stamp_send(node: &mut NodeProto, id: u64, wire: &Wire, digest: &ProgramDigest) {
    stamp_wire_transport(node, wire.transport);
    node.set_metadata(keys::BATCH_GROUP_KEY, wire.batch_group.to_string());
    for (payload, site) in (0u32..).zip(&wire.sites) {
        stamp_destination(node, payload as usize, site_address(digest, id, payload), site);
    }
}

fn stamp_recv(node: &mut NodeProto, wire: &Wire) {
    stamp_wire_transport(node, wire.transport);
    if !wire.awaits.is_empty() {
        let ids: Vec<String> = wire.awaits.iter().map(u64::to_string).collect();
        node.set_metadata(keys::AWAITS_KEY, ids.join(","));
    }
}

fn wires_of(placed: &ModelProto, faults: &mut Vec<Diagnostic>) -> FxHashMap<u64, Wire> {
    let index = parallel::index(&placed.functions[0]);
    let reads = Reads::of(&index);
    let mut awaits = awaits::of(&index);
    let groups = batches::of(&index);
    let mut wires = FxHashMap::default();
    for (at, node) in index.nodes() {
        let (Some(send), Some(id)) = (Send::cast(node), read_wire_id(node)) else { continue };
        // The last one is the handle.
        let [values @ .., sender, _] = index.outputs(at) else { continue };
        let read = |kind: &[bool], value: &Option<_>| value.is_some_and(|v: crate::index::ValueIx| kind[v.at()]);
        let data = values.iter().any(|v| read(&reads.data, v));
        let waited = values.iter().any(|v| read(&reads.control, v));
        if !data && !waited && !read(&reads.data, sender) && !read(&reads.control, sender) {
            let fault = at_node(node, "BB0401", "nobody reads what this wire brings, nor asks who sent it");
            faults.push(fault.help("use the value, return it, or do not send it"));
        }
        let transport = if data { Transport::Data } else { Transport::TriggerOnly };
        let wire = Wire {
            transport,
            sites: send.values().to_vec(),
            batch_group: groups.get(&id).copied().unwrap_or_default(),
            awaits: awaits.remove(&id).unwrap_or_default(),
        };
        wires.insert(id, wire);
    }
    wires
}

/// Which values are read, and which are waited for. An output counts as read.
struct Reads {
    data: Vec<bool>,
    control: Vec<bool>,
}
impl Reads {
    fn of(index: &FunctionIndex<'_>) -> Self {
        let mut reads = Reads { data: vec![false; index.values()], control: vec![false; index.values()] };
        for (at, node) in index.nodes() {
            let inputs = index.inputs(at);
            let (data, control) = inputs.split_at(inputs.len() - control_inputs(node));
            data.iter().flatten().for_each(|v| reads.data[v.at()] = true);
            control.iter().flatten().for_each(|v| reads.control[v.at()] = true);
        }
        index.function_outputs().for_each(|v| reads.data[v.at()] = true);
        reads
    }
}
