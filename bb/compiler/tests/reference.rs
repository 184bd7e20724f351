//! Programs as ONNX's own tools read them.
#![allow(missing_docs)]

mod support;

use bb_compiler::passes::collapse_backend_subgraphs::tensor_operators;
use bb_compiler::{Compiler, Output, Reference};
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::views::FunctionKey;
use bb_ir::{names, ops};
use support::{Module, compile, model, round, split_inference, tensor};

/// A body that gives its first input everywhere, or nothing at all.
fn body(inputs: usize, outputs: usize) -> FunctionProto {
    let named = |of: &str, n: usize| (0..n).map(|i| format!("{of}{i}")).collect::<Vec<_>>();
    let node = |to: &String| NodeProto {
        op_type: Some(if inputs == 0 { "Constant" } else { "Identity" }.into()),
        input: named("in", inputs.min(1)),
        output: vec![to.clone()],
        ..NodeProto::default()
    };
    let output = named("out", outputs);
    FunctionProto { input: named("in", inputs), node: output.iter().map(node).collect(), output, ..Default::default() }
}
fn played() -> Reference {
    let domain = |role: &str| format!("{}{role}", ops::ROLE_DOMAIN_PREFIX);
    Reference::new()
        .with_bodies(&domain("user.Trainer"), "train", vec![body(1, 2), body(1, 2)])
        .with_body(&domain("Aggregator"), "params", body(0, 1))
        .with_body(&domain("Aggregator"), "fold", body(4, 1))
}
fn of_three(program: FunctionProto) -> Output {
    Compiler::new().with_unrolled("Client", 3).compile(&model(vec![program])).expect("it compiles")
}
fn main_of(model: &ModelProto) -> &FunctionProto {
    &model.functions[0]
}
fn nodes<'a>(model: &'a ModelProto, op: &str) -> Vec<&'a NodeProto> {
    main_of(model).node.iter().filter(|n| n.op_type() == op).collect()
}

#[test]
fn every_op_of_bbs_is_a_call_of_a_function_with_its_arity_in_imported_sets() {
    for (program, whole) in [(compile(vec![round()]), played()), (compile(vec![split_inference()]), Reference::new())] {
        let mut models = vec![whole.whole(&program).expect("everything is played")];
        models.extend(program.partitions.iter().map(|p| whole.view(&program, &p.class).expect("everything is played")));
        for model in &models {
            for function in &model.functions {
                for node in function.node.iter().filter(|n| !n.domain().is_empty()) {
                    let key = FunctionKey::of_node(node);
                    let callee = model.functions.iter().find(|f| FunctionKey::of_function(f) == key);
                    let callee = callee.unwrap_or_else(|| panic!("{key:?} is not there"));
                    assert_eq!((callee.input.len(), callee.output.len()), (node.input.len(), node.output.len()));
                }
                for node in &function.node {
                    for sets in [&function.opset_import, &model.opset_import] {
                        assert!(sets.iter().any(|set| set.domain() == node.domain()), "{}", node.name());
                    }
                }
            }
        }
    }
}

#[test]
fn a_cohort_of_three_has_three_lanes_that_end_in_sequences() {
    let whole = played().whole(&of_three(round())).expect("everything is played");
    let train: Vec<_> = nodes(&whole, "train").iter().map(|n| (n.output[0].as_str(), n.overload())).collect();
    assert_eq!(train, [("train_2.0~lane0", "1_2_0"), ("train_2.0~lane1", "1_2_1"), ("train_2.0~lane2", "1_2_1")]);
    assert_eq!((nodes(&whole, "Send").len(), nodes(&whole, "fold").len()), (6, 1));
    let [gather] = nodes(&whole, "Gather")[..] else { panic!("one gather") };
    let value = |of: &str| [0, 1, 2].map(|lane| format!("{of}~lane{lane}"));
    assert_eq!(gather.input, [value("send_3.0"), value("send_3.1"), value("send_3.2")].concat());
    let senders: Vec<_> = nodes(&whole, "Send").iter().map(|n| n.input.last().cloned().expect("a sender")).collect();
    assert_eq!(senders[..3], [names::caller(), names::caller(), names::caller()]);
    assert_eq!(senders[3..], [0, 1, 2].map(|lane| names::member("cohort", lane)));
}

#[test]
fn unrolled_or_not_it_is_the_same_program_in_the_same_artifacts() {
    let (three, one) = (of_three(round()), compile(vec![round()]));
    assert_eq!((three.digest, &three.program, &three.partitions), (one.digest, &one.program, &one.partitions));
    let sends = |of: &Output| nodes(&played().whole(of).expect("everything is played"), "Send").len();
    assert_eq!((sends(&three), sends(&one)), (6, 2));
    for class in ["Server", "Client"] {
        assert_eq!(played().view(&three, class), played().view(&one, class), "a view is one member's");
    }
}

