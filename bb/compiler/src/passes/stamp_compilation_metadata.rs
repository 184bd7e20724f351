//! Seals a partition: passport, binding table, the program it is part of, and the operator sets it uses.
//!
//! *Needs* every other pass. *Makes* what an engine asks for before it installs. *Keeps* the functions.

use crate::driver::Partition;
use crate::error::PassError;
use crate::imports::import_what_is_used;
use crate::index::FunctionIndex;
use crate::parallel;
use crate::passes::resolve_slots::{concrete_rows, slot_rows};
use crate::rx_chain::Chains;
use bb_ir::bindings::{binding_key, encode_binding_value, stamp_model_metadata};
use bb_ir::digest::ProgramDigest;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::peer_class::home_class_of_node;
use bb_ir::proto::onnx::{FunctionProto, ModelProto};
use bb_ir::types::ValueType;
use bb_ir::version::ONNX_IR_VERSION;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Recv, Send, read_wire_id};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Seals every partition of a program with that digest.
pub fn stamp_compilation_metadata(
    partitions: Vec<Partition>,
    digest: &ProgramDigest,
) -> Result<Vec<Partition>, PassError> {
    let wires = wire_table(&partitions).into_iter();
    let mut wires: Vec<_> = wires.map(|(id, row)| (format!("{}{id}", keys::PROGRAM_WIRE_PREFIX), row)).collect();
    // In the order of their texts, which is that of metadata.
    wires.sort_unstable();
    Ok(parallel::map(partitions, |mut partition| {
        partition.model.set_all_metadata(wires.iter().cloned());
        partition.model.set_metadata(keys::PROGRAM_DIGEST_KEY, digest.to_string());
        stamp_bindings(&mut partition.model);
        stamp_recv_slots(&mut partition.model.functions[0]);
        stamp_for_test(&mut partition.model);
        partition
    }))
}

/// The passport alone, for a model that a test wrote by hand.
pub fn stamp_for_test(model: &mut ModelProto) {
    model.ir_version = Some(ONNX_IR_VERSION);
    model.set_metadata(keys::COMPILED_KEY, keys::COMPILED_CURRENT_VERSION);
    stamp_model_metadata(model);
    import_what_is_used(model);
}

/// `<from class>|<to class>|<type hash>,…` of every wire, by id.
fn wire_table(partitions: &[Partition]) -> BTreeMap<u64, String> {
    let mut to: FxHashMap<u64, &str> = FxHashMap::default();
    for node in partitions.iter().flat_map(|p| &p.main().node) {
        if let (Some(recv), Some(id)) = (Recv::cast(node), read_wire_id(node)) {
            to.insert(id, home_class_of_node(recv.node()));
        }
    }
    let mut rows = BTreeMap::new();
    for partition in partitions {
        let types: FxHashMap<&str, u64> = hashes(partition.main());
        for node in &partition.main().node {
            let (Some(send), Some(id)) = (Send::cast(node), read_wire_id(node)) else { continue };
            let hashes =
                send.payloads().iter().map(|p| format!("{:016x}", types.get(p.as_str()).copied().unwrap_or(0)));
            let hashes = hashes.collect::<Vec<_>>().join(",");
            let to = to.get(&id).copied().unwrap_or_default();
            rows.insert(id, format!("{}|{to}|{hashes}", partition.class));
        }
    }
    rows
}

fn hashes(function: &FunctionProto) -> FxHashMap<&str, u64> {
    let sends = function.node.iter().filter_map(Send::cast);
    let sent: FxHashSet<&str> = sends.flat_map(|send| send.payloads().iter().map(String::as_str)).collect();
    let infos = function.value_info.iter().filter(|info| sent.contains(info.name()));
    let typed = infos.filter_map(|info| Some((info.name(), ValueType::from_proto(info.r#type.as_ref()?)?)));
    let mut by_type: FxHashMap<ValueType, u64> = FxHashMap::default();
    typed
        .map(|(name, of)| {
            let hash = match by_type.get(&of) {
                Some(hash) => *hash,
                None => of.hash(),
            };
            by_type.insert(of, hash);
            (name, hash)
        })
        .collect()
}

/// Slots that are bound at start, and components that are built by their type.
fn stamp_bindings(model: &mut ModelProto) {
    let main = &model.functions[0];
    let target = main.name().to_owned();
    let mut rows: BTreeMap<String, String> = slot_rows(main)
        .map(|row| (binding_key(&target, row.name), encode_binding_value(row.role, None, Some(row.slot))))
        .collect();
    rows.extend(
        concrete_rows(main)
            .map(|row| (binding_key(&target, row.name), encode_binding_value(row.role, Some(row.of), None))),
    );
    for node in model.functions.iter().flat_map(|f| &f.node) {
        if let (Some(concrete), Some(instance), Some(role)) = (
            node.metadata(keys::CONCRETE_TYPE_KEY),
            node.metadata(keys::INSTANCE_KEY),
            ops::role_of_domain(node.domain()),
        ) {
            rows.insert(binding_key(&target, instance), encode_binding_value(role, Some(concrete), None));
        }
    }
    for (key, value) in rows {
        model.set_metadata(&key, value);
    }
    // In the model they stand for the partition, so the function's rows for its class are spent.
    model.functions[0].props_mut().retain(|row| !row.key().starts_with(keys::BINDING_KEY_PREFIX));
}

/// A backend may want to decode what its own role op is going to read.
fn stamp_recv_slots(main: &mut FunctionProto) {
    if !main.node.iter().any(|node| node.metadata(keys::SLOT_ID_KEY).is_some()) {
        return;
    }
    let mut found = Vec::new();
    {
        let index = FunctionIndex::new(main);
        let consumers = index.consumers();
        let chains = Chains::of(&main.node);
        for (at, node) in index.nodes().filter(|(_, node)| Recv::cast(node).is_some()) {
            let brought = chains.brought(node);
            let values = brought[..brought.len() - 1].iter().filter_map(|name| index.value(name));
            let readers = values.flat_map(|value| consumers.of(value));
            let slot = readers.filter_map(|reader| index.node(*reader).metadata(keys::SLOT_ID_KEY)).next();
            found.extend(slot.map(|slot| (at, slot.to_owned())));
        }
    }
    for (at, slot) in found {
        main.node[at.at()].set_metadata(keys::RECV_SLOT_ID_KEY, slot);
    }
}
