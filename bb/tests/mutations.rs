//! What an artifact says is what a compiler wrote: about fifty fields, each changed alone, and who refuses it.
//!
//! A change that makes another valid program cannot be told from that program, so it is not here: another deadline on a
//! Send *and* its check, another attribute of an operator or a gather, two outputs of one type swapped with the
//! graph's, the program's name, the digest of a partition that only receives, the transport of a Send whose Recv is
//! elsewhere, fewer wires that a Recv awaits, an element type that only values between two ops have.
#![allow(missing_docs)]

mod snapshot_programs;

use bb::engine::{Config, Engine, InstallError};
use bb::ir::bindings::dest_suffix_attribute;
use bb::ir::keys::*;
use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto, ValueInfoProto};
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::verify::{Level, Rule, verify};
use bb::ir::views::{Attributes, Metadata, attribute};
use bb::ir::{artifact, names, ops};
use bb_components as _;
use snapshot_programs::*;

/// Who refuses a change.
#[derive(Debug)]
enum By {
    /// The verifier, by this rule, and therefore whoever installs it.
    Rule(Rule),
    /// What looks at an artifact before, or at a plan behind the verifier.
    Install(&'static str),
}

#[derive(Clone, Copy)]
enum Of {
    RoundServer,
    RoundClient,
    ScoredServer,
    GossipNode,
    KeptClient,
}

struct Artifacts(Vec<(bb::Compiled, &'static str)>);

impl Artifacts {
    fn compile() -> Self {
        Artifacts(vec![
            (bb::compile(round), "Server"),
            (bb::compile(round), "Client"),
            (bb::compile(scored), "Server"),
            (bb::compile(gossip), "Node"),
            (bb::compile(kept), "Client"),
        ])
    }
    fn model(&self, of: Of) -> ModelProto {
        let (compiled, class) = &self.0[of as usize];
        artifact::read(&compiled.artifact(class).expect("it takes part").bytes).expect("ours")
    }
}

fn install(model: &ModelProto) -> Result<(), InstallError> {
    let slots: Vec<&str> =
        model.metadata_under(BINDING_KEY_PREFIX).filter_map(|(key, _)| Some(key.split_once('.')?.1)).collect();
    let slots: Vec<&str> = slots.into_iter().filter(|slot| *slot != "unheard_of").collect();
    let mut engine = Engine::new(Config::new(bb_sim::peer_id(1), 1));
    engine.install(&artifact::write(model), &bb::kernels(), &slots).map(|_| ())
}
fn variant(error: &InstallError) -> String {
    format!("{error:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

fn main(model: &mut ModelProto) -> &mut FunctionProto {
    &mut model.functions[0]
}
fn at(model: &mut ModelProto, op: &str) -> usize {
    main(model).node.iter().position(|n| n.op_type() == op).expect("the program has it")
}
/// The first node of an op.
fn node<'m>(model: &'m mut ModelProto, op: &str) -> &'m mut NodeProto {
    let at = at(model, op);
    &mut main(model).node[at]
}
fn info<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut ValueInfoProto {
    main(model).value_info.iter_mut().find(|v| v.name() == name).expect("it has a type")
}
/// Changes the value under a key of the model, which has to be there.
fn reword(model: &mut ModelProto, key: String, from: &str, to: &str) {
    let text = model.metadata(&key).expect("the key is there").replace(from, to);
    assert_ne!(model.metadata(&key), Some(&*text), "{key}");
    model.set_metadata(&key, text);
}
fn of_f64() -> Option<bb::ir::proto::onnx::TypeProto> {
    Some(ValueType::tensor(ElementKind::F64).to_proto())
}

type Row = (&'static str, Of, fn(&mut ModelProto), By);

fn rows() -> Vec<Row> {
    use By::{Install, Rule as R};
    use Of::*;
    vec![
        // The file and its passport.
        ("ONNX's version", RoundServer, |m| m.ir_version = Some(9), Install("NotAnArtifact")),
        ("bb's version", RoundServer, |m| m.set_metadata(FRAMEWORK_IR_VERSION_KEY, "0"), Install("NotAnArtifact")),
        ("the passport", RoundServer, |m| m.set_metadata(COMPILED_KEY, "v0"), Install("IncompatibleCompiledVersion")),
        ("no passport", RoundServer, |m| m.remove_metadata(COMPILED_KEY), Install("NotCompiled")),
        ("an operator set's version", RoundServer, |m| m.opset_import[0].version = Some(7), R(Rule::Versions)),
        ("an operator set", RoundServer, |m| drop(main(m).opset_import.pop()), R(Rule::OpsetNotImported)),
        ("the digest", RoundServer, |m| m.set_metadata(PROGRAM_DIGEST_KEY, "0".repeat(64)), R(Rule::Destination)),
        ("the digest's form", RoundServer, |m| m.set_metadata(PROGRAM_DIGEST_KEY, "0"), R(Rule::MalformedKey)),
        ("the program's name", RoundServer, |m| m.remove_metadata(PROGRAM_NAME_KEY), R(Rule::Passport)),
        ("a key of no table", RoundServer, |m| m.set_metadata(&format!("{NAMESPACE}more"), "1"), R(Rule::UnknownKey)),
        (
            "a key twice",
            RoundServer,
            |m| {
                let first = m.props()[0].clone();
                m.props_mut().push(first);
            },
            R(Rule::DuplicateKey),
        ),
        // Tables.
        (
            "a place's class",
            RoundServer,
            |m| reword(m, format!("{PLACE_TABLE_PREFIX}0"), "Server", "Client"),
            R(Rule::Unplaced),
        ),
        (
            "a place's number of peers",
            RoundServer,
            |m| reword(m, format!("{PLACE_TABLE_PREFIX}1"), "each", "one"),
            R(Rule::WirePlaces),
        ),
        (
            "the entry's anchor",
            RoundServer,
            |m| reword(m, format!("{PLACE_TABLE_PREFIX}0"), "entry", "cohort"),
            R(Rule::PlaceTable),
        ),
        ("a place", RoundServer, |m| m.remove_metadata(&format!("{PLACE_TABLE_PREFIX}1")), R(Rule::WirePlaces)),
        ("a wire's row", RoundServer, |m| m.remove_metadata(&format!("{PROGRAM_WIRE_PREFIX}1")), R(Rule::ProgramWire)),
        (
            "a wire's classes",
            RoundClient,
            |m| reword(m, format!("{PROGRAM_WIRE_PREFIX}0"), "Server|", "Client|"),
            R(Rule::ProgramWire),
        ),
        (
            "a wire's types",
            RoundClient,
            |m| reword(m, format!("{PROGRAM_WIRE_PREFIX}1"), "6d43", "6d44"),
            R(Rule::ProgramWire),
        ),
        (
            "a slot's target",
            RoundClient,
            |m| {
                m.remove_metadata(&binding_key("round_Client", "trainer"));
                m.set_metadata(&binding_key("round_Server", "trainer"), "bb.Trainer||2");
            },
            Install("UnknownTarget"),
        ),
        (
            "a slot's role",
            RoundClient,
            |m| reword(m, binding_key("round_Client", "trainer"), "Trainer", "State"),
            R(Rule::BindingTable),
        ),
        (
            "a slot's number",
            RoundClient,
            |m| reword(m, binding_key("round_Client", "trainer"), "2", "3"),
            R(Rule::BindingTable),
        ),
        (
            "a slot's name",
            RoundClient,
            |m| {
                m.remove_metadata(&binding_key("round_Client", "trainer"));
                m.set_metadata(&binding_key("round_Client", "unheard_of"), "bb.Trainer||2");
            },
            Install("UnboundSlot"),
        ),
        (
            "a slot twice",
            RoundClient,
            |m| m.set_metadata(&binding_key("round_Client", "again"), "bb.Trainer||2"),
            R(Rule::BindingTable),
        ),
        (
            "a slot's row",
            RoundClient,
            |m| m.set_metadata(&binding_key("round_Client", "trainer"), "nonsense"),
            Install("InvalidBindingTable"),
        ),
        // The border.
        ("the main's name", RoundServer, |m| main(m).name = Some("other".into()), R(Rule::Graph)),
        ("an input's name", RoundServer, |m| main(m).input[1] = "others".into(), R(Rule::DanglingInput)),
        ("the inputs' order", RoundServer, |m| main(m).input.swap(1, 2), R(Rule::Graph)),
        ("an output's name", RoundServer, |m| main(m).output[0] = "other".into(), R(Rule::DanglingOutput)),
        ("an output", ScoredServer, |m| drop(main(m).output.pop()), R(Rule::Graph)),
        ("the outputs' order", ScoredServer, |m| main(m).output.reverse(), R(Rule::Graph)),
        ("an input's type", RoundServer, |m| info(m, "quorum").r#type = of_f64(), R(Rule::Graph)),
        (
            "a cohort's class",
            RoundServer,
            |m| {
                for info in &mut main(m).value_info {
                    if info.metadata(PEER_CLASS_KEY) == Some("Client") {
                        info.set_metadata(PEER_CLASS_KEY, "Server");
                    }
                }
            },
            R(Rule::WirePlaces),
        ),
        // Values.
        ("no type", RoundClient, |m| info(m, "train_2.1").r#type = None, R(Rule::MissingType)),
        (
            "a type of none",
            RoundClient,
            |m| info(m, "train_2.1").r#type = Some(Default::default()),
            R(Rule::UnknownType),
        ),
        (
            "no element type",
            RoundClient,
            |m| {
                info(m, "train_2.1").r#type = Some(ValueType::Tensor { element: None, shape: None }.to_proto());
            },
            R(Rule::UnresolvedType),
        ),
        ("a sent type", RoundClient, |m| info(m, "send_3~BackoffGateTx.0").r#type = of_f64(), R(Rule::ProgramWire)),
        (
            "a received type",
            RoundServer,
            |m| {
                let value = node(m, "Recv").output[0].clone();
                info(m, &value).r#type = of_f64();
            },
            R(Rule::ProgramWire),
        ),
        (
            "a peer's type",
            RoundServer,
            |m| {
                let peer = node(m, "Send").input[1].clone();
                info(m, &peer).r#type = of_f64();
            },
            R(Rule::WirePlaces),
        ),
        // Ops.
        ("an op", GossipNode, |m| node(m, "Add").op_type = Some("Plus".into()), R(Rule::UnknownOp)),
        ("an op's domain", GossipNode, |m| node(m, "Add").domain = Some("elsewhere".into()), R(Rule::UnknownOp)),
        ("an op's inputs", GossipNode, |m| drop(node(m, "Add").input.pop()), R(Rule::Arity)),
        ("what an op reads", GossipNode, |m| node(m, "Add").input[0] = "nothing".into(), R(Rule::DanglingInput)),
        ("what an op has to read", GossipNode, |m| node(m, "Add").input[0].clear(), R(Rule::DanglingInput)),
        ("what an op waits for", GossipNode, |m| node(m, "get").input[0].clear(), R(Rule::DanglingInput)),
        ("what an op gives", GossipNode, |m| node(m, "Add").output[0] = "get_0".into(), R(Rule::DuplicateValue)),
        (
            "what an op reads from elsewhere",
            GossipNode,
            |m| node(m, "Add").input[0] = "mix_2".into(),
            R(Rule::TwoPlaces),
        ),
        ("the order of ops", RoundServer, |m| main(m).node.reverse(), R(Rule::NotTopological)),
        ("a name", RoundServer, |m| main(m).node[0].name = None, R(Rule::MissingNodeName)),
        (
            "a name twice",
            RoundServer,
            |m| {
                let name = main(m).node[1].name.clone();
                main(m).node[0].name = name;
            },
            R(Rule::DuplicateNodeName),
        ),
        ("an op's class", GossipNode, |m| node(m, "Add").set_metadata(HOME_CLASS_KEY, "Client"), Install("Malformed")),
        ("an op's place", GossipNode, |m| node(m, "Add").set_metadata(PLACE_KEY, "1"), R(Rule::TwoPlaces)),
        ("a place that is none", GossipNode, |m| node(m, "Add").set_metadata(PLACE_KEY, "9"), R(Rule::Unplaced)),
        (
            "how many inputs are only waited for",
            GossipNode,
            |m| node(m, "get").remove_metadata(CONTROL_KEY),
            R(Rule::ControlCount),
        ),
        (
            "that an input is only waited for",
            GossipNode,
            |m| node(m, "Add").set_metadata(CONTROL_KEY, "1"),
            R(Rule::Arity),
        ),
        ("an op's slot", GossipNode, |m| node(m, "get").set_metadata(SLOT_ID_KEY, "7"), R(Rule::BindingTable)),
        (
            "an op's role",
            GossipNode,
            |m| node(m, "get").set_metadata(REQUIRED_TRAIT_KEY, "bb.Store"),
            R(Rule::UnservedRole),
        ),
        (
            "an attribute twice",
            ScoredServer,
            |m| {
                let constant = node(m, "Constant");
                constant.attribute.push(constant.attribute[0].clone());
            },
            R(Rule::DuplicateKey),
        ),
        ("a constant's type", ScoredServer, |m| info(m, "constant_7").r#type = of_f64(), R(Rule::ConstantType)),
        ("a lane", ScoredServer, |m| node(m, "Sub").remove_metadata(LANE_KEY), Install("BadNode")),
        ("another lane", ScoredServer, |m| node(m, "ReduceMean").set_metadata(LANE_KEY, "3"), Install("BadNode")),
        // Wires.
        ("a Send's wire", GossipNode, |m| node(m, "Send").set_metadata(WIRE_ID_KEY, "1"), R(Rule::WireId)),
        ("a Recv's wire", RoundServer, |m| node(m, "Recv").set_metadata(WIRE_ID_KEY, "0"), R(Rule::ProgramWire)),
        (
            "no Send",
            RoundClient,
            |m| {
                let send = at(m, "Send");
                main(m).node.remove(send);
            },
            R(Rule::ProgramWire),
        ),
        ("no wire", RoundServer, |m| node(m, "Recv").remove_metadata(WIRE_ID_KEY), R(Rule::WireId)),
        ("a Send's payloads", RoundClient, |m| node(m, "Send").overload = Some("1".into()), R(Rule::SendShape)),
        ("a Recv's values", RoundServer, |m| node(m, "Recv").output.truncate(1), R(Rule::RecvShape)),
        ("where a wire leaves", GossipNode, |m| node(m, "Send").set_metadata(FROM_PLACE_KEY, "1"), R(Rule::WirePlaces)),
        (
            "where a wire arrives",
            RoundServer,
            |m| node(m, "Send").set_metadata(TO_PLACE_KEY, "0"),
            R(Rule::ProgramWire),
        ),
        (
            "where both are in one class",
            GossipNode,
            |m| node(m, "Send").set_metadata(TO_PLACE_KEY, "0"),
            R(Rule::WireHalves),
        ),
        (
            "what a Recv carries",
            RoundClient,
            |m| node(m, "Recv").set_metadata(WIRE_TRANSPORT_KEY, "trigger_only"),
            R(Rule::Transport),
        ),
        ("no transport", RoundClient, |m| node(m, "Send").remove_metadata(WIRE_TRANSPORT_KEY), R(Rule::Transport)),
        (
            "a word that is no transport",
            RoundClient,
            |m| node(m, "Send").set_metadata(WIRE_TRANSPORT_KEY, "more"),
            R(Rule::MalformedKey),
        ),
        (
            "a site's address",
            RoundServer,
            |m| {
                let send = node(m, "Send");
                send.set_attr(attribute::bytes(&dest_suffix_attribute(0), vec![0; 13]));
            },
            R(Rule::Destination),
        ),
        (
            "a site's name",
            GossipNode,
            |m| {
                node(m, "Send").set_metadata(&format!("{DEST_SITE_NAME_PREFIX}0"), "elsewhere");
            },
            R(Rule::WireHalves),
        ),
        (
            "a deadline",
            RoundServer,
            |m| node(m, "Send").set_attr(attribute::int(ATTR_DEADLINE_NS, 1)),
            R(Rule::GateShape),
        ),
        ("no deadline", RoundServer, |m| node(m, "Send").remove_attr(ATTR_DEADLINE_NS), R(Rule::Deadline)),
        (
            "how far the way back is",
            RoundServer,
            |m| node(m, "Send").set_metadata(CHAIN_DEPTH_KEY, "0"),
            R(Rule::Deadline),
        ),
        ("what a Recv waits for", RoundServer, |m| node(m, "Recv").set_metadata(AWAITS_KEY, "1"), R(Rule::WirePlaces)),
        ("a Recv's slot", RoundClient, |m| node(m, "Recv").set_metadata(RECV_SLOT_ID_KEY, "9"), R(Rule::BindingTable)),
        // Gates and gathers.
        (
            "a gate's wire",
            RoundServer,
            |m| {
                node(m, ops::GATE_DEDUP_RX).set_attr(attribute::string(DEDUP_SLOT, "0"));
            },
            R(Rule::GateShape),
        ),
        (
            "a check's deadline",
            RoundServer,
            |m| {
                node(m, ops::GATE_DEADLINE_CHECK).set_attr(attribute::int(ATTR_DEADLINE_NS, 1));
            },
            R(Rule::GateShape),
        ),
        (
            "the order of gates",
            RoundServer,
            |m| {
                let (first, second) = (at(m, ops::GATE_PEER_HEALTH_RX), at(m, ops::GATE_BACKOFF_RX));
                main(m).node[first].op_type = Some(ops::GATE_BACKOFF_RX.into());
                main(m).node[second].op_type = Some(ops::GATE_PEER_HEALTH_RX.into());
            },
            Install("BadNode"),
        ),
        (
            "a gate less",
            RoundServer,
            |m| {
                let gate = at(m, ops::GATE_PEER_HEALTH_TX);
                let gate = main(m).node.remove(gate);
                let next = node(m, ops::GATE_BACKOFF_TX);
                next.input = gate.input;
            },
            Install("BadNode"),
        ),
        (
            "what a gather needs",
            RoundServer,
            |m| {
                node(m, "Gather").set_attr(attribute::string(ops::gather::NEED_KIND, "some"));
            },
            R(Rule::GatherShape),
        ),
        (
            "how long it waits",
            RoundServer,
            |m| {
                node(m, "Gather").set_attr(attribute::int(ops::gather::WITHIN_NS, -1));
            },
            R(Rule::GatherShape),
        ),
        ("the lane it closes", RoundServer, |m| node(m, "Gather").set_metadata(LANE_KEY, "0"), Install("BadNode")),
        // What runs once per start.
        (
            "a bootstrap's phase",
            KeptClient,
            |m| {
                m.functions[1].set_metadata(MODULE_PHASE_KEY, MODULE_PHASE_BODY);
            },
            R(Rule::Uncalled),
        ),
        ("a bootstrap's inputs", KeptClient, |m| m.functions[1].input.clear(), R(Rule::Bootstrap)),
        (
            "a bootstrap's class",
            KeptClient,
            |m| {
                m.functions[1].node[0].set_metadata(HOME_CLASS_KEY, "Server");
            },
            Install("Malformed"),
        ),
        (
            "a bootstrap's slot",
            KeptClient,
            |m| m.functions[1].node[0].set_metadata(SLOT_ID_KEY, "9"),
            R(Rule::BindingTable),
        ),
        (
            "a second bootstrap",
            KeptClient,
            |m| {
                let mut second = m.functions[1].clone();
                second.name = Some(names::bootstrap("second"));
                m.functions.push(second);
            },
            R(Rule::Bootstrap),
        ),
        (
            "the main's phase",
            RoundServer,
            |m| main(m).set_metadata(MODULE_PHASE_KEY, MODULE_PHASE_BOOTSTRAP),
            R(Rule::Bootstrap),
        ),
    ]
}

#[test]
fn every_changed_field_is_refused_by_name() {
    let artifacts = Artifacts::compile();
    for (what, of, change, by) in rows() {
        let mut model = artifacts.model(of);
        assert_eq!(verify(&model, Level::Sealed), [], "{what}");
        assert_eq!(install(&model), Ok(()), "{what}");
        let before = model.clone();
        change(&mut model);
        assert_ne!(model, before, "{what} changes nothing");
        let found: Vec<Rule> = verify(&model, Level::Sealed).into_iter().map(|violation| violation.rule).collect();
        let error = install(&model);
        let refused = match &by {
            By::Rule(rule) => found.contains(rule) && error.is_err(),
            By::Install(name) => error.as_ref().err().map(variant).as_deref() == Some(*name),
        };
        assert!(refused, "{what}: refused by {found:?} and {error:?}, not by {by:?}");
    }
}
