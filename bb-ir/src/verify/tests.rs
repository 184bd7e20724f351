use super::sample::model;
use super::*;
use crate::keys;
use crate::proto::onnx::{FunctionProto, OperatorSetIdProto, ValueInfoProto};
use crate::types::ValueType;
use crate::views::{Attributes, Metadata, attribute};
use proptest::prelude::*;
use prost::Message;
use std::collections::BTreeSet;

const LEVELS: [Level; 5] = [Level::Recorded, Level::Typed, Level::Placed, Level::Cut, Level::Sealed];

#[test]
fn a_program_that_keeps_the_contract_violates_nothing_at_any_level() {
    for level in LEVELS {
        assert_eq!(verify(&model(level), level), [], "{level:?}");
    }
}

#[test]
fn several_workers_find_what_one_finds() {
    let mut model = model(Level::Placed);
    let node = find(&mut model, "Neg");
    for i in 0..10_000 {
        let mut copy = node.clone();
        copy.name = Some(format!("copy_{}", i % 9_000));
        copy.output = (0..node.output.len()).map(|output| format!("copy_{i}.{output}")).collect();
        match i % 100 {
            0 => copy.input[0] = "nobody's".into(),
            1 => copy.input[0] = format!("copy_{}.0", i + 5_000),
            2 => copy.set_metadata(keys::PLACE_KEY, "99"),
            3 => copy.domain = Some("nowhere".into()),
            4 => copy.output[0] = "copy_5.0".into(),
            _ => {}
        }
        model.functions[0].node.push(copy);
    }
    for part in [Part::All, Part::Wires] {
        let alone = verify_part(&model, Level::Placed, part);
        assert!(alone.len() > 1_000, "{} violations", alone.len());
        for workers in [2, 3, 7] {
            assert_eq!(verify_with(&model, Level::Placed, part, workers), alone);
        }
    }
}

/// In time that grows with them: an artifact may come from anywhere.
#[test]
fn each_of_very_many_outputs_is_made_once() {
    let mut model = model(Level::Recorded);
    let node = model.functions[0].node.iter_mut().find(|n| n.op_type() == "Neg").expect("the sample has it");
    node.output.extend((0..200_000).map(|i| format!("more_{i}")));
    node.output.push("more_7".into());
    let found = verify(&model, Level::Recorded);
    let twice: Vec<_> = found.iter().filter(|v| v.rule == Rule::DuplicateValue).map(|v| v.value.as_deref()).collect();
    assert_eq!(twice, [Some("more_7")]);
}

/// The rules that the sample violates once `change` has been made.
fn broken(level: Level, change: impl FnOnce(&mut ModelProto)) -> BTreeSet<Rule> {
    let mut model = model(level);
    change(&mut model);
    verify(&model, level).into_iter().map(|violation| violation.rule).collect()
}

fn find(model: &mut ModelProto, op: &str) -> NodeProto {
    model.functions[0].node.iter().find(|n| n.op_type() == op).expect("the sample has it").clone()
}

/// A change of the first node of an op.
fn change(op: &'static str, change: impl Fn(&mut NodeProto)) -> impl FnOnce(&mut ModelProto) {
    move |model| change(model.functions[0].node.iter_mut().find(|n| n.op_type() == op).expect("the sample has it"))
}

fn info<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut ValueInfoProto {
    model.functions[0].value_info.iter_mut().find(|v| v.name() == name).expect("the sample has it")
}

/// A bootstrap of the sample, of which there may be one.
fn bootstrap(of: impl FnOnce(&mut FunctionProto)) -> FunctionProto {
    let mut function = FunctionProto {
        name: Some(crate::names::bootstrap("round")),
        domain: Some(crate::ops::MODULE_DOMAIN.into()),
        input: vec![crate::names::START.into()],
        ..FunctionProto::default()
    };
    crate::bindings::stamp_function_module_phase(&mut function, keys::MODULE_PHASE_BOOTSTRAP);
    of(&mut function);
    function
}

