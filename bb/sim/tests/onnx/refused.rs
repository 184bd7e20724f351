//! Calls that the build refuses: a code, a reason, a cure, on the token.

use crate::files::{mlp, node, value};
use bb::ir::diagnostics::Diagnostic;
use bb::ir::proto::onnx::{AttributeProto, GraphProto, ModelProto, TensorProto};
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::views::attribute;
use bb::prelude::*;
use std::path::Path;

#[derive(bb::Peer)]
pub struct Edge;

/// What is wrong with calling these bytes as a model, all of it.
pub fn faults_of(name: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    let directory = env!("CARGO_TARGET_TMPDIR");
    std::fs::write(Path::new(directory).join(name), bytes).expect("a test's directory is writable");
    let program = |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> { bb::__private::onnx(directory, name).call(x) };
    bb::compile(program).diagnostics
}

/// The one thing that is wrong with a model.
fn fault_of(name: &str, model: &ModelProto) -> String {
    let faults = faults_of(name, &bb::ir::artifact::write(model));
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].to_string()
}

/// The model, otherwise.
fn with(change: impl FnOnce(&mut ModelProto, &mut GraphProto)) -> ModelProto {
    let mut model = mlp();
    let mut graph = model.graph.take().expect("it has one");
    change(&mut model, &mut graph);
    model.graph = Some(graph);
    model
}

#[test]
fn a_file_that_is_not_there() {
    let line = line!() + 2;
    let program = |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> {
        let model = bb::onnx!("models/none.onnx");
        model.call(x)
    };
    let faults = bb::compile(program).diagnostics;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let text = faults[0].to_string();
    assert!(text.starts_with("bb[BB0801]: `models/none.onnx` cannot be read: "), "{text}");
    assert!(text.contains("help: the path of a model is one below the package"), "{text}");
    let at = faults[0].at.as_ref().expect("a token");
    assert_eq!((at.file.as_str(), at.line, at.column), ("tests/onnx/refused.rs", line, 21));
}

/// Nothing is said of what follows from it.
#[test]
fn a_model_in_stages_that_is_not_there_is_one_fault() {
    #[bb::module]
    fn staged(graph: &Graph, x: On<Edge, Tensor>, other: On<Edge, Peer<Edge>>) -> On<Edge, Tensor> {
        let model = bb::onnx!("models/none.onnx");
        let features: On<Edge, Tensor> = model.until("features").call(x);
        let features = graph.wire(features.relu(), other);
        let scores: On<Edge, Tensor> = model.after("features").call(features);
        graph.wire(scores, graph.origin::<Edge>())
    }
    let faults = bb::compile(staged).diagnostics;
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["BB0801"], "{faults:#?}");
}

#[test]
fn values_that_a_model_does_not_have() {
    let line = line!() + 3;
    let program = |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> {
        let model = bb::onnx!("tests/onnx/mlp.onnx");
        model.until("feature").call(x)
    };
    let faults = bb::compile(program).diagnostics;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(
        faults[0].to_string(),
        "bb[BB0805]: `tests/onnx/mlp.onnx` has no value `feature`
  note: it has `image`, `features`, `hidden`, `scores`
  help: `features` is one of its values"
    );
    assert_eq!(faults[0].at.as_ref().map(|at| (at.line, at.column)), Some((line, 15)));
}

