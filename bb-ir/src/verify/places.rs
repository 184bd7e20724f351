//! Places: every node of the root at one, with all it reads.

use super::said::Kind;
use super::{Body, Program, Report, Rule};
use crate::index::{NodeIx, ValueIx};
use crate::keys::{AWAITS_KEY, FROM_PLACE_KEY, PEER_CLASS_KEY, PLACE_KEY, PLACE_TABLE_PREFIX, TO_PLACE_KEY};
use crate::proto::onnx::NodeProto;
use crate::types::ValueType;
use crate::views::Metadata;
use crate::wire_shape::{Send, is_recv, is_send, read_wire_id};
use rustc_hash::FxHashMap as HashMap;

/// The entry's number, where a root's inputs live.
const ENTRY: u32 = 0;

pub(super) fn table(program: &Program<'_>, report: &mut Report) {
    for (number, row) in program.model.metadata_under(PLACE_TABLE_PREFIX) {
        let mut parts = row.splitn(3, '|');
        let class = parts.next().is_some_and(|class| !class.is_empty());
        let kind = parts.next().is_some_and(|kind| ["one", "each"].contains(&kind));
        let anchor = parts.next().is_some_and(|anchor| !anchor.is_empty() && (number != "0" || anchor == "entry"));
        if number.parse::<u32>().is_err() || !class || !kind || !anchor {
            report.model(Rule::PlaceTable, format!("place {number} is `{row}`"));
        }
    }
    if !program.places.contains_key(&ENTRY) {
        report.model(Rule::PlaceTable, "there is no place 0");
    }
}

pub(super) fn placed(program: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    if !body.main {
        return;
    }
    let node = body.index.node(at);
    let Some(place) = body.place(at) else {
        report.node(body, node, Rule::Unplaced, "has no place");
        return;
    };
    match (program.places.get(&place), body.class(at)) {
        (None, _) => {
            report.node(body, node, Rule::Unplaced, format!("stands at place {place}, which is not in the table"))
        }
        (Some(_), None) => report.node(body, node, Rule::Unplaced, "has no class"),
        (Some(class), Some(home)) if *class != home => {
            report.node(body, node, Rule::Unplaced, format!("is of class `{home}` at a place of class `{class}`"));
        }
        (Some(_), Some(_)) => {}
    }
}

pub(super) fn one_place(program: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    if !body.main {
        return;
    }
    let Some(here) = body.place(at) else { return };
    for value in body.index.inputs(at).iter().flatten() {
        let there = place_of(program, body, *value);
        if let Some(there) = there.filter(|there| *there != here) {
            let text = format!("is read at place {here} and lives at place {there}");
            report.input(body, body.index.node(at), body.index.name(*value), Rule::TwoPlaces, text);
        }
    }
}

/// Where a value lives. What a Send gives before it is cut lives where the wire arrives, but for its handle. A weight is
/// wherever it is read.
fn place_of(program: &Program<'_>, body: &Body<'_>, value: ValueIx) -> Option<u32> {
    let Some(at) = body.index.producer(value) else {
        return (!program.weights.contains(body.index.name(value))).then_some(ENTRY);
    };
    if body.kind(at) != Kind::Wire {
        return body.place(at);
    }
    let node = body.index.node(at);
    let handle = body.index.outputs(at).last() == Some(&Some(value));
    if is_send(node) && !handle { node.metadata_number(TO_PLACE_KEY) } else { body.place(at) }
}

pub(super) fn wires(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let own = match (is_send(node), is_recv(node)) {
        (true, _) => FROM_PLACE_KEY,
        (_, true) => TO_PLACE_KEY,
        _ => return,
    };
    if !body.main {
        return;
    }
    for key in [FROM_PLACE_KEY, TO_PLACE_KEY] {
        let place = node.metadata_number::<u32>(key);
        if !place.is_some_and(|place| program.places.contains_key(&place)) {
            report.node(body, node, Rule::WirePlaces, format!("`{key}` names no place"));
        }
    }
    if node.metadata(own) != node.metadata(PLACE_KEY) {
        report.node(body, node, Rule::WirePlaces, format!("`{own}` is not the place it stands at"));
    }
}

/// A Send to several peers goes to a place of each of them, and its peers are of the class of that place.
pub(super) fn peers(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(send) = Send::cast(node).filter(|_| body.main) else { return };
    let info = send.peer().and_then(|peer| body.info(peer));
    let Some((info, to)) = info.zip(node.metadata_number::<u32>(TO_PLACE_KEY)) else { return };
    match info.r#type.as_ref().and_then(ValueType::from_proto) {
        Some(ty) if ty == ValueType::peer() => {}
        Some(ty) if ty.is_cohort() => {
            if !program.each.contains(&to) {
                report.node(body, node, Rule::WirePlaces, format!("goes to several peers at place {to}, which is one"));
            }
        }
        _ => report.node(body, node, Rule::WirePlaces, "is sent to what is no peer"),
    }
    let class = info.metadata(PEER_CLASS_KEY).zip(program.places.get(&to).copied());
    if let Some((points, there)) = class.filter(|(points, there)| points != there) {
        let text = format!("is sent to a peer of class `{points}` at a place of class `{there}`");
        report.node(body, node, Rule::WirePlaces, text);
    }
}

/// What a Recv waits for leaves from its own place.
pub(super) fn awaited(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    let sends = body.wires().filter(|node| is_send(node) && body.main);
    let from: HashMap<u64, Option<&str>> =
        sends.filter_map(|send| Some((read_wire_id(send)?, send.metadata(PLACE_KEY)))).collect();
    for recv in body.wires().filter(|node| is_recv(node) && body.main) {
        let awaits = recv.metadata(AWAITS_KEY).into_iter().flat_map(|text| text.split(','));
        for wire in awaits.filter_map(|id| id.parse::<u64>().ok()) {
            if from.get(&wire) != Some(&recv.metadata(PLACE_KEY)) {
                let text = format!("waits for wire {wire}, which does not leave from its place");
                report.node(body, recv, Rule::WirePlaces, text);
            }
        }
    }
}
