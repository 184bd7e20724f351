//! The operators that tract runs, against numbers worked out from ONNX's definitions of them.
#![cfg(feature = "tract")]
#![allow(missing_docs)]

mod kernel;

use bb::ir::backend::Backend;
use bb::ir::keys::{BACKEND_SUBGRAPH_BODY_ATTR, BACKEND_SUBGRAPH_OP};
use bb::ir::ops::BACKEND_DOMAIN;
use bb::ir::proto::onnx::{GraphProto, NodeProto, TensorProto, ValueInfoProto};
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::attribute;
use bb_components::tract::{KERNELS, Tract};
use kernel::{A, f, i, node};
use std::collections::BTreeSet;

use A::{F, I, Is, S};

fn b(values: &[bool]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
}
fn axes(values: &[i64]) -> Value {
    i(&[values.len() as u64], values)
}

fn w(values: &[i32]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
}
fn d(values: &[f64]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
}

fn run(node: &NodeProto, inputs: Vec<Value>) -> Result<Vec<Value>, String> {
    kernel::run(KERNELS, node, inputs)
}

/// Numbers, up to their last digits.
fn close(found: &Value, expected: &Value) -> bool {
    let (Some(a), Some(b)) = (found.as_tensor(), expected.as_tensor()) else { return false };
    let near = |(x, y): (&f32, &f32)| (x - y).abs() <= 1e-5 + 1e-5 * y.abs();
    match (a.to_vec::<f32>(), b.to_vec::<f32>()) {
        (Some(x), Some(y)) => a.shape() == b.shape() && x.iter().zip(&y).all(near),
        _ => found == expected,
    }
}

/// Operator, attributes, inputs, what comes out.
type Case = (&'static str, Vec<(&'static str, A)>, Vec<Value>, Vec<Value>);

fn elementwise() -> Vec<Case> {
    let x = || f(&[3], &[-1., 0., 2.]);
    let one = |op, with, expected: &[f32]| (op, with, vec![x()], vec![f(&[3], expected)]);
    vec![
        one("Abs", vec![], &[1., 0., 2.]),
        ("Ceil", vec![], vec![f(&[2], &[1.2, -1.2])], vec![f(&[2], &[2., -1.])]),
        ("Floor", vec![], vec![f(&[2], &[1.2, -1.2])], vec![f(&[2], &[1., -2.])]),
        one("Elu", vec![("alpha", F(1.))], &[-0.632_120_56, 0., 2.]),
        one("Erf", vec![], &[-0.842_700_8, 0., 0.995_322_3]),
        one("Gelu", vec![], &[-0.158_655_25, 0., 1.954_499_7]),
        one("HardSigmoid", vec![("alpha", F(0.2)), ("beta", F(0.5))], &[0.3, 0.5, 0.9]),
        one("HardSwish", vec![], &[-0.333_333_3, 0., 1.666_666_6]),
        one("LeakyRelu", vec![("alpha", F(0.01))], &[-0.01, 0., 2.]),
        ("Clip", vec![], vec![x(), f(&[], &[-0.5]), f(&[], &[1.])], vec![f(&[3], &[-0.5, 0., 1.])]),
        ("Clip", vec![], vec![x(), Value::Absent, f(&[], &[1.])], vec![f(&[3], &[-1., 0., 1.])]),
        ("Pow", vec![], vec![x(), f(&[], &[2.])], vec![f(&[3], &[1., 0., 4.])]),
        ("Pow", vec![], vec![x(), d(&[2.])], vec![f(&[3], &[1., 0., 4.])]),
        ("Pow", vec![], vec![x(), axes(&[2])], vec![f(&[3], &[1., 0., 4.])]),
        ("Pow", vec![], vec![w(&[-3, 2]), axes(&[3])], vec![w(&[-27, 8])]),
        ("Pow", vec![], vec![axes(&[3, 2, 1, -1]), axes(&[39, -1, -3, -3])], vec![axes(&[3i64.pow(39), 0, 1, -1])]),
        ("Max", vec![], vec![x(), f(&[1], &[1.]), f(&[], &[0.])], vec![f(&[3], &[1., 1., 2.])]),
        ("Min", vec![], vec![x(), f(&[], &[1.])], vec![f(&[3], &[-1., 0., 1.])]),
        ("Sum", vec![], vec![x(), x(), f(&[], &[1.])], vec![f(&[3], &[-1., 1., 5.])]),
        ("Greater", vec![], vec![x(), f(&[], &[0.])], vec![b(&[false, false, true])]),
        ("GreaterOrEqual", vec![], vec![x(), f(&[], &[0.])], vec![b(&[false, true, true])]),
        ("Less", vec![], vec![axes(&[1, 2]), axes(&[2, 2])], vec![b(&[true, false])]),
        ("LessOrEqual", vec![], vec![axes(&[1, 3]), axes(&[2, 2])], vec![b(&[true, false])]),
        ("And", vec![], vec![b(&[true, true]), b(&[true, false])], vec![b(&[true, false])]),
        ("Or", vec![], vec![b(&[false, true]), b(&[false, false])], vec![b(&[false, true])]),
        ("Xor", vec![], vec![b(&[true, true]), b(&[true, false])], vec![b(&[false, true])]),
        ("Not", vec![], vec![b(&[true, false])], vec![b(&[false, true])]),
        ("Where", vec![], vec![b(&[true, false, true]), x(), f(&[], &[9.])], vec![f(&[3], &[-1., 9., 2.])]),
        ("Where", vec![], vec![b(&[true, false]), axes(&[1, 2]), axes(&[3, 4])], vec![axes(&[1, 4])]),
    ]
}

