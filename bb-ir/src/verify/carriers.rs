//! Carriers: regions of operators for a backend.

use super::{Body, Level, Program, Report, Rule};
use crate::backend::region;
use crate::keys::BACKEND_SUBGRAPH_OP;
use crate::ops::{ONNX_DOMAIN, onnx_op};
use crate::proto::onnx::{NodeProto, ValueInfoProto};
use rustc_hash::FxHashSet as HashSet;

pub(super) fn carrier(program: &Program<'_>, body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    if !body.main || program.level < Level::Cut {
        report.node(body, node, Rule::Carrier, "is a carrier outside of a partition's main");
    }
    let Some(region) = region(node).filter(|_| node.op_type() == BACKEND_SUBGRAPH_OP) else {
        report.node(body, node, Rule::Carrier, "carries no region");
        return;
    };
    let names = |infos: &[ValueInfoProto]| infos.iter().map(|info| info.name().to_owned()).collect::<Vec<_>>();
    if names(&region.input) != node.input || names(&region.output) != node.output {
        report.node(body, node, Rule::Carrier, "its region takes or gives other values than it does");
    }
    let mut made: HashSet<&str> = region.input.iter().map(ValueInfoProto::name).collect();
    for inner in &region.node {
        if inner.domain() != ONNX_DOMAIN || onnx_op(inner.op_type()).is_none() {
            let text = format!("its region holds `{}`, which is no operator of bb's", inner.op_type());
            report.node(body, node, Rule::Carrier, text);
        }
        if let Some(input) = inner.input.iter().find(|input| !input.is_empty() && !made.contains(input.as_str())) {
            report.input(body, node, input, Rule::Carrier, "its region reads what nothing makes before");
        }
        if let Some(output) = inner.output.iter().find(|output| !output.is_empty() && !made.insert(output)) {
            report.input(body, node, output, Rule::Carrier, "its region makes it twice");
        }
    }
    if let Some(missing) = node.output.iter().find(|output| !made.contains(output.as_str())) {
        report.input(body, node, missing, Rule::Carrier, "its region does not make it");
    }
}
