//! Looks at the partitions together: whether an engine could run each, and all of them with each other.
//!
//! *Needs* `stamp_compilation_metadata`'s input: every other pass. *Makes* nothing. *Keeps* everything.

use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::gate_contract::{self, GateContract};
use crate::parallel;
use crate::passes::resolve_slots::slot_rows;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::site::SiteAddress;
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Recv, Send, is_recv, is_send, read_wire_id, read_wire_transport};
use rustc_hash::{FxHashMap, FxHashSet};

mod guarded;

const PASS: &str = "validate_runtime_complete";

/// Pairing, addresses, gates, known ops, bound slots.
pub fn validate_runtime_complete(partitions: &[Partition]) -> Result<(), PassError> {
    let mut faults = Vec::new();
    check_pairs(partitions, &mut faults);
    check_addresses(partitions, &mut faults);
    let contracts = gate_contract::all();
    let found = parallel::look(partitions, |partition| {
        let mut faults = Vec::new();
        let slots: FxHashSet<u32> = slot_rows(partition.main()).map(|row| row.slot).collect();
        guarded::check(partition.main(), &contracts, &mut faults);
        for node in partition.model.functions.iter().flat_map(|f| &f.node) {
            check_op(node, &contracts, &mut faults);
            if let Some(slot) = node.metadata_number::<u32>(keys::SLOT_ID_KEY).filter(|slot| !slots.contains(slot)) {
                let text = format!("nothing binds the slot {slot} of `{}` on `{}`", node.op_type(), partition.class);
                faults.push(at_node(node, "BB0403", text));
            }
        }
        faults
    });
    faults.extend(found.into_iter().flatten());
    PassError::unless(PASS, faults, ())
}

fn broken(node: &NodeProto, text: impl Into<String>) -> Diagnostic {
    at_node(node, "BB0901", text)
}

/// Every wire has exactly one Send and one Recv, and they carry equally much.
fn check_pairs(partitions: &[Partition], faults: &mut Vec<Diagnostic>) {
    let nodes = || partitions.iter().flat_map(|p| &p.main().node);
    let mut recvs: FxHashMap<u64, &NodeProto> = FxHashMap::default();
    for node in nodes().filter(|n| is_recv(n)) {
        match read_wire_id(node) {
            Some(id) if recvs.insert(id, node).is_none() => {}
            _ => faults.push(broken(node, format!("`{}` shares its wire's number, or has none", node.name()))),
        }
    }
    for node in nodes().filter(|n| is_send(n)) {
        let recv = read_wire_id(node).and_then(|id| recvs.remove(&id));
        let payloads = Send::cast(node).map(|send| send.payloads().len());
        let equal = recv.and_then(Recv::cast).is_some_and(|recv| Some(recv.values().len()) == payloads);
        if !equal || read_wire_transport(node).is_none() {
            faults.push(broken(node, format!("nobody receives what `{}` sends", node.name())));
        }
    }
    let mut alone: Vec<_> = recvs.into_iter().collect();
    alone.sort_unstable_by_key(|(id, _)| *id);
    for (_, node) in alone {
        faults.push(broken(node, format!("nobody sends what `{}` receives", node.name())));
    }
}

/// Every payload has an address, and none has another's.
fn check_addresses(partitions: &[Partition], faults: &mut Vec<Diagnostic>) {
    let mut taken: FxHashSet<SiteAddress> = FxHashSet::default();
    for node in partitions.iter().flat_map(|p| &p.main().node) {
        let Some(send) = Send::cast(node) else { continue };
        for payload in 0..send.payloads().len() {
            match send.destination(payload) {
                None => faults.push(broken(node, format!("payload {payload} of `{}` has no address", node.name()))),
                Some(address) if !taken.insert(address) => {
                    faults.push(broken(node, format!("payload {payload} of `{}` has another's address", node.name())));
                }
                Some(_) => {}
            }
        }
    }
}

fn check_op(node: &NodeProto, contracts: &[&GateContract], faults: &mut Vec<Diagnostic>) {
    let op = node.op_type();
    let known = match node.domain() {
        _ if ops::is_onnx(node) => ops::onnx_op(op).is_some(),
        ops::WIRE_DOMAIN => {
            Send::cast(node).is_some_and(Send::is_cut) || Recv::cast(node).is_some() || Gather::cast(node).is_some()
        }
        ops::BACKEND_DOMAIN => op == keys::BACKEND_SUBGRAPH_OP,
        ops::SYSCALL_DOMAIN => ops::own_op(ops::SYSCALL_DOMAIN, op).is_some(),
        ops::GATE_DOMAIN => contracts.iter().any(|contract| contract.is(node)),
        // `verify_no_dangling_calls` asks whether a call's callee is there.
        ops::MODULE_DOMAIN => true,
        domain => {
            let own = contracts.iter().any(|contract| contract.is(node));
            own || ops::role_of_domain(domain).is_some() || domain.starts_with(ops::OP_DOMAIN_PREFIX)
        }
    };
    if !known {
        faults.push(at_node(node, "BB0501", format!("nobody implements `{op}` of `{}`", node.domain())));
    }
}
