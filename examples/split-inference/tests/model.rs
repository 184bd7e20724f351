//! Where `model/digits.onnx` comes from: fixed filters, and two layers trained on handwritten digits.
//!
//! `BB_WRITE_MODELS=1 cargo test -p split-inference --test model` trains it anew.
#![allow(missing_docs)]

use bb::ir::proto::onnx::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto};
use bb::ir::types::{Dim, ElementKind, ValueType};
use bb::ir::views::{Attributes, attribute};
use std::io::Read;
use std::path::{Path, PathBuf};

const FILTERS: usize = 8;
const FEATURES: usize = FILTERS * 9;
const HIDDEN: usize = 24;
const DIGITS: usize = 10;
/// The last rows are kept for the example.
const HELD_OUT: usize = 100;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// 64 pixels from 0 to 1, and a digit.
fn rows() -> Vec<(Vec<f32>, usize)> {
    let file = std::fs::File::open(path("../federated-digits/data/digits.csv.gz")).expect("the data lies there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("it is text");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let row = |record: csv::StringRecord| {
        let numbers: Vec<f32> = record.iter().map(|n| n.parse().expect("a number")).collect();
        (numbers[..64].iter().map(|n| n / 16.0).collect(), numbers[64] as usize)
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

/// Edges in eight directions: each filter weighs its nine pixels by how far they lie to that side.
fn filters() -> Vec<f32> {
    let filter = |k: usize| {
        let turn = k as f32 * std::f32::consts::TAU / FILTERS as f32;
        (0..9).map(move |i| ((i % 3) as f32 - 1.0) * turn.cos() + ((i / 3) as f32 - 1.0) * turn.sin())
    };
    (0..FILTERS).flat_map(filter).map(|w| w * 0.5).collect()
}

/// What the filters find: rectified, the largest of each two by two.
fn features(image: &[f32], filters: &[f32]) -> Vec<f32> {
    let at = |k: usize, y: usize, x: usize| -> f32 {
        let sum: f32 = (0..9).map(|i| filters[k * 9 + i] * image[(y + i / 3) * 8 + x + i % 3]).sum();
        sum.max(0.0)
    };
    let pooled = |k: usize, y: usize, x: usize| {
        let four = [(0, 0), (0, 1), (1, 0), (1, 1)];
        four.iter().map(|(j, i)| at(k, 2 * y + j, 2 * x + i)).fold(0.0, f32::max)
    };
    (0..FEATURES).map(|i| pooled(i / 9, i % 9 / 3, i % 3)).collect()
}

/// The same numbers on every machine.
struct Noise(u64);
impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }
}

struct Layers {
    w1: Vec<f32>,
    b1: Vec<f32>,
    w2: Vec<f32>,
    b2: Vec<f32>,
}

fn train(rows: &[(Vec<f32>, usize)]) -> Layers {
    let mut noise = Noise(1);
    let mut random = |n: usize, scale: f32| (0..n).map(|_| noise.next() * scale).collect::<Vec<_>>();
    let mut it = Layers {
        w1: random(FEATURES * HIDDEN, 0.4),
        b1: vec![0.0; HIDDEN],
        w2: random(HIDDEN * DIGITS, 0.6),
        b2: vec![0.0; DIGITS],
    };
    for epoch in 0..40 {
        let rate = 0.05 / (1.0 + epoch as f32 / 10.0);
        for (x, digit) in rows {
            let layer = |w: &[f32], b: &[f32], x: &[f32]| -> Vec<f32> {
                let n = b.len();
                (0..n).map(|j| b[j] + x.iter().enumerate().map(|(i, v)| v * w[i * n + j]).sum::<f32>()).collect()
            };
            let hidden: Vec<f32> = layer(&it.w1, &it.b1, x).into_iter().map(|v| v.max(0.0)).collect();
            let scores = layer(&it.w2, &it.b2, &hidden);
            let largest = scores.iter().copied().fold(f32::MIN, f32::max);
            let powers: Vec<f32> = scores.iter().map(|s| (s - largest).exp()).collect();
            let sum: f32 = powers.iter().sum();
            let wrong: Vec<f32> = (0..DIGITS).map(|k| powers[k] / sum - f32::from(k == *digit)).collect();
            let back = |j: usize| (0..DIGITS).map(|k| wrong[k] * it.w2[j * DIGITS + k]).sum::<f32>();
            let inner: Vec<f32> = (0..HIDDEN).map(|j| if hidden[j] > 0.0 { back(j) } else { 0.0 }).collect();
            for (k, wrong) in wrong.iter().enumerate() {
                it.b2[k] -= rate * wrong;
                (0..HIDDEN).for_each(|j| it.w2[j * DIGITS + k] -= rate * wrong * hidden[j]);
            }
            for (j, inner) in inner.iter().enumerate() {
                it.b1[j] -= rate * inner;
                (0..FEATURES).for_each(|i| it.w1[i * HIDDEN + j] -= rate * inner * x[i]);
            }
        }
    }
    it
}