fn reductions() -> Vec<Case> {
    let m = || f(&[2, 2], &[1., 2., 3., 4.]);
    let drop = || vec![("keepdims", I(0))];
    let of = |op, axis: i64, expected: &[f32]| (op, drop(), vec![m(), axes(&[axis])], vec![f(&[2], expected)]);
    vec![
        of("ReduceMin", 0, &[1., 2.]),
        of("ReduceProd", -1, &[2., 12.]),
        of("ReduceL1", 1, &[3., 7.]),
        of("ReduceL2", 1, &[5f32.sqrt(), 5.]),
        of("ReduceLogSum", 1, &[3f32.ln(), 7f32.ln()]),
        of("ReduceLogSumExp", 0, &[3.126_928, 4.126_928]),
        of("ReduceSumSquare", 1, &[5., 25.]),
        ("ReduceMin", vec![("keepdims", I(1))], vec![m()], vec![f(&[1, 1], &[1.])]),
        ("ArgMin", vec![("axis", I(1)), ("keepdims", I(0))], vec![m()], vec![i(&[2], &[0, 0])]),
        (
            "LogSoftmax",
            vec![("axis", I(-1))],
            vec![f(&[1, 2], &[0., 0.])],
            vec![f(&[1, 2], &[-std::f32::consts::LN_2; 2])],
        ),
    ]
}

