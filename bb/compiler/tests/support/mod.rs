//! Recorded models by hand: what the recorder would emit, one call per node, every node on a line of its own.
#![allow(dead_code, missing_docs)]

use bb_compiler::{CompileError, Compiler, Output, Partition};
use bb_ir::bindings::stamp_model_metadata;
use bb_ir::diagnostics::{Diagnostic, Note};
use bb_ir::gates::is_gate;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto};
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::version::{BB_OPSET, ONNX_IR_VERSION, ONNX_OPSET};
use bb_ir::views::{Metadata, attribute};
use bb_ir::wire_shape::{Recv, Send, is_recv, is_send, read_wire_id, stamp_wire_id};
use bb_ir::{keys, names, ops};
use std::collections::{BTreeMap, BTreeSet};

pub fn tensor() -> ValueType {
    ValueType::tensor(ElementKind::F32)
}
pub fn peers() -> ValueType {
    ValueType::Seq(Box::new(ValueType::peer()))
}

/// A module while it is being recorded.
pub struct Module {
    function: FunctionProto,
    names: names::Names,
    wires: u64,
    lane: Option<u64>,
    types: BTreeMap<String, ValueType>,
    infos: BTreeMap<String, usize>,
}

/// What a wire gives.
pub struct Wired {
    pub id: u64,
    pub values: Vec<String>,
    pub sender: String,
    pub handle: String,
}

