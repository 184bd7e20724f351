//! Puts regions of `ai.onnx` operators into carriers, each for a library for inference to run whole. On request.
//!
//! *Needs* `partition_by_wire_ops`, and slots resolved. *Makes* a carrier around every maximal region of one place and lane,
//! calls of pure modules inlined. *Keeps* what is computed, and when: values that wait for different things are of one
//! region only where nobody else reads the one that is there sooner.

mod calls;
mod regions;

use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::imports::import_what_is_used;
use crate::index::{Consumers, FunctionIndex, NodeIx, ValueIx};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops::{self, BACKEND_DOMAIN, ONNX_DOMAIN};
use bb_ir::order::in_order;
use bb_ir::proto::onnx::{FunctionProto, GraphProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::{Metadata, attribute};
use bb_ir::{keys, names, weights};
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashSet};

const PASS: &str = "collapse_backend_subgraphs";

/// Each once, in the order in which they came.
type Ordered<T> = IndexSet<T, FxBuildHasher>;

/// Who reads which value.
struct Readers {
    nodes: Consumers,
    /// What the function gives out.
    given: FxHashSet<ValueIx>,
}

impl Readers {
    /// Whether all that read `value` are nodes of which `inside` holds.
    fn all(&self, value: ValueIx, inside: impl Fn(NodeIx) -> bool) -> bool {
        !self.given.contains(&value) && self.nodes.of(value).iter().all(|reader| inside(*reader))
    }
}

/// Carriers in every partition, for a backend that has these operators.
pub fn collapse_backend_subgraphs(mut partitions: Vec<Partition>, has: &[String]) -> Result<Vec<Partition>, PassError> {
    let mut faults = Vec::new();
    for partition in &mut partitions {
        let model = &mut partition.model;
        let main = calls::inlined(model);
        let weights: FxHashSet<String> = weights::names(model).into_iter().map(str::to_owned).collect();
        refuse_unknown(&main, has, &mut faults);
        model.functions[0] = collapsed(main, &weights);
        import_what_is_used(model);
    }
    PassError::unless(PASS, faults, partitions)
}

fn is_constant(node: &NodeProto) -> bool {
    node.domain() == ONNX_DOMAIN && node.op_type() == "Constant"
}

/// Whether a node computes tensors from tensors, of elements that are known.
fn is_pure(index: &FunctionIndex<'_>, at: NodeIx) -> bool {
    let node = index.node(at);
    let tensor = |value| matches!(index.value_type(value), Some(ValueType::Tensor { element: Some(_), .. }));
    let values = index.inputs(at).iter().chain(index.outputs(at)).flatten();
    node.domain() == ONNX_DOMAIN && !is_constant(node) && values.copied().all(tensor)
}

fn refuse_unknown(main: &FunctionProto, has: &[String], faults: &mut Vec<Diagnostic>) {
    let index = FunctionIndex::new(main);
    for (at, node) in index.nodes() {
        if is_pure(&index, at) && !has.iter().any(|op| op == node.op_type()) {
            let text = format!("the backend lacks the operator `{}`", node.op_type());
            let help = "compile without `backend_subgraphs`, or for a backend that has it";
            faults.push(at_node(node, "BB0808", text).help(help));
        }
    }
}

fn collapsed(main: FunctionProto, weights: &FxHashSet<String>) -> FunctionProto {
    let index = FunctionIndex::new(&main);
    let readers = Readers { nodes: index.consumers(), given: index.function_outputs().collect() };
    let regions = regions::of(&index, &readers, weights);
    let mut gone = vec![false; main.node.len()];
    let mut nodes = Vec::new();
    for members in &regions {
        nodes.push(carrier(&index, &readers, members));
        members.iter().for_each(|at| gone[at.at()] = true);
    }
    // A constant that is read in carriers alone is in them.
    for (at, node) in index.nodes().filter(|(_, node)| is_constant(node)) {
        let mut values = index.outputs(at).iter().flatten();
        let inside = |value: &ValueIx| readers.all(*value, |reader| gone[reader.at()]);
        gone[at.at()] = !index.outputs(at).is_empty() && values.all(inside) && !node.output.is_empty();
    }
    let kept = index.nodes().filter(|(at, _)| !gone[at.at()]).map(|(_, node)| node.clone());
    let nodes = in_order(kept.chain(nodes).collect()).expect("no way leads out of a region and back");
    let made: FxHashSet<&String> = main.input.iter().chain(nodes.iter().flat_map(|node| &node.output)).collect();
    let value_info = main.value_info.iter().filter(|info| made.contains(info.name.as_ref().unwrap_or(&String::new())));
    let value_info = value_info.cloned().collect();
    FunctionProto { node: nodes, value_info, ..main }
}

/// These nodes as one.
fn carrier(index: &FunctionIndex<'_>, readers: &Readers, members: &[NodeIx]) -> NodeProto {
    let inside: FxHashSet<NodeIx> = members.iter().copied().collect();
    let (mut constants, mut inputs, mut outputs) = (Ordered::default(), Ordered::default(), Vec::new());
    for at in members {
        for value in index.inputs(*at).iter().copied().flatten() {
            match index.producer(value) {
                Some(maker) if inside.contains(&maker) => {}
                Some(maker) if is_constant(index.node(maker)) => _ = constants.insert(maker),
                _ => _ = inputs.insert(value),
            }
        }
        for value in index.outputs(*at).iter().copied().flatten() {
            if !readers.all(value, |reader| inside.contains(&reader)) {
                outputs.push(value);
            }
        }
    }
    let plain = |at: &NodeIx| {
        let node = index.node(*at);
        NodeProto {
            input: node.input.clone(),
            output: node.output.clone(),
            name: node.name.clone(),
            op_type: node.op_type.clone(),
            attribute: node.attribute.clone(),
            ..NodeProto::default()
        }
    };
    let info = |value| -> ValueInfoProto {
        let r#type = index.value_type(value).map(|ty| ty.to_proto());
        ValueInfoProto { name: Some(index.name(value).to_owned()), r#type, ..ValueInfoProto::default() }
    };
    let last = index.node(*members.last().expect("a region has a node"));
    let body = GraphProto {
        name: Some(names::guard(last.name(), keys::BACKEND_SUBGRAPH_OP)),
        node: constants.iter().chain(members).map(plain).collect(),
        input: inputs.iter().map(|value| info(*value)).collect(),
        output: outputs.iter().map(|value| info(*value)).collect(),
        ..GraphProto::default()
    };
    let mut node = NodeProto {
        name: body.name.clone(),
        domain: Some(BACKEND_DOMAIN.to_owned()),
        op_type: Some(keys::BACKEND_SUBGRAPH_OP.to_owned()),
        input: inputs.iter().map(|value| index.name(*value).to_owned()).collect(),
        output: outputs.iter().map(|value| index.name(*value).to_owned()).collect(),
        attribute: vec![attribute::graph(keys::BACKEND_SUBGRAPH_BODY_ATTR, body)],
        ..NodeProto::default()
    };
    for key in [keys::HOME_CLASS_KEY, keys::PLACE_KEY, keys::LANE_KEY, keys::MODULE_INSTANCE_KEY, keys::SOURCE_KEY] {
        if let Some(value) = last.metadata(key) {
            node.set_metadata(key, value);
        }
    }
    node
}

/// The operators that a backend has if it has all that work on tensors.
pub fn tensor_operators() -> Vec<String> {
    let sequences = |op: &str| op.contains("Sequence");
    ops::ONNX_OPS.iter().map(|op| op.name).filter(|op| !sequences(op)).map(str::to_owned).collect()
}