fn tensor(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.iter().map(|n| *n as i64).collect(),
        data_type: Some(ElementKind::F32 as i32),
        raw_data: Some(values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>().into()),
        ..TensorProto::default()
    }
}

fn model(filters: &[f32], it: &Layers) -> ModelProto {
    let node = |op: &str, inputs: &[&str], output: &str, ints: &[(&str, &[i64])]| {
        let mut node = NodeProto {
            op_type: Some(op.into()),
            name: Some(output.into()),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        };
        ints.iter().for_each(|(name, values)| node.set_attr(attribute::ints(name, values.to_vec())));
        node
    };
    let value = |name: &str, sizes: &[u64]| {
        let dims = std::iter::once(Dim::Named("batch".into())).chain(sizes.iter().map(|n| Dim::Size(*n))).collect();
        let ty = ValueType::Tensor { element: Some(ElementKind::F32), shape: Some(dims) };
        ValueInfoProto { name: Some(name.into()), r#type: Some(ty.to_proto()), ..ValueInfoProto::default() }
    };
    let window = ("kernel_shape", &[2, 2][..]);
    let graph = GraphProto {
        name: Some("digits".into()),
        node: vec![
            node("Conv", &["image", "filters", "filters_bias"], "edges", &[("kernel_shape", &[3, 3])]),
            node("Relu", &["edges"], "rectified", &[]),
            node("MaxPool", &["rectified"], "features", &[window, ("strides", &[2, 2])]),
            node("Flatten", &["features"], "flat", &[]),
            node("Gemm", &["flat", "w1", "b1"], "mixed", &[]),
            node("Relu", &["mixed"], "hidden", &[]),
            node("Gemm", &["hidden", "w2", "b2"], "logits", &[]),
            node("Softmax", &["logits"], "scores", &[]),
        ],
        initializer: vec![
            tensor("filters", &[FILTERS, 1, 3, 3], filters),
            tensor("filters_bias", &[FILTERS], &[0.0; FILTERS]),
            tensor("w1", &[FEATURES, HIDDEN], &it.w1),
            tensor("b1", &[HIDDEN], &it.b1),
            tensor("w2", &[HIDDEN, DIGITS], &it.w2),
            tensor("b2", &[DIGITS], &it.b2),
        ],
        input: vec![value("image", &[1, 8, 8])],
        output: vec![value("scores", &[DIGITS as u64])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(17) }],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

#[test]
fn the_model_is_what_training_gives_but_for_last_digits() {
    let filters = filters();
    let rows: Vec<(Vec<f32>, usize)> = rows().into_iter().map(|(x, digit)| (features(&x, &filters), digit)).collect();
    let trained = model(&filters, &train(&rows[..rows.len() - HELD_OUT]));
    if std::env::var_os("BB_WRITE_MODELS").is_some() {
        std::fs::write(path("model/digits.onnx"), bb::ir::artifact::write(&trained)).expect("the tree is writable");
    }
    let bytes = std::fs::read(path("model/digits.onnx")).expect("the model lies there");
    assert!(bytes.len() < 300_000);
    let found = bb::ir::artifact::decode_any(&bytes).expect("an ONNX file").graph.expect("it has one");
    let trained = trained.graph.expect("made above");
    assert_eq!(found.node, trained.node);
    // Machines may differ in the last digits of an exponential, and training lets them grow.
    for (found, trained) in found.initializer.iter().zip(&trained.initializer) {
        let values = |of| bb::ir::weights::tensor(of).and_then(|t| t.to_vec::<f32>()).expect("floats");
        let (found, trained) = (values(found), values(trained));
        let apart = found.iter().zip(&trained).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == trained.len() && apart < 0.05, "{apart}");
    }
}
