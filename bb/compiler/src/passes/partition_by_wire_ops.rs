//! Cuts the root into one function per class, and the bootstrap beside it.
//!
//! *Needs* `synthesize_wire_recvs`: between classes there are only wires. *Makes* one model per class, its main function
//! first, and the analysis of the network. *Keeps* names, order and types.

use crate::analysis::{NetworkAnalysis, discover_wire_edges};
use crate::driver::Partition;
use crate::error::{PassError, at_node};
use crate::index::{FunctionIndex, InfoIx, NodeIx, ValueIx};
use crate::parallel;
use bb_ir::bindings::is_bootstrap;
use bb_ir::peer_class::home_class_of_node;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb_ir::types::ValueType;
use bb_ir::views::{Metadata, border};
use bb_ir::{keys, names, ops, weights};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

mod bootstrap;

const PASS: &str = "partition_by_wire_ops";

/// One partition per class, the entry's first, and what the network looks like.
pub fn partition_by_wire_ops(mut model: ModelProto) -> Result<(Vec<Partition>, NetworkAnalysis), PassError> {
    let declared = {
        let index = parallel::index(&model.functions[0]);
        check_no_other_crossings(&model, &index)?;
        Declared::of(&index)
    };
    let classes = classes_in_order(&model).into_iter();
    let mut groups: IndexMap<String, Group, FxBuildHasher> = classes.map(|class| (class, Group::default())).collect();
    for node in &model.functions[0].node {
        if !groups.contains_key(home_class_of_node(node)) {
            groups.insert(home_class_of_node(node).to_owned(), Group::default());
        }
    }
    let nowhere = bootstrap::nowhere(&model, groups.keys());
    if !nowhere.is_empty() {
        return Err(PassError { rest: Some(Box::new(model)), ..PassError::new(PASS, nowhere) });
    }
    let mut infos = std::mem::take(&mut model.functions[0].value_info);
    let mut made = declared.made.into_iter();
    let inputs = Inputs::of(declared.inputs, &infos);
    for node in std::mem::take(&mut model.functions[0].node) {
        let group = groups.get_mut(home_class_of_node(&node)).expect("every class has a group");
        let infos_of = made.by_ref().take(node.output.len()).flatten();
        group.infos.extend(infos_of.map(|info| std::mem::take(&mut infos[info.at()])));
        group.nodes.push(node);
    }
    let (model, root) = (&model, &model.functions[0]);
    let classes: Vec<String> = groups.keys().cloned().collect();
    let nodes = groups.values().map(|group| group.nodes.len()).sum();
    let parts = parallel::over(groups.into_iter().collect(), nodes, |(class, Group { nodes, infos })| {
        let name = names::partition(root.name(), &class, classes.len());
        let arguments = (class == classes[0]).then(|| weights::arguments(model, root));
        let read = arguments.into_iter().flatten().chain(read(model, &nodes)).cloned().collect();
        let names: Vec<String> = nodes.iter().map(|n| n.name().to_owned()).collect();
        let main = cut(root, name, nodes, infos, inputs.and_start(read));
        let main = keep_slots(main, root, &class);
        let graph = border::graph(&main, weights::of(model));
        let modules = model.functions[1..].iter().filter(|f| f.domain() == ops::MODULE_DOMAIN && !is_bootstrap(f));
        let beside = bootstrap::part(model, &class).into_iter().chain(modules.cloned());
        let model = ModelProto {
            graph: Some(graph),
            functions: std::iter::once(main).chain(beside).collect(),
            ..frame_of(model)
        };
        (names, Partition { class, model })
    });
    let mut per_role = IndexMap::with_capacity(classes.len());
    let mut partitions = Vec::with_capacity(classes.len());
    for (names, partition) in parts {
        per_role.insert(partition.class.clone(), names);
        partitions.push(partition);
    }
    let mains = partitions.iter().map(|p| (p.class.as_str(), p.main()));
    let analysis = NetworkAnalysis { per_role, wire_edges: discover_wire_edges(mains) };
    Ok((partitions, analysis))
}

/// What a partition's model shares with the whole program's.
fn frame_of(model: &ModelProto) -> ModelProto {
    let mut frame = ModelProto {
        ir_version: model.ir_version,
        producer_name: model.producer_name.clone(),
        opset_import: model.opset_import.clone(),
        ..ModelProto::default()
    };
    frame.props_mut().clone_from(model.props());
    frame
}

/// The classes of the table of places, by the number of their first place.
fn classes_in_order(model: &ModelProto) -> Vec<String> {
    let rows = model.metadata_under(keys::PLACE_TABLE_PREFIX);
    let mut rows: Vec<(u32, &str)> =
        rows.filter_map(|(n, row)| Some((n.parse().ok()?, row.split('|').next()?))).collect();
    rows.sort_unstable();
    let mut seen = FxHashSet::default();
    rows.into_iter().filter(|(_, class)| seen.insert(*class)).map(|(_, class)| class.to_owned()).collect()
}

