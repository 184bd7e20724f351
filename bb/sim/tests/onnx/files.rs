//! The models of these tests are built here, so that they can be read; the files beside this one are what that gives.

use bb::ir::proto::onnx::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto};
use bb::ir::types::{Dim, ElementKind, ValueType};
use std::path::Path;

/// Node by node: operator, inputs, outputs.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op.into()),
        name: Some(format!("{op}_{}", outputs[0])),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: outputs.iter().map(|name| (*name).to_owned()).collect(),
        ..NodeProto::default()
    }
}

pub fn floats(name: &str, dims: &[i64], value: impl Fn(i64) -> f32) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(ElementKind::F32 as i32),
        float_data: (0..dims.iter().product()).map(value).collect(),
        ..TensorProto::default()
    }
}

pub fn value(name: &str, columns: u64) -> ValueInfoProto {
    let shape = Some(vec![Dim::Named("batch".into()), Dim::Size(columns)]);
    let ty = ValueType::Tensor { element: Some(ElementKind::F32), shape };
    ValueInfoProto { name: Some(name.into()), r#type: Some(ty.to_proto()), ..ValueInfoProto::default() }
}

/// Four numbers to three, to two; the second weights are larger than the first.
pub fn mlp() -> ModelProto {
    let graph = GraphProto {
        name: Some("mlp".into()),
        node: vec![
            node("Gemm", &["image", "w1", "b1"], &["hidden"]),
            node("Relu", &["hidden"], &["features"]),
            node("Gemm", &["features", "w2", "b2"], &["scores"]),
        ],
        initializer: vec![
            floats("w1", &[4, 3], |i| i as f32 - 5.0),
            floats("b1", &[3], |i| i as f32),
            floats("w2", &[3, 2], |i| 0.5 * i as f32),
            floats("b2", &[2], |i| -(i as f32)),
        ],
        input: vec![value("image", 4)],
        output: vec![value("scores", 2)],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(17) }],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

/// One operator, in that version of the operator set.
pub fn single(op: &str, version: i64) -> ModelProto {
    let graph = GraphProto {
        name: Some("single".into()),
        node: vec![node(op, &["image"], &["scores"])],
        input: vec![value("image", 4)],
        output: vec![value("scores", 4)],
        ..GraphProto::default()
    };
    ModelProto {
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(version) }],
        graph: Some(graph),
        ..mlp()
    }
}

/// Every file: one that is right, and what programs of `ui-tests` are refused for.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let write = bb::ir::artifact::write;
    let whole = write(&mlp());
    vec![
        ("mlp.onnx", whole.clone()),
        ("cut-short.onnx", whole[..whole.len() / 2].to_vec()),
        ("softmax-12.onnx", write(&single("Softmax", 12))),
        ("softmax.onnx", write(&single("Softmax", 17))),
        ("det.onnx", write(&single("Det", 17))),
    ]
}

#[test]
fn the_files_are_what_is_built_here() {
    for (name, bytes) in files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx").join(name);
        if std::env::var_os("BB_WRITE_MODELS").is_some() {
            std::fs::write(&path, &bytes).expect("the source tree is writable");
        }
        let same = std::fs::read(&path).is_ok_and(|found| found == bytes);
        assert!(same, "{name} is out of date: run BB_WRITE_MODELS=1 cargo test -p bb-sim --test onnx");
    }
}