impl Module {
    pub fn new(name: &str) -> Self {
        let function = FunctionProto {
            name: Some(name.into()),
            domain: Some(ops::MODULE_DOMAIN.into()),
            ..FunctionProto::default()
        };
        let mut module = Module {
            function,
            names: names::Names::default(),
            wires: 0,
            lane: None,
            types: BTreeMap::new(),
            infos: BTreeMap::new(),
        };
        module.function.set_metadata(keys::MODULE_PHASE_KEY, keys::MODULE_PHASE_BODY);
        module
    }
    /// A module that takes `graph`.
    pub fn with_graph(name: &str) -> Self {
        let mut module = Module::new(name);
        module.function.input.push(names::START.into());
        module.info(names::START, ValueType::Trigger);
        module
    }
    pub fn overload(mut self, overload: &str) -> Self {
        self.function.overload = Some(overload.into());
        self
    }
    fn info(&mut self, name: &str, of: ValueType) -> &mut ValueInfoProto {
        self.types.insert(name.into(), of.clone());
        self.infos.insert(name.into(), self.function.value_info.len());
        let info = ValueInfoProto { name: Some(name.into()), r#type: Some(of.to_proto()), ..ValueInfoProto::default() };
        self.function.value_info.push(info);
        self.function.value_info.last_mut().expect("just pushed")
    }
    pub fn input_at(&mut self, name: &str, class: &str, kind: &str, of: ValueType) -> String {
        self.function.input.push(name.into());
        let info = self.info(name, of);
        info.set_metadata(keys::HOME_CLASS_KEY, class);
        info.set_metadata(keys::PLACE_KEY, kind);
        name.into()
    }
    pub fn input(&mut self, name: &str, class: &str, of: ValueType) -> String {
        self.input_at(name, class, "one", of)
    }
    pub fn peer(&mut self, name: &str, class: &str, to: &str) -> String {
        self.input(name, class, ValueType::peer());
        self.points_at(name, to)
    }
    pub fn cohort(&mut self, name: &str, class: &str, to: &str) -> String {
        self.input(name, class, peers());
        self.points_at(name, to)
    }
    pub fn points_at(&mut self, name: &str, class: &str) -> String {
        let info = &mut self.function.value_info[self.infos[name]];
        info.set_metadata(keys::PEER_CLASS_KEY, class);
        name.into()
    }
    pub fn slot(&mut self, class: &str, name: &str, role: &str, id: u32) {
        self.function.set_metadata(&format!("{}{class}.{name}", keys::BINDING_KEY_PREFIX), format!("{role}||{id}"));
    }
    /// What follows runs in the lanes of `wire`.
    pub fn in_lane(&mut self, wire: Option<u64>) {
        self.lane = wire;
    }
    /// The line of the node that was recorded last.
    pub fn line(&self) -> usize {
        self.function.node.len()
    }

    pub fn push(&mut self, domain: &str, op: &str, inputs: &[&str], outputs: &[ValueType]) -> (usize, Vec<String>) {
        let name = self.names.node(op);
        let results: Vec<String> = (0..outputs.len()).map(|i| names::output(&name, i, outputs.len())).collect();
        let mut node = NodeProto {
            name: Some(name),
            domain: Some(domain.into()),
            op_type: Some(op.into()),
            input: inputs.iter().map(|s| (*s).to_owned()).collect(),
            output: results.clone(),
            ..NodeProto::default()
        };
        let line = self.function.node.len() + 1;
        node.set_metadata(keys::SOURCE_KEY, format!("src/{}.rs:{line}:1", self.function.name()));
        node.set_metadata(keys::MODULE_INSTANCE_KEY, self.function.name());
        if let Some(lane) = self.lane {
            node.set_metadata(keys::LANE_KEY, lane.to_string());
        }
        for (name, of) in results.iter().zip(outputs) {
            self.info(name, of.clone());
        }
        self.function.node.push(node);
        (line - 1, results)
    }
    pub fn node(&mut self, at: usize) -> &mut NodeProto {
        &mut self.function.node[at]
    }
    /// An operator of ONNX over tensors of f32.
    pub fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.op_of(op, inputs, tensor())
    }
    pub fn op_of(&mut self, op: &str, inputs: &[&str], of: ValueType) -> String {
        self.push(ops::ONNX_DOMAIN, op, inputs, &[of]).1.remove(0)
    }
    pub fn constant(&mut self, value: f32) -> String {
        let (at, mut out) = self.push(ops::ONNX_DOMAIN, "Constant", &[], &[ValueType::scalar(ElementKind::F32)]);
        let value = TensorProto {
            data_type: Some(ElementKind::F32 as i32),
            raw_data: Some(value.to_le_bytes().to_vec().into()),
            ..TensorProto::default()
        };
        self.node(at).set_attr_tensor(value);
        out.remove(0)
    }
    /// A method of a role, on a slot; without inputs it waits for `start`.
    pub fn role(&mut self, role: &str, method: &str, slot: u32, inputs: &[&str], outputs: &[ValueType]) -> Vec<String> {
        let inputs_or_start = if inputs.is_empty() { &[names::START][..] } else { inputs };
        self.role_after(role, method, slot, inputs_or_start, inputs.is_empty(), outputs)
    }
    pub fn role_after(
        &mut self,
        role: &str,
        method: &str,
        slot: u32,
        inputs: &[&str],
        waits: bool,
        outputs: &[ValueType],
    ) -> Vec<String> {
        let (at, out) = self.push(&format!("{}{role}", ops::ROLE_DOMAIN_PREFIX), method, inputs, outputs);
        let node = self.node(at);
        node.set_metadata(keys::REQUIRED_TRAIT_KEY, role);
        node.set_metadata(keys::SLOT_ID_KEY, slot.to_string());
        if waits {
            node.set_metadata(keys::CONTROL_KEY, "1");
        }
        out
    }
    /// A concrete component's method.
    pub fn concrete(&mut self, role: &str, of: &str, instance: &str, method: &str, inputs: &[&str]) -> String {
        let (at, mut out) = self.push(&format!("{}{role}", ops::ROLE_DOMAIN_PREFIX), method, inputs, &[tensor()]);
        let node = self.node(at);
        node.set_metadata(keys::CONCRETE_TYPE_KEY, of);
        node.set_metadata(keys::INSTANCE_KEY, instance);
        out.remove(0)
    }
    pub fn wire(&mut self, payloads: &[&str], to: &str) -> Wired {
        let mut outputs: Vec<ValueType> = payloads.iter().map(|p| self.types[*p].clone()).collect();
        outputs.extend([ValueType::peer(), ValueType::Trigger]);
        let inputs: Vec<&str> = payloads.iter().copied().chain([to]).collect();
        let (at, mut values) = self.push(ops::WIRE_DOMAIN, ops::OP_SEND, &inputs, &outputs);
        let id = self.wires;
        self.wires += 1;
        let node = self.node(at);
        node.overload = Some(payloads.len().to_string());
        stamp_wire_id(node, id);
        node.set_metadata(keys::CHAIN_DEPTH_KEY, "1");
        let classes: Vec<Option<String>> = payloads.iter().map(|p| self.class_of(p)).collect();
        for (value, class) in values.clone().iter().zip(classes) {
            if let Some(class) = class {
                self.points_at(value, &class);
            }
        }
        let handle = values.pop().expect("a handle");
        let sender = values.pop().expect("a sender");
        Wired { id, values, sender, handle }
    }
    fn class_of(&self, value: &str) -> Option<String> {
        let info = &self.function.value_info[*self.infos.get(value)?];
        info.metadata(keys::PEER_CLASS_KEY).map(str::to_owned)
    }
    /// Closes the lanes of a wire: the sequences, the members, the missing.
    pub fn gather(&mut self, wire: u64, values: &[&str], kind: &str, need: Option<&str>) -> Vec<String> {
        let seq = |of: &ValueType| ValueType::Seq(Box::new(of.clone()));
        let mut outputs: Vec<ValueType> = values.iter().map(|v| seq(&self.types[*v])).collect();
        outputs.extend([peers(), ValueType::Seq(Box::new(ValueType::Denoted("bb.missing".into())))]);
        let inputs: Vec<&str> = values.iter().copied().chain(need).collect();
        let (at, out) = self.push(ops::WIRE_DOMAIN, ops::OP_GATHER, &inputs, &outputs);
        let node = self.node(at);
        node.overload = Some(values.len().to_string());
        bb_ir::views::Attributes::set_attr(node, attribute::string(ops::gather::NEED_KIND, kind));
        node.set_metadata(keys::LANE_KEY, wire.to_string());
        out
    }
    pub fn origin(&mut self, class: &str) -> String {
        let out = self.push(ops::SYSCALL_DOMAIN, ops::SYSCALL_ORIGIN, &[], &[ValueType::peer()]).1.remove(0);
        self.points_at(&out, class)
    }
    /// A call of another module.
    pub fn call(&mut self, callee: &FunctionProto, inputs: &[&str], slots: &str) -> Vec<String> {
        let infos: BTreeMap<&str, &ValueInfoProto> = callee.value_info.iter().map(|i| (i.name(), i)).collect();
        let of = |name: &String| ValueType::from_proto(infos[name.as_str()].r#type.as_ref().expect("typed"));
        let outputs: Vec<ValueType> = callee.output.iter().map(|o| of(o).expect("a type of bb's")).collect();
        let (at, out) = self.push(ops::MODULE_DOMAIN, callee.name(), inputs, &outputs);
        let node = self.node(at);
        node.overload.clone_from(&callee.overload);
        if !slots.is_empty() {
            node.set_metadata(keys::SLOT_MAP_KEY, slots);
        }
        out
    }
    pub fn output(&mut self, value: &str) {
        self.function.output.push(value.into());
    }
    pub fn done(self) -> FunctionProto {
        self.function
    }
}

trait SetTensor {
    fn set_attr_tensor(&mut self, value: TensorProto);
}
impl SetTensor for NodeProto {
    fn set_attr_tensor(&mut self, value: TensorProto) {
        bb_ir::views::Attributes::set_attr(self, attribute::tensor("value", value));
    }
}

/// The model of these functions, the first of which is the root.
pub fn model(functions: Vec<FunctionProto>) -> ModelProto {
    let domains: BTreeSet<String> = functions
        .iter()
        .flat_map(|f| &f.node)
        .map(|n| n.domain().to_owned())
        .chain([ops::ONNX_DOMAIN.into(), ops::MODULE_DOMAIN.into()])
        .collect();
    let import = |domain: String| OperatorSetIdProto {
        version: Some(if domain.is_empty() { ONNX_OPSET } else { BB_OPSET }),
        domain: Some(domain),
    };
    let root = &functions[0];
    let mut model = ModelProto {
        ir_version: Some(ONNX_IR_VERSION),
        producer_name: Some("bb".into()),
        graph: Some(bb_ir::views::border::graph(root, &[])),
        opset_import: domains.into_iter().map(import).collect(),
        ..ModelProto::default()
    };
    stamp_model_metadata(&mut model);
    model.set_metadata(keys::PROGRAM_NAME_KEY, root.name());
    let sets = &model.opset_import;
    model.functions = functions.into_iter().map(|f| FunctionProto { opset_import: sets.clone(), ..f }).collect();
    model
}

pub fn compile(functions: Vec<FunctionProto>) -> Output {
    Compiler::new().compile(&model(functions)).unwrap_or_else(|e| panic!("{e}"))
}

/// What is said of a program that does not compile.
pub fn faults(functions: Vec<FunctionProto>) -> Vec<Diagnostic> {
    match Compiler::new().compile(&model(functions)) {
        Ok(_) => panic!("it compiles"),
        Err(e @ CompileError::Broken { .. }) => panic!("{e}"),
        Err(e) => e.into(),
    }
}

/// The one thing that is said.
pub fn fault(functions: Vec<FunctionProto>) -> Diagnostic {
    let mut faults = faults(functions);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.remove(0)
}

/// Its notes, with their places.
pub fn notes(of: &Diagnostic) -> Vec<String> {
    let place = |note: &Note| note.at.as_ref().map_or(String::new(), |at| format!(" --> {at}"));
    of.notes.iter().map(|note| format!("{}{}", note.text, place(note))).collect()
}

/// What a test asks of a compiled program.
pub trait Facts {
    fn part(&self, class: &str) -> &Partition;
    fn place_of(&self, value: &str) -> String;
}
impl Facts for Output {
    fn part(&self, class: &str) -> &Partition {
        self.partitions.iter().find(|p| p.class == class).expect("a partition of that class")
    }
    /// The row of the table of places for the place where a value of the whole program is made.
    fn place_of(&self, value: &str) -> String {
        let mut nodes = self.partitions.iter().flat_map(|p| &p.main().node);
        let node = nodes.find(|n| n.output.iter().any(|o| o == value)).expect("a node that makes it");
        let place = node.metadata(keys::PLACE_KEY).expect("a place");
        self.program.metadata(&format!("{}{place}", keys::PLACE_TABLE_PREFIX)).expect("a row").to_owned()
    }
}

/// Its ops, without gates.
pub fn ops_of(partition: &Partition) -> Vec<&str> {
    partition.main().node.iter().filter(|n| !is_gate(n)).map(|n| n.op_type()).collect()
}
pub fn sends(partition: &Partition) -> Vec<Send<'_>> {
    partition.main().node.iter().filter(|n| is_send(n)).map(|n| Send::cast(n).expect("a Send")).collect()
}
pub fn recvs(partition: &Partition) -> Vec<Recv<'_>> {
    partition.main().node.iter().filter(|n| is_recv(n)).map(|n| Recv::cast(n).expect("a Recv")).collect()
}
pub fn recv(partition: &Partition, id: u64) -> &NodeProto {
    partition.main().node.iter().find(|n| is_recv(n) && read_wire_id(n) == Some(id)).expect("a Recv of that wire")
}
pub fn send(partition: &Partition, id: u64) -> &NodeProto {
    partition.main().node.iter().find(|n| is_send(n) && read_wire_id(n) == Some(id)).expect("a Send of that wire")
}