/// Two numbers of that shape as an initialiser of the graph, and an input of the root too where its name is a model's.
fn weigh(model: &mut ModelProto, name: &str, dims: Vec<i64>) {
    let weight = crate::proto::onnx::TensorProto {
        name: Some(name.into()),
        dims,
        data_type: Some(1),
        raw_data: Some(vec![0; 8].into()),
        ..Default::default()
    };
    let graph = model.graph.as_mut().expect("the sample has one");
    if name.contains(':') {
        let r#type = crate::weights::type_of(&weight).map(|ty| ty.to_proto());
        let info = ValueInfoProto { name: Some(name.into()), r#type, ..Default::default() };
        graph.node[0].input.push(name.into());
        model.functions[0].input.push(name.into());
        model.functions[0].value_info.push(info);
    }
    graph.initializer.push(weight);
}

#[test]
fn a_weight_is_an_input_of_the_root_of_every_place_and_no_argument() {
    for level in LEVELS {
        let mut model = model(level);
        weigh(&mut model, "m:weight", vec![1, 2]);
        assert_eq!(verify(&model, level), [], "{level:?}");
        let root = &model.functions[0];
        assert!(crate::weights::arguments(&model, root).all(|name| name != "m:weight" && name != crate::names::START));
    }
}

/// The node as an op of a concrete component of that type, called `one`.
fn concrete(node: &mut NodeProto, of: &str) {
    node.remove_metadata(keys::SLOT_ID_KEY);
    node.remove_metadata(keys::REQUIRED_TRAIT_KEY);
    node.set_metadata(keys::CONCRETE_TYPE_KEY, of);
    node.set_metadata(keys::INSTANCE_KEY, "one");
}

/// The node in a carrier of its own.
fn carry(node: &mut NodeProto, otherwise: impl Fn(&mut crate::proto::onnx::GraphProto)) {
    let info = |name: &String| ValueInfoProto { name: Some(name.clone()), ..Default::default() };
    let mut graph = crate::proto::onnx::GraphProto {
        node: vec![NodeProto { metadata_props: Vec::new(), ..node.clone() }],
        input: node.input.iter().map(info).collect(),
        output: node.output.iter().map(info).collect(),
        ..Default::default()
    };
    otherwise(&mut graph);
    node.domain = Some(crate::ops::BACKEND_DOMAIN.into());
    node.op_type = Some(keys::BACKEND_SUBGRAPH_OP.into());
    node.attribute = vec![attribute::graph(keys::BACKEND_SUBGRAPH_BODY_ATTR, graph)];
}

#[test]
fn a_carrier_of_a_whole_region_is_accepted() {
    let carried = broken(Level::Cut, change("Neg", |n| carry(n, |_| ())));
    assert!(!carried.contains(&Rule::Carrier), "{carried:?}");
}

type Change = Box<dyn FnOnce(&mut ModelProto)>;

/// One fault for every rule.
fn faults() -> Vec<(Rule, Level, Change)> {
    use Level::*;
    fn row(rule: Rule, level: Level, change: impl FnOnce(&mut ModelProto) + 'static) -> (Rule, Level, Change) {
        (rule, level, Box::new(change))
    }
    vec![
        row(Rule::Versions, Recorded, |m| m.ir_version = Some(9)),
        row(Rule::Versions, Recorded, |m| m.opset_import[0].version = Some(20)),
        row(Rule::Root, Recorded, |m| m.functions.clear()),
        row(Rule::Graph, Recorded, |m| m.graph = None),
        row(Rule::Graph, Recorded, |m| {
            let graph = m.graph.as_mut().expect("a graph");
            graph.output[0].r#type = Some(ValueType::tensor(crate::types::ElementKind::F32).to_proto());
        }),
        row(Rule::Graph, Recorded, |m| m.functions[0].name = Some("another".into())),
        row(Rule::Weight, Recorded, |m| weigh(m, "start", vec![1, 2])),
        row(Rule::Weight, Recorded, |m| weigh(m, "unread", vec![1, 2])),
        row(Rule::Weight, Recorded, |m| weigh(m, "m:weight", vec![3])),
        row(Rule::DuplicateFunction, Recorded, |m| m.functions.push(m.functions[1].clone())),
        row(Rule::UnknownKey, Recorded, |m| m.set_metadata("ai.bytesandbrains.unheard_of", "1")),
        row(Rule::UnknownKey, Recorded, |m| m.set_metadata(keys::PLACE_TABLE_PREFIX, "Server|one|entry")),
        row(Rule::MisplacedKey, Recorded, |m| m.set_metadata(keys::WIRE_ID_KEY, "1")),
        row(Rule::MalformedKey, Recorded, change("Neg", |n| n.set_metadata(keys::LANE_KEY, "one"))),
        row(Rule::MalformedKey, Recorded, change("Neg", |n| n.set_metadata(keys::SLOT_MAP_KEY, "1=2,3"))),
        row(Rule::DuplicateKey, Recorded, |m| m.metadata_props.push(m.metadata_props[0].clone())),
        row(Rule::DuplicateKey, Recorded, change("Gather", |n| n.attribute.push(n.attribute[0].clone()))),
        row(Rule::UnknownOp, Recorded, change("Neg", |n| n.op_type = Some("Negate".into()))),
        row(Rule::UnknownOp, Recorded, change("Neg", |n| n.domain = Some("elsewhere".into()))),
        row(Rule::OpsetNotImported, Recorded, |m| {
            m.opset_import = vec![OperatorSetIdProto { domain: Some("".into()), version: Some(21) }];
        }),
        row(Rule::OpsetNotImported, Recorded, |m| m.functions[0].opset_import.truncate(1)),
        row(Rule::Arity, Recorded, change("Neg", |n| n.input.push("w".into()))),
        row(Rule::Arity, Recorded, change("half", |n| n.input.push("w".into()))),
        row(Rule::Carrier, Recorded, change("Neg", |n| carry(n, |_| ()))),
        row(Rule::Carrier, Cut, change("Neg", |n| n.domain = Some(crate::ops::BACKEND_DOMAIN.into()))),
        row(Rule::Carrier, Cut, change("Neg", |n| carry(n, |g| g.input.clear()))),
        row(Rule::Carrier, Cut, change("Neg", |n| carry(n, |g| g.node.clear()))),
        row(Rule::Carrier, Cut, change("Neg", |n| carry(n, |g| g.node[0].op_type = Some("Negate".into())))),
        row(Rule::Carrier, Cut, change("Neg", |n| carry(n, |g| g.node[0].input[0] = "nothing".into()))),
        row(Rule::Carrier, Cut, change("Neg", |n| carry(n, |g| g.node.push(g.node[0].clone())))),
        row(Rule::MissingCallee, Recorded, change("half", |n| n.overload = Some("2".into()))),
        row(
            Rule::Uncalled,
            Sealed,
            change("half", |n| {
                n.op_type = Some("Neg".into());
                n.domain = None;
            }),
        ),
        row(Rule::UnservedRole, Recorded, change("fold", |n| n.remove_metadata(keys::SLOT_ID_KEY))),
        row(Rule::UnservedRole, Recorded, change("fold", |n| n.set_metadata(keys::REQUIRED_TRAIT_KEY, "Trainer"))),
        row(Rule::DanglingInput, Recorded, change("Neg", |n| n.input[0] = "nothing".into())),
        row(Rule::NotTopological, Recorded, |m| m.functions[0].node.reverse()),
        row(Rule::DuplicateValue, Recorded, change("fold", |n| n.output[0] = "w".into())),
        row(Rule::DanglingOutput, Recorded, |m| m.functions[0].output[0] = "nothing".into()),
        row(Rule::MissingNodeName, Recorded, change("Neg", |n| n.name = None)),
        row(Rule::DuplicateNodeName, Recorded, |m| {
            let name = find(m, "fold").name;
            change("Neg", |n| n.name = name.clone())(m);
        }),
        row(Rule::ControlCount, Recorded, change("params", |n| n.set_metadata(keys::CONTROL_KEY, "2"))),
        row(Rule::ControlCount, Typed, change("params", |n| n.remove_metadata(keys::CONTROL_KEY))),
        row(Rule::MissingType, Recorded, |m| info(m, "w").r#type = None),
        row(Rule::MissingType, Recorded, |m| m.functions[1].value_info.clear()),
        row(Rule::UnknownType, Recorded, |m| info(m, "w").r#type = Some(Default::default())),
        row(Rule::UnresolvedType, Typed, |m| {
            info(m, "w").r#type = Some(ValueType::Tensor { element: None, shape: None }.to_proto());
        }),
        row(
            Rule::ConstantType,
            Typed,
            change("Neg", |n| {
                n.op_type = Some("Constant".into());
                let tensor = crate::proto::onnx::TensorProto { data_type: Some(7), ..Default::default() };
                n.set_attr(attribute::tensor("value", tensor));
            }),
        ),
        row(Rule::SendShape, Placed, change("Send", |n| n.overload = Some("2".into()))),
        row(Rule::SendShape, Cut, change("Send", |n| n.output.push("more".into()))),
        row(Rule::RecvShape, Cut, change("Recv", |n| n.output.truncate(1))),
        row(
            Rule::RecvShape,
            Recorded,
            change("Neg", |n| {
                n.op_type = Some(crate::ops::OP_RECV.into());
                n.domain = Some(crate::ops::WIRE_DOMAIN.into());
            }),
        ),
        row(Rule::GatherShape, Recorded, change("Gather", |n| n.remove_metadata(keys::LANE_KEY))),
        row(Rule::GatherShape, Recorded, change("Gather", |n| n.remove_attr(crate::ops::gather::NEED_KIND))),
        row(Rule::WireId, Recorded, change("Send", |n| n.set_metadata(keys::WIRE_ID_KEY, "1"))),
        row(Rule::WireId, Cut, change("Recv", |n| n.remove_metadata(keys::WIRE_ID_KEY))),
        row(Rule::WireHalves, Cut, change("Send", |n| n.input.insert(0, "w".into()))),
        row(Rule::WireHalves, Sealed, change("Recv", |n| n.set_metadata(keys::WIRE_TRANSPORT_KEY, "trigger_only"))),
        row(Rule::PlaceTable, Placed, |m| m.set_metadata("ai.bytesandbrains.places.0", "Server|one|cohort")),
        row(Rule::PlaceTable, Placed, |m| m.set_metadata("ai.bytesandbrains.places.1", "Client|some|cohort")),
        row(Rule::Unplaced, Placed, change("Neg", |n| n.remove_metadata(keys::PLACE_KEY))),
        row(Rule::Unplaced, Placed, change("Neg", |n| n.set_metadata(keys::PLACE_KEY, "7"))),
        row(Rule::Unplaced, Placed, change("Neg", |n| n.set_metadata(keys::HOME_CLASS_KEY, "Server"))),
        row(Rule::TwoPlaces, Placed, change("Neg", |n| n.input[0] = "w".into())),
        row(Rule::TwoPlaces, Placed, change("fold", |n| n.input[0] = "w2".into())),
        row(Rule::WirePlaces, Cut, change("Recv", |n| n.set_metadata(keys::TO_PLACE_KEY, "0"))),
        row(Rule::WirePlaces, Cut, change("Recv", |n| n.set_metadata(keys::AWAITS_KEY, "0"))),
        row(Rule::WirePlaces, Cut, |m| m.set_metadata("ai.bytesandbrains.places.1", "Client|one|cohort")),
        row(Rule::WirePlaces, Cut, |m| info(m, "cohort").set_metadata(keys::PEER_CLASS_KEY, "Server")),
        row(Rule::GateShape, Cut, change("Neg", |n| n.domain = Some(crate::ops::GATE_DOMAIN.into()))),
        row(
            Rule::GateShape,
            Placed,
            change("Neg", |n| {
                n.op_type = Some(crate::ops::GATE_DEADLINE_CHECK.into());
                n.domain = Some(crate::ops::GATE_DOMAIN.into());
                assert!(crate::gates::stamp_deadline_ns(n, 1));
            }),
        ),
        row(Rule::Deadline, Cut, change("Send", |n| n.remove_attr(keys::ATTR_DEADLINE_NS))),
        row(Rule::Deadline, Cut, change("Send", |n| n.set_metadata(keys::CHAIN_DEPTH_KEY, "0"))),
        row(Rule::Passport, Sealed, |m| m.set_metadata(keys::COMPILED_KEY, "v0")),
        row(Rule::Passport, Sealed, |m| m.remove_metadata(keys::PROGRAM_DIGEST_KEY)),
        row(Rule::BindingTable, Sealed, change("fold", |n| n.set_metadata(keys::SLOT_ID_KEY, "9"))),
        row(Rule::BindingTable, Sealed, |m| m.set_metadata("ai.bytesandbrains.binding.other.average", "Aggregator||1")),
        row(Rule::BindingTable, Sealed, |m| m.set_metadata("ai.bytesandbrains.binding.round.average", "Other||1")),
        row(Rule::BindingTable, Sealed, |m| m.set_metadata("ai.bytesandbrains.binding.round.b", "Aggregator||1")),
        row(Rule::BindingTable, Sealed, change("fold", |n| concrete(n, "user.FedAvg"))),
        row(Rule::BindingTable, Sealed, |m| {
            m.set_metadata("ai.bytesandbrains.binding.round.one", "Aggregator|user.FedAvg|-1");
            change("fold", |n| concrete(n, "user.Other"))(m);
        }),
        row(Rule::BindingTable, Sealed, change("fold", |n| n.set_metadata(&keys::dep_slot_key("Index"), "1"))),
        row(Rule::BindingTable, Sealed, change("fold", |n| n.set_metadata(&keys::dep_slot_key("Index"), "near"))),
        row(Rule::MalformedKey, Recorded, change("fold", |n| n.set_metadata(&keys::dep_slot_key("Index"), "-1"))),
        row(Rule::MalformedKey, Recorded, change("fold", |n| n.set_metadata(keys::INSTANCE_KEY, "7"))),
        row(Rule::BindingTable, Sealed, change("Recv", |n| n.set_metadata(keys::RECV_SLOT_ID_KEY, "9"))),
        row(Rule::Graph, Sealed, |m| m.functions[0].input.reverse()),
        row(
            Rule::Destination,
            Sealed,
            change("Send", |n| {
                n.set_attr(attribute::bytes(&crate::bindings::dest_suffix_attribute(0), vec![0; 13]));
            }),
        ),
        row(Rule::Transport, Sealed, change("Recv", |n| n.remove_metadata(keys::WIRE_TRANSPORT_KEY))),
        row(Rule::Transport, Sealed, |m| {
            m.functions[0].node.iter_mut().filter(|n| crate::wire_shape::is_recv(n)).for_each(|n| {
                n.set_metadata(keys::WIRE_TRANSPORT_KEY, "trigger_only");
            });
        }),
        row(Rule::ProgramWire, Sealed, |m| info(m, "w").r#type = Some(ValueType::peer().to_proto())),
        row(Rule::ProgramWire, Sealed, |m| {
            m.set_metadata("ai.bytesandbrains.program_wire.0", "Client|Client|6d435a86f95fcbf2")
        }),
        row(Rule::ProgramWire, Sealed, |m| m.remove_metadata("ai.bytesandbrains.program_wire.0")),
        row(Rule::Bootstrap, Recorded, |m| {
            m.functions.extend([bootstrap(|_| {}), bootstrap(|f| f.name = Some("b".into()))])
        }),
        row(Rule::Bootstrap, Recorded, |m| m.functions.push(bootstrap(|f| f.input.clear()))),
        row(Rule::Bootstrap, Recorded, |m| m.functions.push(bootstrap(|f| f.output.push("start".into())))),
        row(Rule::Bootstrap, Recorded, |m| {
            let send = find(m, "Send");
            m.functions.push(bootstrap(|f| f.node.push(send)));
        }),
        row(Rule::Bootstrap, Sealed, |m| {
            let mut fold = find(m, "fold");
            fold.remove_metadata(keys::HOME_CLASS_KEY);
            m.functions.push(bootstrap(|f| f.node.push(fold)));
        }),
        row(Rule::Bootstrap, Recorded, |m| {
            m.functions[0].set_metadata(keys::MODULE_PHASE_KEY, keys::MODULE_PHASE_BOOTSTRAP);
        }),
        row(Rule::OutputRead, Sealed, |m| m.functions[0].output.push("w".into())),
    ]
}

#[test]
fn every_rule_is_reported_where_it_is_violated() {
    let mut seen = BTreeSet::new();
    for (i, (rule, level, change)) in faults().into_iter().enumerate() {
        let found = broken(level, change);
        assert!(found.contains(&rule), "fault {i}: {rule:?} is not among {found:?}");
        seen.insert(rule);
    }
    assert_eq!(seen, Rule::ALL.iter().copied().collect());
}

#[test]
fn everything_is_reported_with_its_place() {
    let mut model = model(Level::Recorded);
    change("Neg", |n| n.input[0] = "nothing".into())(&mut model);
    change("fold", |n| n.op_type = None)(&mut model);
    info(&mut model, "w").r#type = None;
    let found: Vec<String> = verify(&model, Level::Recorded).iter().map(Violation::to_string).collect();
    assert_eq!(
        found,
        [
            "UnknownOp function `round` node `make_y`: there is no op `` in `ai.bytesandbrains.role.Aggregator`",
            "DanglingInput function `round` node `make_n` value `nothing`: nothing makes it",
            "MissingType function `round` value `w`: has no type",
        ]
    );
}

#[test]
fn the_page_on_wires_can_be_checked_alone() {
    let mut model = model(Level::Cut);
    change("Recv", |n| n.output.truncate(1))(&mut model);
    model.ir_version = None;
    assert!(wire_shape(&model, Level::Cut).iter().all(|v| v.rule == Rule::RecvShape));
    assert!(!wire_shape(&model, Level::Cut).is_empty());
}

proptest! {
    #[test]
    fn no_model_that_decodes_panics(level in 0..5usize, flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u32), 1..20)) {
        let level = LEVELS[level];
        let mut bytes = model(level).encode_to_vec();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Ok(model) = ModelProto::decode(bytes.as_slice()) {
            let _ = verify(&model, level);
        }
    }

    #[test]
    fn no_changed_text_panics(level in 0..5usize, which: prop::sample::Index, text in "[a-z0-9|=.,@-]{0,12}") {
        let level = LEVELS[level];
        let mut model = model(level);
        let mut texts: Vec<&mut String> = Vec::new();
        for entry in model.metadata_props.iter_mut() {
            texts.extend(entry.value.as_mut());
        }
        for node in &mut model.functions[0].node {
            texts.extend(node.metadata_props.iter_mut().filter_map(|e| e.value.as_mut()));
            texts.extend(node.input.iter_mut().chain(&mut node.output));
            texts.extend([&mut node.overload, &mut node.op_type, &mut node.domain].into_iter().flatten());
        }
        let which = which.index(texts.len());
        *texts[which] = text;
        let _ = verify(&model, level);
    }
}

#[test]
fn violations_come_in_the_order_of_the_checks_and_not_of_the_nodes() {
    let mut model = model(Level::Placed);
    let nodes = &mut model.functions[0].node;
    nodes[0].remove_metadata(keys::PLACE_KEY);
    let last = nodes.iter_mut().rfind(|node| !node.input.is_empty()).expect("the sample reads its values");
    last.input[0] = "nobody's".into();
    let rules: Vec<Rule> = verify(&model, Level::Placed).into_iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::DanglingInput, Rule::Unplaced]);
}

#[test]
fn a_key_outside_of_our_namespace_is_nobodys_business() {
    // `peer` is an attribute's name and no key.
    let found = broken(Level::Sealed, |model| model.functions[0].node[0].set_metadata(keys::ATTR_PEER, "anyone"));
    assert_eq!(found, BTreeSet::new());
}
