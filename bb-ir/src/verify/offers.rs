//! What a partition says of its wires is what the whole program says.

use super::{Body, Program, Report, Rule};
use crate::gates::Chains;
use crate::keys::{FROM_PLACE_KEY, HOME_CLASS_KEY, TO_PLACE_KEY};
use crate::proto::onnx::NodeProto;
use crate::types::ValueType;
use crate::views::Metadata;
use crate::wire_shape::{Recv, Send, Transport, is_recv, is_send, read_wire_id, read_wire_transport};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

pub(super) fn wires(program: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    let mut hashes: HashMap<&ValueType, u64> = HashMap::default();
    for node in body.wires().filter(|node| is_send(node) || is_recv(node)) {
        let Some(id) = read_wire_id(node) else { continue };
        let Some(row) = program.wires.get(id.to_string().as_str()) else {
            report.node(body, node, Rule::ProgramWire, format!("wire {id} is not among the program's"));
            continue;
        };
        let carried = match (Send::cast(node), Recv::cast(node)) {
            (Some(send), _) => send.payloads(),
            (None, Some(recv)) => recv.values(),
            (None, None) => continue,
        };
        let mut hash = |value: &String| {
            let ty = body.type_of(value)?;
            Some(*hashes.entry(ty).or_insert_with(|| ty.hash()))
        };
        let own: Option<Vec<u64>> = carried.iter().map(&mut hash).collect();
        let mut parts = row.splitn(3, '|');
        let classes = (parts.next(), parts.next());
        let told = parts.next().map(|text| text.split(',').map(|hash| u64::from_str_radix(hash, 16)));
        let told: Option<Vec<u64>> = told.and_then(|told| told.collect::<Result<_, _>>().ok());
        let class = |key| program.places.get(&node.metadata_number::<u32>(key)?).copied();
        if (class(FROM_PLACE_KEY), class(TO_PLACE_KEY)) != classes {
            let text = format!("wire {id} is between other classes than the program says");
            report.node(body, node, Rule::ProgramWire, text);
        }
        if own.is_some() && own != told {
            let text = format!("wire {id} carries other types than the program says");
            report.node(body, node, Rule::ProgramWire, text);
        }
    }
}

/// Of each wire that leaves its class or arrives there a partition has that half: who waits at the other one waits in vain
/// otherwise.
pub(super) fn halves(program: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let Some(class) = body.function.node.iter().find_map(|node| node.metadata(HOME_CLASS_KEY)).filter(|_| body.main)
    else {
        return;
    };
    let ids = |half: fn(&NodeProto) -> bool| -> HashSet<u64> {
        body.wires().filter(|node| half(node)).filter_map(read_wire_id).collect()
    };
    let (sent, received) = (ids(is_send), ids(is_recv));
    let mut missing = Vec::new();
    for (id, row) in &program.wires {
        let (Ok(id), Some((from, rest))) = (id.parse::<u64>(), row.split_once('|')) else { continue };
        let to = rest.split_once('|').map_or(rest, |(to, _)| to);
        if from == class && !sent.contains(&id) {
            missing.push((id, "leaves"));
        }
        if to == class && !received.contains(&id) {
            missing.push((id, "arrives at"));
        }
    }
    missing.sort_unstable();
    for (id, what) in missing {
        report.body(body, Rule::ProgramWire, format!("wire {id} {what} `{class}`, and that half of it is not here"));
    }
}

/// A wire whose values are read carries them, and one that carries them is read.
pub(super) fn transport(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.main {
        return;
    }
    let chains = Chains::of(&body.function.node);
    let mut read = vec![false; body.index.values()];
    for (at, _) in body.index.nodes() {
        let values = &body.index.inputs(at)[..body.reads(at)];
        values.iter().flatten().for_each(|value| read[value.at()] = true);
    }
    body.index.function_outputs().for_each(|value| read[value.at()] = true);
    let is_read = |value: &String| body.index.value(value).is_some_and(|value| read[value.at()]);
    let recv = |node: &NodeProto| Recv::cast(node).is_some();
    for node in body.wires().filter(|node| recv(node)) {
        let brought = chains.brought(node);
        let values = &brought[..brought.len() - 1];
        let data = values.iter().any(is_read);
        let text = match read_wire_transport(node) {
            Some(Transport::TriggerOnly) if data => "carries nothing, and its values are read",
            Some(Transport::Data) if !data => "carries values, and none is read",
            _ => continue,
        };
        report.node(body, node, Rule::Transport, text);
    }
}
