//! A small program at every level: a value goes to a cohort, comes back, and is gathered.

use super::Level;
use crate::bindings::{binding_key, encode_binding_value};
use crate::digest::{ProgramDigest, site_address};
use crate::gates::stamp_deadline_ns;
use crate::keys;
use crate::ops::{self, MODULE_DOMAIN, SYSCALL_DOMAIN, WIRE_DOMAIN};
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use crate::types::{ElementKind, ValueType};
use crate::version::{BB_OPSET, ONNX_IR_VERSION, ONNX_OPSET};
use crate::views::{Attributes, Metadata, attribute};
use crate::wire_shape::{Transport, stamp_chain, stamp_destination, stamp_wire_id, stamp_wire_transport};

const ROLE_DOMAIN: &str = "ai.bytesandbrains.role.Aggregator";

fn node(domain: &str, op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    NodeProto {
        name: outputs.last().map(|name| format!("make_{name}")),
        domain: Some(domain.into()),
        op_type: Some(op.into()),
        input: texts(inputs),
        output: texts(outputs),
        ..NodeProto::default()
    }
}

fn at(mut node: NodeProto, class: &str, place: u32) -> NodeProto {
    node.set_metadata(keys::HOME_CLASS_KEY, class);
    node.set_metadata(keys::PLACE_KEY, place.to_string());
    node
}

fn wire(mut node: NodeProto, id: u64, from: u32, to: u32) -> NodeProto {
    stamp_wire_id(&mut node, id);
    node.set_metadata(keys::FROM_PLACE_KEY, from.to_string());
    node.set_metadata(keys::TO_PLACE_KEY, to.to_string());
    node
}

/// `y = fold(wire(neg(wire(params, cohort))))`, the middle part on the cohort.
pub(crate) fn model(level: Level) -> ModelProto {
    let cut = level >= Level::Cut;
    let mut params = node(ROLE_DOMAIN, "params", &["start"], &["w"]);
    params.set_metadata(keys::CONTROL_KEY, "1");
    params.set_metadata(keys::SLOT_ID_KEY, "1");
    params.set_metadata(keys::REQUIRED_TRAIT_KEY, "Aggregator");
    let mut there = node(WIRE_DOMAIN, ops::OP_SEND, &["w", "cohort"], &["w2", "from", "sent"]);
    let mut back = node(WIRE_DOMAIN, ops::OP_SEND, &["n", "from"], &["n2", "who", "sent_back"]);
    there.overload = Some("1".into());
    back.overload = Some("1".into());
    let mut nodes = vec![at(params, "Server", 0)];
    for (send, id, class, (from, to)) in [(there, 0, "Server", (0, 1)), (back, 1, "Client", (1, 0))] {
        let mut send = at(wire(send, id, from, to), class, from);
        let recv = cut.then(|| {
            let values: Vec<String> = send.output.drain(..2).collect();
            send.overload = None;
            stamp_chain(&mut send, 2 - id as u32, &["Client"]);
            assert!(stamp_deadline_ns(&mut send, 30));
            let mut recv = node(WIRE_DOMAIN, ops::OP_RECV, &[], &[&values[0], &values[1]]);
            recv.name = Some(crate::names::recv(send.name()));
            at(wire(recv, id, from, to), if to == 0 { "Server" } else { "Client" }, to)
        });
        nodes.push(send);
        nodes.extend(recv);
        if id == 0 {
            nodes.push(at(node("", "Neg", &["w2"], &["n"]), "Client", 1));
        }
    }
    let mut gather = node(WIRE_DOMAIN, ops::OP_GATHER, &["n2"], &["ns", "members", "missing"]);
    gather.overload = Some("1".into());
    gather.set_metadata(keys::LANE_KEY, "1");
    gather.set_attr(attribute::string(ops::gather::NEED_KIND, ops::gather::ALL));
    nodes.push(at(gather, "Server", 0));
    let mut fold = node(ROLE_DOMAIN, "fold", &["ns"], &["y"]);
    fold.set_metadata(keys::SLOT_ID_KEY, "1");
    fold.set_metadata(keys::REQUIRED_TRAIT_KEY, "Aggregator");
    nodes.push(at(fold, "Server", 0));
    nodes.push(at(node(MODULE_DOMAIN, "half", &["w"], &["h"]), "Server", 0));

    let mut root = FunctionProto {
        name: Some("round".into()),
        domain: Some(MODULE_DOMAIN.into()),
        input: vec!["start".into(), "cohort".into()],
        output: vec!["y".into(), "h".into()],
        node: nodes,
        value_info: values(),
        ..FunctionProto::default()
    };
    root.set_metadata(keys::MODULE_PHASE_KEY, keys::MODULE_PHASE_BODY);
    let mut half = FunctionProto {
        name: Some("half".into()),
        domain: Some(MODULE_DOMAIN.into()),
        input: vec!["x".into()],
        output: vec!["z".into()],
        node: vec![node(SYSCALL_DOMAIN, ops::SYSCALL_PASS_THROUGH, &["x"], &["z"])],
        ..FunctionProto::default()
    };
    half.value_info = ["x", "z"].map(|name| value(name, &ValueType::tensor(ElementKind::F32))).into();
    model_of(vec![root, half], level)
}