fn dimensions() -> Vec<Case> {
    let m = || f(&[2, 2], &[1., 2., 3., 4.]);
    vec![
        ("Expand", vec![], vec![f(&[2, 1], &[1., 2.]), axes(&[1, 2])], vec![f(&[2, 2], &[1., 1., 2., 2.])]),
        ("Flatten", vec![("axis", I(1))], vec![f(&[1, 2, 2], &[1., 2., 3., 4.])], vec![f(&[1, 4], &[1., 2., 3., 4.])]),
        ("Squeeze", vec![], vec![f(&[1, 2], &[1., 2.]), axes(&[0])], vec![f(&[2], &[1., 2.])]),
        ("Squeeze", vec![], vec![f(&[1, 1, 1], &[1.]), axes(&[-1, 1])], vec![f(&[1], &[1.])]),
        ("Squeeze", vec![], vec![f(&[1, 2, 1], &[1., 2.])], vec![f(&[2], &[1., 2.])]),
        ("Flatten", vec![("axis", I(1))], vec![f(&[2, 0, 3], &[])], vec![f(&[2, 0], &[])]),
        ("Flatten", vec![("axis", I(-2))], vec![f(&[0, 2, 3], &[])], vec![f(&[0, 6], &[])]),
        ("Unsqueeze", vec![], vec![f(&[2], &[1., 2.]), axes(&[0])], vec![f(&[1, 2], &[1., 2.])]),
        ("Pad", vec![], vec![f(&[2], &[1., 2.]), axes(&[1, 1])], vec![f(&[4], &[0., 1., 2., 0.])]),
        ("Pad", vec![], vec![f(&[2], &[1., 2.]), axes(&[0, 1]), f(&[], &[7.])], vec![f(&[3], &[1., 2., 7.])]),
        ("Pad", vec![], vec![f(&[3], &[1., 2., 3.]), axes(&[-1, 1])], vec![f(&[3], &[2., 3., 0.])]),
        ("Pad", vec![], vec![m(), axes(&[1, -1]), f(&[], &[7.]), axes(&[-1])], vec![f(&[2, 2], &[7., 1., 7., 3.])]),
        ("Tile", vec![], vec![f(&[2], &[1., 2.]), axes(&[2])], vec![f(&[4], &[1., 2., 1., 2.])]),
        ("Split", vec![("axis", I(1))], vec![m(), axes(&[1, 1])], vec![f(&[2, 1], &[1., 3.]), f(&[2, 1], &[2., 4.])]),
        (
            "Split",
            vec![("axis", I(0)), ("num_outputs", I(2))],
            vec![m()],
            vec![f(&[1, 2], &[1., 2.]), f(&[1, 2], &[3., 4.])],
        ),
        ("Shape", vec![("start", I(0))], vec![m()], vec![axes(&[2, 2])]),
    ]
}