/// DESIGN's program: broadcast, train on every client, fold what came back.
pub fn round() -> FunctionProto {
    let mut m = Module::with_graph("round");
    m.slot("Client", "trainer", "user.Trainer", 2);
    m.slot("Server", "average", "Aggregator", 3);
    let cohort = m.cohort("cohort", "Server", "Client");
    let quorum = m.input("quorum", "Server", ValueType::scalar(ElementKind::F32));
    let global = m.role("Aggregator", "params", 3, &[], &[tensor()]).remove(0);
    let local = m.wire(&[&global], &cohort);
    let samples = ValueType::scalar(ElementKind::U64);
    let trained = m.role("user.Trainer", "train", 2, &[&local.values[0]], &[tensor(), samples]);
    let back = m.wire(&[&trained[0], &trained[1]], &local.sender);
    let values = [back.values[0].as_str(), back.values[1].as_str()];
    m.gather(back.id, &values, "all", None);
    m.gather(back.id, &values, "fraction", Some(&quorum));
    let gathered = m.gather(back.id, &values, "fraction", Some(&quorum));
    let at = m.line() - 1;
    bb_ir::views::Attributes::set_attr(m.node(at), attribute::int(ops::gather::WITHIN_NS, 30_000_000_000));
    let folded =
        m.role("Aggregator", "fold", 3, &[&gathered[0], &gathered[1], &gathered[2], &gathered[3]], &[tensor()]);
    m.output(&folded[0]);
    m.done()
}

