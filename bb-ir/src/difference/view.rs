//! A program as it is compared: ops and what they read, wires whole, without gates, copies and names that were minted.

mod op;

use crate::bindings::{is_bootstrap, parse_binding_key, parse_binding_value};
use crate::digest::ProgramDigest;
use crate::gates;
use crate::keys;
use crate::names::START;
use crate::proto::onnx::{FunctionProto, ModelProto};
use crate::types::ValueType;
use crate::views::Metadata;
use crate::wire_shape::{is_recv, is_send, read_wire_id};
pub use op::{Kind, Op, OpIx, Source};
use op::{Types, border, is_copy, op, slots, text, texts};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct View {
    pub program: String,
    pub digest: Option<ProgramDigest>,
    pub classes: BTreeSet<String>,
    /// The role of each slot, by class and name.
    pub slots: BTreeMap<(String, String), String>,
    /// By name and overload; the root has none.
    pub bodies: BTreeMap<(String, String), Body>,
}

/// A function, of all artifacts together.
#[derive(Default)]
pub struct Body {
    pub inputs: Vec<Input>,
    pub ops: Vec<Op>,
    pub outputs: Vec<Source>,
}

pub struct Input {
    pub name: String,
    pub class: String,
    pub ty: String,
}

impl View {
    pub fn of<'m>(models: impl IntoIterator<Item = &'m ModelProto>) -> View {
        let mut view = View::default();
        let mut parts: BTreeMap<(String, String), Vec<(&ModelProto, &FunctionProto)>> = BTreeMap::new();
        for model in models {
            view.program = model.metadata(keys::PROGRAM_NAME_KEY).unwrap_or_default().to_owned();
            view.digest = model.metadata(keys::PROGRAM_DIGEST_KEY).and_then(ProgramDigest::parse);
            let places = model.metadata_under(keys::PLACE_TABLE_PREFIX);
            view.classes.extend(places.filter_map(|(_, row)| row.split('|').next()).map(str::to_owned));
            for (i, function) in model.functions.iter().enumerate() {
                let key = (function.name().to_owned(), function.overload().to_owned());
                let key = if i == 0 { Default::default() } else { key };
                let same = parts.entry(key).or_default();
                // A sub-module is the same wherever it is called; a root and what runs once per start have a part per class.
                if i == 0 || is_bootstrap(function) || same.is_empty() {
                    same.push((model, function));
                }
            }
            let main = model.functions.first();
            let class = main.and_then(|f| f.node.iter().find_map(|n| n.metadata(keys::HOME_CLASS_KEY)));
            for entry in model.props() {
                let slot = parse_binding_key(entry.key()).zip(parse_binding_value(entry.value()));
                if let Some(((_, slot), binding)) = slot {
                    let class = class.unwrap_or_default().to_owned();
                    view.slots.insert((class, slot.to_owned()), binding.role);
                }
            }
        }
        view.bodies = parts.into_iter().map(|(key, parts)| (key, Body::of(&parts))).collect();
        view
    }
}

impl Body {
    fn of(parts: &[(&ModelProto, &FunctionProto)]) -> Body {
        let mut body = Body::default();
        let mut makers: FxHashMap<String, Source> = FxHashMap::default();
        let mut wires: FxHashMap<u64, OpIx> = FxHashMap::default();
        let mut reads: Vec<(OpIx, Vec<String>)> = Vec::new();
        let mut copies: Vec<(String, String)> = Vec::new();
        for (model, function) in parts {
            let types: Types = function
                .value_info
                .iter()
                .filter_map(|info| Some((info.name().to_owned(), ValueType::from_proto(info.r#type.as_ref()?)?)))
                .collect();
            body.take_inputs(function, &types, &mut makers);
            let slots = slots(model);
            let nodes = gates::fold(function.node.clone()).unwrap_or_else(|_| function.node.clone());
            for node in &nodes {
                if is_copy(node) {
                    copies.push((node.output[0].clone(), node.input[0].clone()));
                    continue;
                }
                let wire = read_wire_id(node).filter(|_| is_send(node) || is_recv(node));
                let known = wire.and_then(|id| wires.get(&id).copied());
                let op = known.unwrap_or_else(|| {
                    body.ops.push(op(node, &slots));
                    OpIx(body.ops.len() - 1)
                });
                wires.extend(wire.map(|id| (id, op)));
                let (read, made) = border(node);
                for (i, name) in made.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                    makers.insert(name.clone(), Source::Op(op, i));
                }
                let this = &mut body.ops[op.0];
                match wire {
                    None => this.types = texts(made, &types),
                    Some(_) => this.wire(node, model, &types),
                }
                if !read.is_empty() {
                    reads.push((op, read));
                }
            }
        }
        // A copy may stand before what it copies, where artifacts come in another order.
        let copies: FxHashMap<String, String> = copies.into_iter().collect();
        let source = |name: &String| {
            let mut name = name;
            // As many steps as there are copies: whatever copies itself has no source.
            for _ in 0..=copies.len() {
                match copies.get(name) {
                    Some(of) => name = of,
                    None => break,
                }
            }
            makers.get(name).cloned().unwrap_or(Source::Unknown)
        };
        for (op, read) in reads {
            body.ops[op.0].inputs = read.iter().map(source).collect();
        }
        body.outputs = parts.iter().flat_map(|(_, function)| &function.output).map(source).collect();
        body
    }

    fn take_inputs(&mut self, function: &FunctionProto, types: &Types, makers: &mut FxHashMap<String, Source>) {
        let class: FxHashMap<&str, &str> = function
            .value_info
            .iter()
            .filter_map(|info| Some((info.name(), info.metadata(keys::HOME_CLASS_KEY)?)))
            .collect();
        for name in &function.input {
            let fresh = makers.insert(name.clone(), Source::Input(name.clone())).is_none();
            if fresh && name != START {
                let class = class.get(name.as_str()).copied().unwrap_or_default().to_owned();
                self.inputs.push(Input { name: name.clone(), class, ty: text(name, types) });
            }
        }
    }
}
