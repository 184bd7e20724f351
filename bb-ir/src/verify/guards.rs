//! Gates and what they guard say the same of it.

use super::{Body, Program, Report, Rule};
use crate::gates::{DeadlineCheck, Gate, read_deadline_ns};
use crate::proto::onnx::NodeProto;
use crate::views::data_inputs;
use crate::wire_shape::{is_recv, read_wire_id};

pub(super) fn numbers(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    for node in body.function.node.iter().filter(|_| body.main) {
        deduplicates(body, node, report);
        for input in &node.input[data_inputs(node).len()..] {
            let check = body.maker(input).and_then(DeadlineCheck::cast);
            if check.is_some_and(|check| read_deadline_ns(node) != Some(check.deadline_ns())) {
                report.input(body, node, input, Rule::GateShape, "checks another deadline than the node has");
            }
        }
    }
}

fn deduplicates(body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    let Some(slot) = Gate::cast(node).and_then(Gate::dedup_slot) else { return };
    let guarded = body.maker(&node.input[0]).filter(|recv| is_recv(recv)).and_then(read_wire_id);
    if guarded.is_some_and(|wire| wire != slot) {
        report.node(body, node, Rule::GateShape, format!("tells the messages of wire {slot} apart, behind another"));
    }
}