/// SEMANTICS' join: two halves meet at one named head.
pub fn split_inference() -> FunctionProto {
    let mut m = Module::with_graph("split");
    let x = m.input("x", "Edge", tensor());
    let left = m.peer("left", "Edge", "Left");
    let right = m.peer("right", "Edge", "Right");
    let head = m.peer("head", "Edge", "Head");
    let at_left = m.wire(&[&x, &head], &left);
    let at_right = m.wire(&[&x, &head], &right);
    let a = m.op("Relu", &[&at_left.values[0]]);
    let b = m.op("Tanh", &[&at_right.values[0]]);
    let a = m.wire(&[&a], &at_left.values[1]);
    let b = m.wire(&[&b], &at_right.values[1]);
    let (at, both) = m.push(ops::ONNX_DOMAIN, "Concat", &[&a.values[0], &b.values[0]], &[tensor()]);
    bb_ir::views::Attributes::set_attr(m.node(at), attribute::int("axis", 0));
    let origin = m.origin("Edge");
    let home = m.wire(&[&both[0]], &origin);
    m.output(&home.values[0]);
    m.done()
}

/// What runs once per start of `root`: takes `graph`.
pub fn bootstrap_of(root: &str) -> Module {
    let mut module = Module::with_graph(&names::bootstrap(root));
    module.function.set_metadata(keys::MODULE_PHASE_KEY, keys::MODULE_PHASE_BOOTSTRAP);
    module
}