#[test]
fn stages_that_are_none() {
    let stage = |after: &'static str, until: &'static str| {
        let program = move |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> {
            bb::onnx!("tests/onnx/mlp.onnx").after(after).until(until).call(x)
        };
        bb::compile(program).diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(stage("hidden", "scores"), [""; 0]);
    assert_eq!(
        stage("features", "hidden"),
        ["bb[BB0806]: `hidden` does not follow from `features` alone
  note: it also takes the model's input `image`
  help: begin the stage at values that tell everything: `.after([\"features\", \"image\"])`, or earlier"]
    );
    let both = |_: &Graph, x: On<Edge, Tensor>, y: On<Edge, Tensor>| -> On<Edge, Tensor> {
        bb::onnx!("tests/onnx/mlp.onnx").after(["features", "image"]).call((x, y))
    };
    let faults = bb::compile(both).diagnostics;
    assert!(faults[0].to_string().contains("nothing that this stage of"), "{faults:#?}");
}

#[test]
fn calls_that_do_not_fit() {
    let many = |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> { bb::onnx!("tests/onnx/mlp.onnx").call((x, x)) };
    assert_eq!(
        bb::compile(many).diagnostics[0].to_string(),
        "bb[BB0806]: this stage of `tests/onnx/mlp.onnx` takes 1: `image`\n  help: it is given 2"
    );
    let few = |_: &Graph, x: On<Edge, Tensor>| -> (On<Edge, Tensor>, On<Edge, Tensor>) {
        bb::onnx!("tests/onnx/mlp.onnx").call(x)
    };
    let text = bb::compile(few).diagnostics[0].to_string();
    assert!(text.starts_with("bb[BB0806]: this stage of `tests/onnx/mlp.onnx` gives 1: `scores`"), "{text}");
    let whole = |_: &Graph, x: On<Edge, Tensor<i64>>| -> On<Edge, Tensor> { bb::onnx!("tests/onnx/mlp.onnx").call(x) };
    assert_eq!(
        bb::compile(whole).diagnostics[0].to_string(),
        "bb[BB0806]: `image` of `tests/onnx/mlp.onnx` holds f32, and is given i64\n  help: convert it: `.cast::<f32>()`"
    );
}

#[test]
fn types_are_checked_on_both_sides_of_a_call() {
    let narrow = |_: &Graph, x: On<Edge, Tensor<f32, (bb::D<2>, bb::D<5>)>>| -> On<Edge, Tensor> {
        bb::onnx!("tests/onnx/mlp.onnx").call(x)
    };
    let text = bb::compile(narrow).diagnostics.iter().map(ToString::to_string).collect::<String>();
    assert!(text.contains("BB0302"), "{text}");
    let gives = |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor<i64>> { bb::onnx!("tests/onnx/mlp.onnx").call(x) };
    let text = bb::compile(gives).diagnostics.iter().map(ToString::to_string).collect::<String>();
    assert!(text.contains("BB0301"), "{text}");
}

#[test]
fn an_output_that_is_declared_wrongly_is_the_models_own_fault() {
    let text = fault_of("declared.onnx", &with(|_, graph| graph.output[0] = value("scores", 7)));
    assert!(text.starts_with("bb[BB0302]: this is a tensor of `f32` with the shape (_, 7), but"), "{text}");
    assert!(text.contains("note: the first is declared: a model says it of what this `Gemm` gives"), "{text}");
}

#[test]
fn operators_that_bb_does_not_have() {
    let text = fault_of("loop.onnx", &with(|_, graph| graph.node[1].op_type = Some("Loop".into())));
    assert_eq!(
        text,
        "bb[BB0804]: `loop.onnx` uses `Loop`, for which bb has no operator
  note: the node is `Relu_features`
  help: `bb/docs/ir.md` lists the operators there are; what else a model does, a component does"
    );
    let several = with(|_, graph| {
        graph.node[0].op_type = Some("Det".into());
        graph.node[1].op_type = Some("Loop".into());
        graph.node[1].domain = Some("com.microsoft".into());
        graph.node[2].op_type = Some("Det".into());
    });
    assert_eq!(
        fault_of("several.onnx", &several),
        "bb[BB0804]: `several.onnx` uses `Det`, `Loop` of `com.microsoft`, for which bb has no operator
  note: the node is `Gemm_hidden`
  note: that of `Loop` of `com.microsoft` is `Relu_features`
  help: `bb/docs/ir.md` lists the operators there are; what else a model does, a component does"
    );
    let foreign = with(|_, graph| graph.node[1].domain = Some("com.microsoft".into()));
    assert!(fault_of("foreign.onnx", &foreign).contains("uses `Relu` of `com.microsoft`"));
}

#[test]
fn operator_sets_in_which_an_operator_means_something_else() {
    let of = |version: i64, op: &str| {
        with(|model, graph| {
            model.opset_import[0].version = Some(version);
            graph.node[1].op_type = Some(op.to_owned());
        })
    };
    for version in [7, 13, 21, 24] {
        assert_eq!(faults_of("old.onnx", &bb::ir::artifact::write(&of(version, "Relu"))), []);
    }
    assert_eq!(
        fault_of("softmax.onnx", &of(12, "Softmax")),
        "bb[BB0803]: `softmax.onnx` is written in operator set 12, and `Softmax` means the same as in 21 only from 13 on
  help: convert it: `onnx.version_converter.convert_version(model, 21)`"
    );
    assert!(fault_of("new.onnx", &of(99, "Relu")).contains("bb knows those up to 24"));
}

#[test]
fn dropout_drops_nothing() {
    let model = with(|_, graph| graph.node[1].op_type = Some("Dropout".into()));
    assert_eq!(faults_of("dropout.onnx", &bb::ir::artifact::write(&model)), []);
    let trains = with(|_, graph| {
        graph.node[1].op_type = Some("Dropout".into());
        graph.node[1].output.push("mask".into());
        graph.output.push(value("mask", 3));
    });
    assert!(fault_of("trains.onnx", &trains).contains("BB0804"));
}

#[test]
fn a_bootstrap_calls_no_model() {
    #[bb::module]
    fn scored(_graph: &Graph, x: On<Edge, Tensor>, sensor: SensorAt<Edge>) -> On<Edge, Tensor> {
        sensor.look(x)
    }
    #[bb::bootstrap(scored)]
    fn warm_up(graph: &Graph, sensor: SensorAt<Edge>) {
        let seen = sensor.first(graph);
        let scores: On<Edge, Tensor> = bb::onnx!("tests/onnx/mlp.onnx").call(seen);
        sensor.learn(scores);
    }
    let faults = bb::compile(scored).diagnostics;
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["BB0807"], "{faults:#?}");
}
#[bb::role]
pub trait Sensor {
    fn first(&mut self) -> Tensor;
    fn look(&mut self, x: Tensor) -> Tensor;
    fn learn(&mut self, x: Tensor);
}

#[test]
fn what_no_model_is() {
    let wrong = |name: &str, change: &dyn Fn(&mut ModelProto, &mut GraphProto)| fault_of(name, &with(change));
    type Change = dyn Fn(&mut ModelProto, &mut GraphProto);
    let table: &[(&str, &Change)] = &[
        ("`Relu` reads `nothing`, which nothing makes", &|_, graph| graph.node[1].input[0] = "nothing".into()),
        ("`Gemm` reads `image`, which nothing makes", &|_, graph| graph.input[0].name = Some("other".into())),
        ("is part of a cycle", &|_, graph| graph.node[0].input[0] = "scores".into()),
        ("is part of a cycle", &|_, graph| graph.node[1].input[0] = "features".into()),
        ("it makes `hidden` twice", &|_, graph| graph.node[1].output[0] = "hidden".into()),
        ("nothing makes its output `more`", &|_, graph| graph.output.push(value("more", 2))),
        ("it takes nothing, or gives nothing", &|_, graph| graph.output.clear()),
        ("it has an input twice", &|_, graph| graph.input.push(value("image", 4))),
        ("`Gemm` has 1 inputs and 1 outputs", &|_, graph| graph.node[0].input.truncate(1)),
        ("it does not say which operator set it uses", &|model, _| model.opset_import.clear()),
        ("its values are in another file", &|_, graph| graph.initializer[0].data_location = Some(1)),
        ("ONNX's type 10, which bb does not have", &|_, graph| graph.initializer[0].data_type = Some(10)),
        ("is not that of its values", &|_, graph| graph.initializer[0].dims = vec![i64::MAX, i64::MAX]),
        ("is not that of its values", &|_, graph| graph.initializer[0].dims = vec![-4, -3]),
        ("is not that of its values", &|_, graph| graph.initializer[0].dims = vec![1; 12]),
        ("it has the weight `w1` twice", &|_, graph| graph.initializer[2].name = Some("w1".into())),
        ("it has sparse weights", &|_, graph| graph.sparse_initializer.push(Default::default())),
        ("`image` is no tensor", &|_, graph| {
            graph.input[0].r#type = Some(ValueType::Seq(Box::new(ValueType::tensor(ElementKind::F32))).to_proto());
        }),
        ("`image` is no tensor", &|_, graph| graph.input[0].r#type = None),
        ("a Constant has no value", &|_, graph| graph.node.push(node("Constant", &[], &["c"]))),
    ];
    for (reason, change) in table {
        let text = wrong("wrong.onnx", change);
        assert!(text.starts_with("bb[BB0802]: `wrong.onnx` is no model that bb can run: "), "{text}");
        assert!(text.contains(reason), "{reason}: {text}");
    }
    let no_graph = ModelProto { graph: None, ..mlp() };
    assert!(fault_of("graph.onnx", &no_graph).contains("it has no graph"));
}

#[test]
fn weights_of_any_spelling_are_read() {
    let raw = with(|_, graph| {
        for tensor in &mut graph.initializer {
            let bytes: Vec<u8> = tensor.float_data.iter().flat_map(|v| v.to_le_bytes()).collect();
            *tensor = TensorProto { float_data: Vec::new(), raw_data: Some(bytes.into()), ..tensor.clone() };
        }
        // As files of IR version 3 and before have it.
        graph.input.push(value("b1", 3));
    });
    assert_eq!(faults_of("raw.onnx", &bb::ir::artifact::write(&raw)), []);
}

/// A model whose `hidden` goes through one more operator.
fn through(op: &str, inputs: &[&str], outputs: &[&str], attribute: AttributeProto) -> ModelProto {
    with(|_, graph| {
        let mut added = node(op, inputs, outputs);
        added.attribute.push(attribute.clone());
        graph.node[1].input[0] = outputs[0].into();
        graph.node.insert(1, added);
    })
}

#[test]
fn what_no_backend_does_is_refused_when_the_program_is_built() {
    let half = through("Cast", &["hidden"], &["more"], attribute::int("to", 10));
    let text = fault_of("half.onnx", &half);
    assert!(text.starts_with("bb[BB0804]: `half.onnx` casts to elements of ONNX's type 10, for which"), "{text}");
    let mut wrap = through("Pad", &["hidden", "pads"], &["more"], attribute::string("mode", "wrap"));
    let pads = TensorProto {
        data_type: Some(ElementKind::I64 as i32),
        int64_data: vec![0; 4],
        dims: vec![4],
        ..Default::default()
    };
    wrap.graph.get_or_insert_default().initializer.push(TensorProto { name: Some("pads".into()), ..pads });
    let text = fault_of("wrap.onnx", &wrap);
    assert!(text.starts_with("bb[BB0804]: `wrap.onnx` pads with what stands at the other end"), "{text}");
}

#[test]
fn outputs_that_nobody_reads_are_left_out() {
    let ratio = || attribute::float("ratio", 0.5);
    let mut dropped = through("Dropout", &["hidden"], &["kept", "mask"], ratio());
    dropped.opset_import[0].version = Some(10);
    assert_eq!(faults_of("dropped.onnx", &bb::ir::artifact::write(&dropped)), []);
    dropped.graph.get_or_insert_default().output.push(value("mask", 3));
    assert!(fault_of("mask.onnx", &dropped).contains("or its mask is used"));
    let (inputs, outputs) = (["hidden", "b1", "b1", "b1", "b1"], ["kept", "mean", "var"]);
    let mut trains = through("BatchNormalization", &inputs, &outputs, attribute::float("momentum", 0.9));
    trains.opset_import[0].version = Some(10);
    assert!(fault_of("trains.onnx", &trains).contains("uses 3 outputs of `BatchNormalization`"));
}