fn value(name: &str, ty: &ValueType) -> ValueInfoProto {
    ValueInfoProto { name: Some(name.into()), r#type: Some(ty.to_proto()), ..ValueInfoProto::default() }
}

fn values() -> Vec<ValueInfoProto> {
    let numbers = ValueType::tensor(ElementKind::F32);
    let of = |ty: &ValueType| ValueType::Seq(Box::new(ty.clone()));
    let mut values: Vec<_> = ["w", "w2", "n", "n2", "y", "h"].map(|name| value(name, &numbers)).into();
    values.extend(["from", "who"].map(|name| value(name, &ValueType::peer())));
    values.extend(["start", "sent", "sent_back"].map(|name| value(name, &ValueType::Trigger)));
    values.extend(["cohort", "members"].map(|name| value(name, &of(&ValueType::peer()))));
    values.push(value("ns", &of(&numbers)));
    values.push(value("missing", &of(&ValueType::Denoted(crate::types::MISSING_DENOTATION.into()))));
    values
}

fn model_of(functions: Vec<FunctionProto>, level: Level) -> ModelProto {
    let domains = [("", ONNX_OPSET), (WIRE_DOMAIN, BB_OPSET), (MODULE_DOMAIN, BB_OPSET), (SYSCALL_DOMAIN, BB_OPSET)];
    let import =
        |(domain, version): (&str, i64)| OperatorSetIdProto { domain: Some(domain.into()), version: Some(version) };
    let sets: Vec<OperatorSetIdProto> = domains.into_iter().chain([(ROLE_DOMAIN, BB_OPSET)]).map(import).collect();
    let functions: Vec<FunctionProto> =
        functions.into_iter().map(|f| FunctionProto { opset_import: sets.clone(), ..f }).collect();
    let mut model = ModelProto {
        ir_version: Some(ONNX_IR_VERSION),
        opset_import: sets,
        graph: Some(crate::views::border::graph(&functions[0], &[])),
        functions,
        ..ModelProto::default()
    };
    crate::bindings::stamp_model_metadata(&mut model);
    model.set_metadata(&format!("{}0", keys::PLACE_TABLE_PREFIX), "Server|one|entry");
    model.set_metadata(&format!("{}1", keys::PLACE_TABLE_PREFIX), "Client|each|cohort");
    model.set_metadata(keys::PROGRAM_NAME_KEY, "round");
    if level == Level::Sealed {
        seal(&mut model);
    }
    model
}

fn seal(model: &mut ModelProto) {
    let digest = ProgramDigest([7; 32]);
    model.set_metadata(keys::COMPILED_KEY, keys::COMPILED_CURRENT_VERSION);
    model.set_metadata(keys::PROGRAM_DIGEST_KEY, digest.to_string());
    model.set_metadata(&binding_key("round", "average"), encode_binding_value("Aggregator", None, Some(1)));
    for (id, row) in [(0, "Server|Client|6d435a86f95fcbf2"), (1, "Client|Server|6d435a86f95fcbf2")] {
        model.set_metadata(&format!("{}{id}", keys::PROGRAM_WIRE_PREFIX), row);
    }
    for node in &mut model.functions[0].node {
        let Some(id) = crate::wire_shape::read_wire_id(node) else { continue };
        stamp_wire_transport(node, Transport::Data);
        if crate::wire_shape::is_send(node) {
            stamp_destination(node, 0, site_address(&digest, id, 0), ["w2", "n2"][id as usize]);
        }
    }
}
