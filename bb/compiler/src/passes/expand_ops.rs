//! Says what an op leaves unsaid, and gives every output of the root a site of its own.
//!
//! *Needs* `inline_for_partition`. *Makes* defaults of attributes explicit, pass-throughs in front of outputs that are
//! also read, and drops gathers and constants nobody reads. *Keeps* meaning.

use crate::error::{PassError, at_node};
use crate::imports::import_what_is_used;
use crate::index::{FunctionIndex, NodeIx};
use crate::parallel;
use crate::runner::Left;
use bb_ir::proto::onnx::{AttributeProto, FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::views::{Attributes, Metadata, attribute};
use bb_ir::wire_shape::{Gather, Send, is_gather, is_send};
use bb_ir::{keys, names, ops};
use rustc_hash::{FxHashMap, FxHashSet};

const PASS: &str = "expand_ops";

/// What ONNX says an attribute is where it is absent.
enum Default {
    Int(&'static str, i64),
    Float(&'static str, f32),
}

/// Of every reduction.
const REDUCES: &[Default] = &[Default::Int("keepdims", 1), Default::Int("noop_with_empty_axes", 0)];

/// The defaults of the operators in `bb_ir::ops::ONNX_OPS`, opset 21.
const DEFAULTS: &[(&str, &[Default])] = &[
    ("ArgMax", &[Default::Int("axis", 0), Default::Int("keepdims", 1), Default::Int("select_last_index", 0)]),
    ("ArgMin", &[Default::Int("axis", 0), Default::Int("keepdims", 1), Default::Int("select_last_index", 0)]),
    ("AveragePool", &[Default::Int("ceil_mode", 0), Default::Int("count_include_pad", 0)]),
    (
        "BatchNormalization",
        &[Default::Float("epsilon", 1e-5), Default::Float("momentum", 0.9), Default::Int("training_mode", 0)],
    ),
    ("Cast", &[Default::Int("saturate", 1)]),
    ("ConcatFromSequence", &[Default::Int("new_axis", 0)]),
    ("Conv", &[Default::Int("group", 1)]),
    ("Elu", &[Default::Float("alpha", 1.0)]),
    ("Flatten", &[Default::Int("axis", 1)]),
    ("Gather", &[Default::Int("axis", 0)]),
    (
        "Gemm",
        &[
            Default::Float("alpha", 1.0),
            Default::Float("beta", 1.0),
            Default::Int("transA", 0),
            Default::Int("transB", 0),
        ],
    ),
    ("HardSigmoid", &[Default::Float("alpha", 0.2), Default::Float("beta", 0.5)]),
    ("LayerNormalization", &[Default::Int("axis", -1), Default::Float("epsilon", 1e-5), Default::Int("stash_type", 1)]),
    ("LeakyRelu", &[Default::Float("alpha", 0.01)]),
    ("LogSoftmax", &[Default::Int("axis", -1)]),
    ("MaxPool", &[Default::Int("ceil_mode", 0), Default::Int("storage_order", 0)]),
    ("ReduceL1", REDUCES),
    ("ReduceL2", REDUCES),
    ("ReduceLogSum", REDUCES),
    ("ReduceLogSumExp", REDUCES),
    ("ReduceMax", REDUCES),
    ("ReduceMean", REDUCES),
    ("ReduceMin", REDUCES),
    ("ReduceProd", REDUCES),
    ("ReduceSum", REDUCES),
    ("ReduceSumSquare", REDUCES),
    ("Reshape", &[Default::Int("allowzero", 0)]),
    ("Shape", &[Default::Int("start", 0)]),
    ("Softmax", &[Default::Int("axis", -1)]),
    ("Split", &[Default::Int("axis", 0)]),
];

/// What an operator cannot do without.
const REQUIRED: &[(&str, &str)] = &[
    ("AveragePool", "kernel_shape"),
    ("Cast", "to"),
    ("Concat", "axis"),
    ("ConcatFromSequence", "axis"),
    ("Constant", "value"),
    ("MaxPool", "kernel_shape"),
];

/// Expands every function; outputs get their sites in the root alone, since those of others are forwarded.
pub fn expand_ops(model: ModelProto) -> Result<ModelProto, PassError> {
    Ok(expanded(model)?.0)
}

/// The same, and whether there was anything to do.
pub(crate) fn expanded(mut model: ModelProto) -> Left<ModelProto> {
    let mut faults = Vec::new();
    let mut changed = false;
    for function in &mut model.functions {
        for node in &mut function.node {
            if ops::is_onnx(node) {
                changed |= spell_out(node);
                for (_, missing) in
                    REQUIRED.iter().filter(|(op, name)| *op == node.op_type() && node.attr(name).is_none())
                {
                    faults.push(at_node(node, "BB0901", format!("`{}` needs `{missing}`", node.op_type())));
                }
            } else if is_gather(node) && node.attr(ops::gather::NEED_KIND).is_none() {
                node.set_attr(attribute::string(ops::gather::NEED_KIND, ops::gather::ALL));
                changed = true;
            }
        }
        changed |= drop_unread(function);
    }
    changed |= enter_lanes(&mut model.functions[0]);
    changed |= separate_outputs(&mut model.functions[0]);
    changed |= import_what_is_used(&mut model);
    Ok((PassError::unless_but(PASS, faults, model)?, changed))
}

fn spell_out(node: &mut NodeProto) -> bool {
    let Ok(row) = DEFAULTS.binary_search_by(|(op, _)| (*op).cmp(node.op_type())) else { return false };
    let said = node.attribute.len();
    for default in DEFAULTS[row].1 {
        let (name, value): (&str, AttributeProto) = match default {
            Default::Int(name, value) => (name, attribute::int(name, *value)),
            Default::Float(name, value) => (name, attribute::float(name, *value)),
        };
        if node.attr(name).is_none() {
            node.set_attr(value);
        }
    }
    node.attribute.len() > said
}

/// How often each value is read, and what is recorded ahead of time and not read at all: policies of a gather that another
/// one replaced, and constants of those. Outputs count as read.
pub(super) fn readers(index: &FunctionIndex<'_>) -> (Vec<u32>, FxHashSet<NodeIx>) {
    let mut readers = vec![0u32; index.values()];
    for (node, _) in index.nodes() {
        for value in index.inputs(node).iter().flatten() {
            readers[value.at()] += 1;
        }
    }
    for value in index.function_outputs() {
        readers[value.at()] += 1;
    }
    let mut unread = FxHashSet::default();
    for at in (0..index.function().node.len()).rev().map(NodeIx::new) {
        if is_ahead_of_time(index.node(at)) && index.outputs(at).iter().flatten().all(|value| readers[value.at()] == 0)
        {
            unread.insert(at);
            for value in index.inputs(at).iter().flatten() {
                readers[value.at()] -= 1;
            }
        }
    }
    (readers, unread)
}

fn is_ahead_of_time(node: &NodeProto) -> bool {
    is_gather(node) || ops::is_onnx(node) && node.op_type() == "Constant"
}

fn drop_unread(function: &mut FunctionProto) -> bool {
    if !function.node.iter().any(is_ahead_of_time) {
        return false;
    }
    let unread: FxHashSet<String> = {
        let index = parallel::index(function);
        let (_, unread) = readers(&index);
        unread.into_iter().map(|at| index.node(at).name().to_owned()).collect()
    };
    if unread.is_empty() {
        return false;
    }
    let mut gone: FxHashSet<String> = FxHashSet::default();
    function.node.retain_mut(|node| {
        let keep = !unread.contains(node.name());
        if !keep {
            gone.extend(std::mem::take(&mut node.output));
        }
        keep
    });
    function.value_info.retain(|info| !gone.contains(info.name()));
    true
}

/// `.each(|_| w)` gathers what is no lane's own: in each lane it counts from when that lane's value is there.
fn enter_lanes(root: &mut FunctionProto) -> bool {
    if !root.node.iter().any(is_gather) {
        return false;
    }
    let mut first_of: FxHashMap<u64, String> = FxHashMap::default();
    let mut in_lanes: FxHashSet<String> = FxHashSet::default();
    for node in &root.node {
        if let Some(send) = Send::cast(node) {
            first_of.extend(send.wire_id().zip(send.values().first().cloned()));
        }
        if is_send(node) || !is_gather(node) && node.metadata(keys::LANE_KEY).is_some() {
            in_lanes.extend(node.output.iter().cloned());
        }
    }
    let foreign = |node: &NodeProto| {
        let gather = Gather::cast(node);
        gather.is_some_and(|gather| gather.values().iter().any(|value| !in_lanes.contains(value)))
    };
    if !root.node.iter().any(foreign) {
        return false;
    }
    let infos: FxHashMap<String, ValueInfoProto> =
        root.value_info.iter().map(|i| (i.name().to_owned(), i.clone())).collect();
    for mut node in std::mem::take(&mut root.node) {
        let values = Gather::cast(&node).map_or(0, |gather| gather.values().len());
        for i in 0..values {
            let value = node.input[i].clone();
            let arrives = node.metadata_number::<u64>(keys::LANE_KEY).and_then(|lane| first_of.get(&lane));
            let (false, Some(arrives)) = (in_lanes.contains(&value), arrives) else { continue };
            let entered = names::inlined(node.name(), &names::copy(&value, i));
            let mut pass = pass_through(&value, &entered, &node);
            pass.input.push(arrives.clone());
            pass.set_metadata(keys::CONTROL_KEY, "1");
            pass.set_metadata(keys::LANE_KEY, node.metadata(keys::LANE_KEY).unwrap_or_default());
            root.node.push(pass);
            root.value_info.extend(infos.get(&value).map(|info| copy_info(info, &entered)));
            node.input[i] = entered;
        }
        root.node.push(node);
    }
    true
}

/// `from` under the name `to`, written where `like` was.
fn pass_through(from: &str, to: &str, like: &NodeProto) -> NodeProto {
    let mut node = NodeProto {
        name: Some(to.to_owned()),
        domain: Some(ops::SYSCALL_DOMAIN.into()),
        op_type: Some(ops::SYSCALL_PASS_THROUGH.into()),
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        ..NodeProto::default()
    };
    for key in [keys::MODULE_INSTANCE_KEY, keys::SOURCE_KEY] {
        if let Some(value) = like.metadata(key) {
            node.set_metadata(key, value);
        }
    }
    node
}

fn copy_info(info: &ValueInfoProto, name: &str) -> ValueInfoProto {
    let mut info = info.clone();
    info.name = Some(name.to_owned());
    info.remove_metadata(keys::HOME_CLASS_KEY);
    info.remove_metadata(keys::PLACE_KEY);
    info
}

/// An output that is also read, is an input or is declared twice gets a site of its own.
fn separate_outputs(root: &mut FunctionProto) -> bool {
    let given: FxHashSet<&str> = root.output.iter().map(String::as_str).collect();
    let read = root.input.iter().chain(root.node.iter().flat_map(|n| &n.input));
    let mut busy: FxHashSet<&str> = read.map(String::as_str).filter(|name| given.contains(name)).collect();
    let mut declared: FxHashMap<&str, usize> = FxHashMap::default();
    for output in &root.output {
        *declared.entry(output).or_default() += 1;
    }
    busy.extend(declared.into_iter().filter(|(_, times)| *times > 1).map(|(output, _)| output));
    let mut sites: FxHashMap<&str, usize> = FxHashMap::default();
    let mut copies = Vec::new();
    for (position, output) in root.output.iter().enumerate() {
        let taken = sites.entry(output).or_default();
        if busy.contains(output.as_str()) {
            copies.push((position, output.clone(), names::copy(output, *taken)));
        }
        *taken += 1;
    }
    if copies.is_empty() {
        return false;
    }
    let infos: FxHashMap<&str, &ValueInfoProto> = root.value_info.iter().map(|i| (i.name(), i)).collect();
    let makers: FxHashMap<&str, &NodeProto> =
        root.node.iter().flat_map(|n| n.output.iter().map(move |o| (o.as_str(), n))).collect();
    let mut nodes = Vec::new();
    let mut new_infos = Vec::new();
    for (_, from, to) in &copies {
        let root_alone = NodeProto::default();
        let mut node = pass_through(from, to, makers.get(from.as_str()).copied().unwrap_or(&root_alone));
        node.set_metadata(keys::MODULE_INSTANCE_KEY, root.name());
        nodes.push(node);
        new_infos.extend(infos.get(from.as_str()).map(|info| copy_info(info, to)));
    }
    root.node.extend(nodes);
    root.value_info.extend(new_infos);
    for (position, _, to) in copies {
        root.output[position] = to;
    }
    true
}