/// A value that is read elsewhere than it is made has to go over a wire.
fn check_no_other_crossings(model: &ModelProto, index: &FunctionIndex<'_>) -> Result<(), PassError> {
    let weights = weights::names(model);
    let mut faults = Vec::new();
    for (at, node) in index.nodes() {
        let here = node.metadata(keys::PLACE_KEY);
        let values = index.inputs(at).iter().copied().flatten();
        for value in values.filter(|value| !weights.contains(index.name(*value))) {
            let there = match index.producer(value) {
                Some(maker) => index.node(maker).metadata(keys::PLACE_KEY),
                None => Some("0"),
            };
            if here != there {
                let text = format!("`{}` reads `{}` of another place without a wire", node.name(), index.name(value));
                faults.push(at_node(node, "BB0901", text));
            }
        }
    }
    PassError::unless(PASS, faults, ())
}

/// The weights that these nodes read, in the order of the program.
fn read<'a>(model: &'a ModelProto, nodes: &[NodeProto]) -> impl Iterator<Item = &'a String> {
    let all = weights::names(model);
    let inputs = nodes.iter().flat_map(|node| &node.input).map(String::as_str);
    let read: FxHashSet<&str> = inputs.filter(|name| all.contains(name)).collect();
    model.functions[0].input.iter().filter(move |name| read.contains(name.as_str()))
}

/// What is of one class.
#[derive(Default)]
struct Group {
    nodes: Vec<NodeProto>,
    /// What is declared about the values that they make.
    infos: Vec<ValueInfoProto>,
}

/// Where the root's values are declared.
struct Declared {
    /// Of its inputs.
    inputs: Vec<InfoIx>,
    /// Of the outputs of its nodes, one behind the other.
    made: Vec<Option<InfoIx>>,
}

impl Declared {
    fn of(index: &FunctionIndex<'_>) -> Self {
        let inputs = index.function().input.iter();
        let outputs = index.nodes().flat_map(|(at, _)| index.outputs(at).iter().map(move |value| (at, *value)));
        let own = |(at, value): (NodeIx, Option<ValueIx>)| value.filter(|value| index.producer(*value) == Some(at));
        Declared {
            inputs: inputs.filter_map(|name| index.declared_at(index.value(name)?)).collect(),
            made: outputs.map(|output| index.declared_at(own(output)?)).collect(),
        }
    }
}

/// What is declared about the root's inputs: more than one partition may have `start`, and weights.
struct Inputs {
    by_name: FxHashMap<String, ValueInfoProto>,
}

impl Inputs {
    fn of(declared: Vec<InfoIx>, infos: &[ValueInfoProto]) -> Self {
        let infos = declared.into_iter().map(|info| infos[info.at()].clone());
        Inputs { by_name: infos.map(|info| (info.name().to_owned(), info)).collect() }
    }
    /// These inputs behind the start, and what is declared about them.
    fn and_start(&self, inputs: Vec<String>) -> (Vec<String>, Vec<ValueInfoProto>) {
        let inputs: Vec<String> = std::iter::once(names::START.to_owned()).chain(inputs).collect();
        let infos = inputs.iter().filter_map(|input| match self.by_name.get(input) {
            None if input == names::START => Some(start_info()),
            info => info.cloned(),
        });
        let infos = infos.collect();
        (inputs, infos)
    }
}

fn cut(
    root: &FunctionProto,
    name: String,
    node: Vec<NodeProto>,
    infos: Vec<ValueInfoProto>,
    (input, mut value_info): (Vec<String>, Vec<ValueInfoProto>),
) -> FunctionProto {
    let given: FxHashSet<&str> = root.output.iter().map(String::as_str).collect();
    let values = || input.iter().chain(node.iter().flat_map(|n| &n.output)).map(String::as_str);
    let here: FxHashSet<&str> = values().filter(|name| given.contains(name)).collect();
    let output: Vec<String> = root.output.iter().filter(|name| here.contains(name.as_str())).cloned().collect();
    value_info.extend(infos);
    let mut main = FunctionProto {
        name: Some(name),
        domain: Some(ops::MODULE_DOMAIN.into()),
        opset_import: root.opset_import.clone(),
        input,
        output,
        node,
        value_info,
        ..FunctionProto::default()
    };
    let phase = root.metadata(keys::MODULE_PHASE_KEY).unwrap_or(keys::MODULE_PHASE_BODY);
    main.set_metadata(keys::MODULE_PHASE_KEY, phase);
    main
}

fn start_info() -> ValueInfoProto {
    let r#type = Some(ValueType::Trigger.to_proto());
    ValueInfoProto { name: Some(names::START.into()), r#type, ..ValueInfoProto::default() }
}

/// The slots of a class go with its partition.
fn keep_slots(mut main: FunctionProto, root: &FunctionProto, class: &str) -> FunctionProto {
    for (key, value) in root.metadata_under(keys::BINDING_KEY_PREFIX) {
        if key.split_once('.').is_some_and(|(of, _)| of == class) {
            main.set_metadata(&format!("{}{key}", keys::BINDING_KEY_PREFIX), value);
        }
    }
    main
}