#[test]
fn what_is_of_unknown_rank_is_a_sequence_at_the_border_alone() {
    let whole = Reference::new().whole(&compile(vec![split_inference()])).expect("no role takes part");
    let graph = whole.graph.as_ref().expect("a graph");
    let of = |info: &bb_ir::proto::onnx::ValueInfoProto| ValueType::from_proto(info.r#type.as_ref().expect("typed"));
    assert_eq!(graph.input[1].name(), "x");
    assert_eq!(of(&graph.input[1]), Some(ValueType::Seq(Box::new(tensor()))));
    let call = graph.node.iter().find(|n| n.op_type() == "split").expect("the call");
    assert_eq!((call.input[0].as_str(), call.input[1].clone()), (names::START, names::inside("x")));
    assert!(graph.node.iter().any(|n| n.op_type() == "SequenceAt" && n.output == [names::inside("x")]));
    let declared = main_of(&whole).value_info.iter().find(|i| i.name() == "x").expect("declared");
    assert_eq!(of(declared), Some(tensor()), "inside it is what it was");
}

#[test]
fn a_view_has_its_wires_at_its_border_and_no_gates() {
    let program = compile(vec![split_inference()]);
    let view = Reference::new().view(&program, "Left").expect("no role takes part");
    let main = main_of(&view);
    assert_eq!(main.input, [names::START, "send_0.0", "send_0.1", "send_0.2"], "the values, then who sent them");
    assert_eq!(main.output, [names::sent("send_4.0")]);
    assert_eq!(main.node.iter().map(|n| n.op_type()).collect::<Vec<_>>(), ["Relu", "Identity"]);
    let view = Reference::new().view(&program, "Edge").expect("no role takes part");
    let both: Vec<_> = main_of(&view).output.iter().filter(|o| main_of(&view).input.contains(o)).collect();
    assert!(both.is_empty(), "what a wire brings and the program gives is an output by another name: {both:?}");
}

#[test]
fn what_nobody_plays_is_named() {
    let program = compile(vec![round()]);
    let why = Reference::new().whole(&program).expect_err("nobody plays the roles");
    assert_eq!(why.to_string(), "`params_0` has no reference meaning: no body was given for its op");
    let domain = format!("{}Aggregator", ops::ROLE_DOMAIN_PREFIX);
    let why = played().with_body(&domain, "fold", body(1, 1)).whole(&program).expect_err("fold takes four values");
    assert!(why.to_string().contains("other inputs or outputs"), "{why}");
    let why = played().view(&program, "Nobody").expect_err("there is no such class");
    assert!(why.to_string().contains("no piece of that class"), "{why}");
}

#[test]
fn who_only_looks_needs_nobody_to_play() {
    let program = compile(vec![round()]);
    let whole = Reference::new().leave_unplayed().whole(&program).expect("nothing has to be played");
    let [train] = nodes(&whole, "train")[..] else { panic!("one op") };
    let recorded = program.program.functions[0].node.iter().find(|n| n.op_type() == "train").expect("it is there");
    assert_eq!(train, recorded, "it is what it was");
    assert!(whole.opset_import.iter().any(|set| set.domain() == train.domain()));
    assert!(!nodes(&whole, "Send")[0].overload().is_empty(), "what has a meaning is given it");
}

/// The operators of a class's view, sorted.
fn view_of(output: &Output, class: &str) -> Vec<String> {
    let view = Reference::new().view(output, class).expect("no role takes part");
    let mut ops: Vec<String> = main_of(&view).node.iter().map(|n| n.op_type().to_owned()).collect();
    ops.sort();
    ops
}
fn in_regions(functions: Vec<FunctionProto>) -> Output {
    Compiler::new().with_backend_subgraphs(tensor_operators()).compile(&model(functions)).expect("it compiles")
}
fn carriers(output: &Output) -> usize {
    let nodes = output.partitions.iter().flat_map(|p| &p.main().node);
    nodes.filter(|n| n.domain() == ops::BACKEND_DOMAIN).count()
}

#[test]
fn a_view_has_the_operators_of_regions_for_a_backend() {
    let (regions, plain) = (in_regions(vec![split_inference()]), compile(vec![split_inference()]));
    assert!(carriers(&regions) > 0);
    for partition in &plain.partitions {
        assert_eq!(view_of(&regions, &partition.class), view_of(&plain, &partition.class), "{}", partition.class);
    }
}

#[test]
fn a_constant_of_two_regions_is_in_a_view_once() {
    let mut m = Module::with_graph("asks");
    let (x, to) = (m.input("x", "Edge", tensor()), m.peer("to", "Edge", "Head"));
    let half = m.constant(0.5);
    let less = m.op("Mul", &[&x, &half]);
    let there = m.wire(&[&less], &to);
    let origin = m.origin("Edge");
    let back = m.wire(&[&there.values[0]], &origin);
    let sum = m.op("Add", &[&back.values[0], &half]);
    m.output(&sum);
    let output = in_regions(vec![m.done()]);
    assert_eq!(carriers(&output), 2, "what comes later is a region of its own");
    assert_eq!(view_of(&output, "Edge"), ["Add", "Constant", "Identity", "Mul"]);
}
