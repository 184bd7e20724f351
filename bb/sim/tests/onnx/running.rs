//! Models that run.

use crate::files::{floats, node};
use bb::engine::{Arg, Usage, Value};
use bb::ir::proto::onnx::{ModelProto, NodeProto, TensorProto};
use bb::ir::value::RawTensor;
use bb::ir::views::attribute;
use bb::prelude::*;
use bb::{Compiled, ir};
use bb_components as _;
use bb_sim::{Host, NodeIx, World, peer_id};

#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Near;

#[bb::module]
fn whole(_graph: &Graph, image: On<Edge, Tensor>) -> On<Edge, Tensor> {
    bb::onnx!("tests/onnx/mlp.onnx").call(image)
}

#[bb::module]
pub fn in_stages(graph: &Graph, image: On<Edge, Tensor>, near: On<Edge, Peer<Near>>) -> On<Edge, Tensor> {
    let model = bb::onnx!("tests/onnx/mlp.onnx");
    let features: On<Edge, Tensor> = model.until("features").call(image);
    let features = graph.wire(features, near);
    let scores: On<Near, Tensor> = model.after("features").call(features);
    graph.wire(scores, graph.origin::<Edge>())
}

/// A classifier in a module of its own, called on two values: its weights are there once.
#[bb::module]
fn classify(image: On<Edge, Tensor>) -> On<Edge, Tensor> {
    bb::onnx!("tests/onnx/mlp.onnx").call(image)
}
#[bb::module]
pub fn two_images(_graph: &Graph, one: On<Edge, Tensor>, other: On<Edge, Tensor>) -> On<Edge, Tensor> {
    classify(one) + classify(other)
}

fn image(rows: &[[f32; 4]]) -> Arg {
    let tensor = RawTensor::from_vec(&[rows.len() as u64, 4], rows.concat()).expect("as many");
    Arg::Value(Value::Tensor(tensor))
}

/// What the model gives, worked out by hand.
fn expected(row: [f32; 4]) -> [f32; 2] {
    let hidden = [0, 1, 2].map(|j| {
        let sum: f32 = (0..4).map(|i| row[i] * ((i * 3 + j) as f32 - 5.0)).sum();
        (sum + j as f32).max(0.0)
    });
    [0, 1].map(|k| (0..3).map(|j| hidden[j] * 0.5 * (j * 2 + k) as f32).sum::<f32>() - k as f32)
}

/// One node per artifact, and what the first gives back.
fn run(program: &Compiled, args: Vec<Arg>) -> Vec<f32> {
    assert_eq!(program.diagnostics, []);
    let mut world = World::new(1, bb::kernels());
    for artifact in &program.artifacts {
        world.add(vec![Host::new(artifact.bytes.clone())]).expect("installs");
    }
    world.connect_all();
    let call = world.call(NodeIx(0), args, secs(60));
    world.run_until(secs(30));
    let answer = world.result(call).expect("it resolves").clone().expect("it succeeds");
    for node in 0..world.len() {
        assert_eq!(world.usage(NodeIx(node)), Some(Usage::default()), "node {node}");
    }
    answer[0].as_tensor().and_then(|tensor| tensor.to_vec::<f32>()).expect("a tensor of f32")
}

/// The weights of a class's artifact, by name.
fn weights(program: &Compiled, class: &str) -> Vec<String> {
    let artifact = program.artifact(class).expect("compiled");
    let model = ir::artifact::read(&artifact.bytes).expect("an artifact");
    ir::weights::of(&model).iter().map(|weight| weight.name().to_owned()).collect()
}

/// As exporters write them: weights in nodes, whose tensors have no names.
fn in_constants() -> ModelProto {
    let mut model = crate::files::mlp();
    let graph = model.graph.get_or_insert_default();
    for (name, by) in [("plus", 0.25), ("times", 4.0)] {
        let tensor = TensorProto { name: None, ..floats(name, &[2], |i| by + i as f32) };
        let constant =
            NodeProto { attribute: vec![attribute::tensor("value", tensor)], ..node("Constant", &[], &[name]) };
        graph.node.push(constant);
    }
    graph.node.push(node("Add", &["scores", "plus"], &["more"]));
    graph.node.push(node("Mul", &["more", "times"], &["most"]));
    graph.output = vec![crate::files::value("most", 2)];
    model
}

const ROWS: [[f32; 4]; 2] = [[1.0, 2.0, 3.0, 4.0], [-1.0, 0.5, 0.0, 2.0]];

#[test]
fn a_model_is_called_like_a_module() {
    assert_eq!(run(&bb::compile(whole), vec![image(&ROWS)]), ROWS.map(expected).concat());
}

#[test]
fn a_model_runs_in_stages_on_two_peers() {
    let program = bb::compile(in_stages);
    let near = Arg::Value(Value::Peer(peer_id(1)));
    assert_eq!(run(&program, vec![image(&ROWS), near]), ROWS.map(expected).concat());
}

#[test]
fn weights_are_kept_where_they_are_used_and_nowhere_else() {
    let program = bb::compile(in_stages);
    assert_eq!(weights(&program, "Edge"), ["mlp_onnx:b1", "mlp_onnx:w1"]);
    assert_eq!(weights(&program, "Near"), ["mlp_onnx:b2", "mlp_onnx:w2"]);
}

#[test]
fn weights_are_kept_once_however_often_the_model_is_called() {
    let program = bb::compile(two_images);
    assert_eq!(weights(&program, "Edge"), ["mlp_onnx:b1", "mlp_onnx:b2", "mlp_onnx:w1", "mlp_onnx:w2"]);
    let both = run(&program, ROWS.map(|row| image(&[row])).to_vec());
    let [a, b] = ROWS.map(expected);
    assert_eq!(both, [a[0] + b[0], a[1] + b[1]]);
}

/// What `most` is of the scores.
fn most(scores: [f32; 2]) -> [f32; 2] {
    [(scores[0] + 0.25) * 4.0, (scores[1] + 1.25) * 5.0]
}

#[test]
fn constants_without_names_keep_their_values_apart() {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let file = std::path::Path::new(directory).join("constants.onnx");
    std::fs::write(file, ir::artifact::write(&in_constants())).expect("a test's directory is writable");
    let model = || bb::__private::onnx(directory, "constants.onnx");
    let whole = move |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> { model().call(x) };
    let expected = ROWS.map(|row| most(self::expected(row))).concat();
    assert_eq!(run(&bb::compile(whole), vec![image(&ROWS)]), expected);
    let stages = move |_: &Graph, x: On<Edge, Tensor>| -> On<Edge, Tensor> {
        let more: On<Edge, Tensor> = model().until("more").call(x);
        model().after("more").call(more)
    };
    assert_eq!(run(&bb::compile(stages), vec![image(&ROWS)]), expected);
}