fn windows() -> Vec<Case> {
    let image = || f(&[1, 1, 3, 3], &[1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    let two = ("kernel_shape", Is(&[2, 2]));
    let row = || f(&[1, 1, 5], &[0., 1., 2., 3., 4.]);
    let cut_off =
        || vec![("kernel_shape", Is(&[2])), ("strides", Is(&[2])), ("auto_pad", S("VALID")), ("ceil_mode", I(1))];
    vec![
        (
            "Conv",
            vec![("group", I(1))],
            vec![image(), f(&[1, 1, 2, 2], &[1., 0., 0., 1.])],
            vec![f(&[1, 1, 2, 2], &[6., 8., 12., 14.])],
        ),
        (
            "Conv",
            vec![("group", I(1)), ("strides", Is(&[2, 2])), ("pads", Is(&[1, 1, 0, 0]))],
            vec![image(), f(&[1, 1, 2, 2], &[1., 1., 1., 1.]), f(&[1], &[0.5])],
            vec![f(&[1, 1, 2, 2], &[1.5, 5.5, 11.5, 28.5])],
        ),
        ("MaxPool", vec![two], vec![image()], vec![f(&[1, 1, 2, 2], &[5., 6., 8., 9.])]),
        ("AveragePool", vec![two], vec![image()], vec![f(&[1, 1, 2, 2], &[3., 4., 6., 7.])]),
        ("AveragePool", cut_off(), vec![row()], vec![f(&[1, 1, 3], &[0.5, 2.5, 4.])]),
        ("MaxPool", cut_off(), vec![row()], vec![f(&[1, 1, 3], &[1., 3., 4.])]),
        ("GlobalAveragePool", vec![], vec![image()], vec![f(&[1, 1, 1, 1], &[5.])]),
        ("GlobalMaxPool", vec![], vec![image()], vec![f(&[1, 1, 1, 1], &[9.])]),
        (
            "BatchNormalization",
            vec![("epsilon", F(0.))],
            vec![
                f(&[1, 2], &[3., 5.]),
                f(&[2], &[1., 2.]),
                f(&[2], &[0., 1.]),
                f(&[2], &[1., 1.]),
                f(&[2], &[4., 16.]),
            ],
            vec![f(&[1, 2], &[1., 3.])],
        ),
        (
            "LayerNormalization",
            vec![("axis", I(-1)), ("epsilon", F(0.))],
            vec![f(&[1, 2], &[1., 3.]), f(&[2], &[1., 2.]), f(&[2], &[0., 1.])],
            vec![f(&[1, 2], &[-1., 3.])],
        ),
    ]
}

#[test]
fn every_operator_gives_what_onnx_says() {
    let cases = [elementwise(), reductions(), dimensions(), windows()].concat();
    let mut wrong = Vec::new();
    for (op, with, inputs, expected) in &cases {
        let found = run(&node(op, with, expected.len()), inputs.clone());
        let fits =
            |found: &Vec<Value>| found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| close(f, e));
        if !found.as_ref().is_ok_and(fits) {
            wrong.push(format!("{op} of {inputs:?} gives {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let told: BTreeSet<&str> = cases.iter().map(|case| case.0).collect();
    assert_eq!(told, KERNELS.iter().map(|kernel| kernel.op).collect::<BTreeSet<_>>(), "an operator is left out");
}

#[test]
fn what_does_not_fit_is_an_error_and_no_panic() {
    for (op, with, inputs) in [
        ("Conv", vec![("group", I(1))], vec![f(&[1, 2, 3, 3], &[0.; 18]), f(&[1, 1, 2, 2], &[0.; 4])]),
        ("Squeeze", vec![], vec![f(&[2], &[1., 2.]), axes(&[5])]),
        ("And", vec![], vec![f(&[1], &[1.]), Value::Trigger]),
        ("Expand", vec![], vec![f(&[2], &[1., 2.]), axes(&[3])]),
        ("MaxPool", vec![("kernel_shape", Is(&[3]))], vec![f(&[1, 1, 2], &[1., 2.])]),
        ("AveragePool", vec![("kernel_shape", Is(&[2])), ("auto_pad", S("VALID"))], vec![f(&[1, 1, 1], &[1.])]),
        ("Conv", vec![("group", I(1))], vec![f(&[1, 1, 1], &[1.]), f(&[1, 1, 2], &[1., 1.])]),
    ] {
        assert!(run(&node(op, &with, 1), inputs).is_err(), "{op}");
    }
}

/// A carrier of this node, whose inputs are `x0`, `x1` … and whose output is `y0`.
fn carrier(mut inner: NodeProto, inputs: usize) -> NodeProto {
    let info = |name: &String| ValueInfoProto {
        name: Some(name.clone()),
        r#type: Some(ValueType::tensor(ElementKind::F32).to_proto()),
        ..ValueInfoProto::default()
    };
    inner.input = (0..inputs).map(|i| format!("x{i}")).collect();
    inner.name = Some("inner".into());
    let region = GraphProto {
        name: Some("region".into()),
        input: inner.input.iter().map(info).collect(),
        output: inner.output.iter().map(info).collect(),
        node: vec![inner],
        ..GraphProto::default()
    };
    NodeProto {
        op_type: Some(BACKEND_SUBGRAPH_OP.into()),
        domain: Some(BACKEND_DOMAIN.into()),
        attribute: vec![attribute::graph(BACKEND_SUBGRAPH_BODY_ATTR, region)],
        ..NodeProto::default()
    }
}

/// tract knows no product of two vectors, and wants to know what it normalises by before it plans.
#[test]
fn what_tract_does_not_take_whole_is_run_in_steps() {
    let v = |values: &[f32]| f(&[values.len() as u64], values);
    let (x, half, zero) = (f(&[1, 2], &[3., 5.]), v(&[0.5, 0.5]), v(&[0., 0.]));
    let one = v(&[1., 1.]);
    for (op, inputs, expected) in [
        ("MatMul", vec![v(&[1., 2.]), v(&[3., 4.])], f(&[], &[11.])),
        ("BatchNormalization", vec![x, half, zero.clone(), zero, one], f(&[1, 2], &[1.499_993, 2.499_988])),
    ] {
        let kernels = bb::kernels();
        let carrier = carrier(node(op, &[], 1), inputs.len());
        for _ in 0..2 {
            let found = kernel::run(&kernels, &carrier, inputs.clone());
            let fits = found.as_ref().is_ok_and(|found| found.len() == 1 && close(&found[0], &expected));
            assert!(fits, "{op}: {found:?}");
        }
    }
}

/// A region of one slice of `length` numbers, whose bounds and step are known.
fn sliced(length: u64, bounds: [i64; 3]) -> GraphProto {
    let info = |name: &str| ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(ValueType::tensor(ElementKind::F32).to_proto()),
        ..ValueInfoProto::default()
    };
    let [start, end, step] = bounds;
    let weight = |(name, number): (&str, i64)| TensorProto {
        name: Some(name.into()),
        dims: vec![1],
        data_type: Some(ElementKind::I64 as i32),
        raw_data: Some(number.to_le_bytes().to_vec().into()),
        ..TensorProto::default()
    };
    let slice = NodeProto {
        name: Some(format!("slice of {length}")),
        input: ["x", "start", "end", "axis", "step"].map(String::from).to_vec(),
        ..node("Slice", &[], 1)
    };
    GraphProto {
        name: Some("region".into()),
        input: vec![info("x")],
        output: slice.output.iter().map(|name| info(name)).collect(),
        node: vec![slice],
        initializer: [("start", start), ("end", end), ("axis", -1), ("step", step)].map(weight).to_vec(),
        ..GraphProto::default()
    }
}

#[test]
fn a_slice_in_a_region_is_what_it_is_alone() {
    let bounds = [i64::MIN + 1, -6, -4, -1, 0, 1, 3, 4, 6, i64::MAX];
    for length in [0, 1, 4] {
        let x = f(&[length], &(0..length).map(|n| n as f32).collect::<Vec<f32>>());
        for (start, end, step) in bounds
            .iter()
            .flat_map(|start| bounds.map(|end| (*start, end)))
            .flat_map(|(start, end)| [1, -1, 2, -3].map(|step| (start, end, step)))
        {
            let given = [&[start], &[end], &[-1], &[step]].map(|list| axes(list));
            let alone = std::iter::once(x.clone()).chain(given).collect();
            let alone = kernel::run(bb_components::cpu::KERNELS, &node("Slice", &[], 1), alone);
            let whole = Tract.dispatch(&sliced(length, [start, end, step])).expect("tract takes it whole");
            let mut found = Vec::new();
            let ran = whole.run(&mut [x.clone()], &mut found);
            assert_eq!((ran, Ok(found)), (Ok(()), alone), "{length} from {start} to {end} by {step}");
        }
    }
}
/// Alone and in a carrier: what changes nothing, and no value where there is none.
#[test]
fn what_is_reduced_of_nothing() {
    let none = f(&[0, 2], &[]);
    let rows = [
        ("ReduceL1", Some(0.0)),
        ("ReduceL2", Some(0.0)),
        ("ReduceLogSum", Some(f32::NEG_INFINITY)),
        ("ReduceLogSumExp", Some(f32::NEG_INFINITY)),
        ("ReduceMax", None),
        ("ReduceMin", None),
        ("ReduceProd", Some(1.0)),
        ("ReduceSum", Some(0.0)),
        ("ReduceSumSquare", Some(0.0)),
    ];
    let kernels = bb::kernels();
    for (op, expected) in rows {
        let keeps = node(op, &[("keepdims", A::I(0))], 1);
        let expected = expected.map(|value| vec![f(&[], &[value])]);
        assert_eq!(kernel::run(&kernels, &keeps, vec![none.clone()]).ok(), expected, "{op}");
        assert_eq!(kernel::run(&kernels, &carrier(keeps, 1), vec![none.clone()]).ok(), expected, "{op} in a carrier");
        let along = kernel::run(&kernels, &node(op, &[], 1), vec![none.clone(), axes(&[1])]);
        assert_eq!(along, Ok(vec![f(&[0, 1], &[])]), "{op} of no rows");
    }
}
