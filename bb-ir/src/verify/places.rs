//! Places: every node of the root at one, with all it reads.

use super::program::Maker;
use super::{Body, Program, Report, Rule};
use crate::keys::{FROM_PLACE_KEY, HOME_CLASS_KEY, PLACE_KEY, PLACE_TABLE_PREFIX, TO_PLACE_KEY};
use crate::proto::onnx::NodeProto;
use crate::views::Metadata;
use crate::wire_shape::{is_recv, is_send};

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

pub(super) fn placed(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if !body.main {
        return;
    }
    let Some(place) = node.metadata_number::<u32>(PLACE_KEY) else {
        report.node(body, node, Rule::Unplaced, "has no place");
        return;
    };
    match (program.places.get(&place), node.metadata(HOME_CLASS_KEY)) {
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

pub(super) fn one_place(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(here) = node.metadata_number::<u32>(PLACE_KEY).filter(|_| body.main) else { return };
    for input in node.input.iter().filter(|input| !input.is_empty() && !program.weights.contains(input.as_str())) {
        let there = body.makers.get(input.as_str()).and_then(|maker| place_of(body, *maker));
        if let Some(there) = there.filter(|there| *there != here) {
            let text = format!("is read at place {here} and lives at place {there}");
            report.input(body, node, input, Rule::TwoPlaces, text);
        }
    }
}

/// Where a value lives. What a Send gives before it is cut lives where the wire arrives, but for its handle.
fn place_of(body: &Body<'_>, maker: Maker) -> Option<u32> {
    let Maker::Node(at, output) = maker else { return Some(ENTRY) };
    let node = &body.function.node[at];
    let arrives = is_send(node) && output + 1 < node.output.len();
    node.metadata_number(if arrives { TO_PLACE_KEY } else { PLACE_KEY })
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
