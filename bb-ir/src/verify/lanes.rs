//! Lanes: what is made in one stays in it until it is gathered.

use super::program::Maker;
use super::{Body, Program, Report, Rule};
use crate::keys::LANE_KEY;
use crate::proto::onnx::NodeProto;
use crate::views::Metadata;
use crate::wire_shape::is_gather;

pub(super) fn read(_: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if !body.main {
        return;
    }
    let here = node.metadata(LANE_KEY);
    for input in node.input.iter().filter(|input| !input.is_empty()) {
        let Some(Maker::Node(at, _)) = body.makers.get(input.as_str()) else { continue };
        let maker = &body.function.node[*at];
        // A Gather names the lanes it closes and runs outside of them.
        let Some(lane) = maker.metadata(LANE_KEY).filter(|_| !is_gather(maker)) else { continue };
        if here != Some(lane) {
            report.input(
                body,
                node,
                input,
                Rule::Lane,
                format!("is made in the lanes of wire {lane} and read outside"),
            );
        }
    }
}
