//! The operators against numbers worked out from ONNX's definitions of them, and against inputs
//! nobody should give them.
#![allow(missing_docs)]

mod kernel;

use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::{Attributes, attribute};
use bb_components::cpu::KERNELS;
use kernel::{A, f, i};
use proptest::prelude::*;

fn node(op: &str, attributes: &[(&str, A)]) -> NodeProto {
    kernel::node(op, attributes, 1)
}
fn run(node: &NodeProto, inputs: Vec<Value>) -> Result<Value, String> {
    let mut outputs = kernel::run(KERNELS, node, inputs)?;
    assert_eq!(outputs.len(), 1);
    Ok(outputs.remove(0))
}
fn seq(values: Vec<Value>) -> Value {
    Value::Seq(values.into())
}

/// op, attributes, inputs, what comes out.
type Case = (&'static str, Vec<(&'static str, A)>, Vec<Value>, Value);

fn cases() -> Vec<Case> {
    let m23 = || f(&[2, 3], &[1., 2., 3., 4., 5., 6.]);
    vec![
        ("Add", vec![], vec![m23(), f(&[3], &[10., 20., 30.])], f(&[2, 3], &[11., 22., 33., 14., 25., 36.])),
        ("Add", vec![], vec![f(&[2, 1], &[1., 2.]), f(&[1, 2], &[10., 20.])], f(&[2, 2], &[11., 21., 12., 22.])),
        ("Sub", vec![], vec![i(&[2], &[1, 2]), i(&[], &[5])], i(&[2], &[-4, -3])),
        ("Mul", vec![], vec![f(&[], &[3.]), f(&[], &[0.5])], f(&[], &[1.5])),
        ("Div", vec![], vec![i(&[3], &[7, -7, 9]), i(&[3], &[2, 2, -3])], i(&[3], &[3, -3, -3])),
        ("Neg", vec![], vec![f(&[2], &[0., -2.])], f(&[2], &[-0., 2.])),
        ("Exp", vec![], vec![f(&[2], &[0., 1.])], f(&[2], &[1., std::f32::consts::E])),
        ("Log", vec![], vec![f(&[1], &[1.])], f(&[1], &[0.])),
        ("Sqrt", vec![], vec![f(&[2], &[4., 2.25])], f(&[2], &[2., 1.5])),
        ("Relu", vec![], vec![f(&[3], &[-1., 0., 2.])], f(&[3], &[0., 0., 2.])),
        ("Sigmoid", vec![], vec![f(&[3], &[0., 100., -100.])], f(&[3], &[0.5, 1., 3.8e-44])),
        ("Tanh", vec![], vec![f(&[2], &[0., 0.5])], f(&[2], &[0., 0.46211717])),
        ("Softmax", vec![], vec![f(&[1, 3], &[1., 2., 3.])], f(&[1, 3], &[0.09003057, 0.24472848, 0.66524094])),
        ("Softmax", vec![("axis", A::I(0))], vec![f(&[2, 1], &[0., 0.])], f(&[2, 1], &[0.5, 0.5])),
        ("MatMul", vec![], vec![m23(), f(&[3, 1], &[1., 0., -1.])], f(&[2, 1], &[-2., -2.])),
        ("MatMul", vec![], vec![f(&[3], &[1., 2., 3.]), f(&[3], &[1., 1., 1.])], f(&[], &[6.])),
        ("MatMul", vec![], vec![f(&[2, 1, 2], &[1., 2., 3., 4.]), f(&[2, 1], &[10., 1.])], f(&[2, 1, 1], &[12., 34.])),
        ("MatMul", vec![], vec![i(&[1, 2], &[2, 3]), i(&[2, 1], &[4, 5])], i(&[1, 1], &[23])),
        (
            "Gemm",
            vec![("alpha", A::F(0.5)), ("beta", A::F(2.)), ("transB", A::I(1))],
            vec![f(&[1, 2], &[1., 2.]), f(&[2, 2], &[1., 0., 0., 1.]), f(&[2], &[1., 1.])],
            f(&[1, 2], &[2.5, 3.]),
        ),
        (
            "Gemm",
            vec![("transA", A::I(1))],
            vec![f(&[2, 1], &[1., 2.]), f(&[2, 1], &[3., 4.]), Value::Absent],
            f(&[1, 1], &[11.]),
        ),
        ("Transpose", vec![], vec![m23()], f(&[3, 2], &[1., 4., 2., 5., 3., 6.])),
        ("Transpose", vec![("perm", A::Is(&[1, 0]))], vec![i(&[1, 2], &[1, 2])], i(&[2, 1], &[1, 2])),
        ("Reshape", vec![], vec![m23(), i(&[2], &[3, -1])], f(&[3, 2], &[1., 2., 3., 4., 5., 6.])),
        ("Reshape", vec![], vec![m23(), i(&[3], &[0, 1, 3])], f(&[2, 1, 3], &[1., 2., 3., 4., 5., 6.])),
        (
            "Concat",
            vec![("axis", A::I(-1))],
            vec![m23(), f(&[2, 1], &[7., 8.])],
            f(&[2, 4], &[1., 2., 3., 7., 4., 5., 6., 8.]),
        ),
        ("Slice", vec![], vec![i(&[5], &[0, 1, 2, 3, 4]), i(&[1], &[1]), i(&[1], &[-1])], i(&[3], &[1, 2, 3])),
        (
            "Slice",
            vec![],
            vec![i(&[5], &[0, 1, 2, 3, 4]), i(&[1], &[-1]), i(&[1], &[i64::MIN]), i(&[1], &[0]), i(&[1], &[-2])],
            i(&[3], &[4, 2, 0]),
        ),
        (
            "Slice",
            vec![],
            vec![i(&[5], &[0, 1, 2, 3, 4]), i(&[1], &[3]), i(&[1], &[0]), i(&[1], &[0]), i(&[1], &[-1])],
            i(&[3], &[3, 2, 1]),
        ),
        (
            "Slice",
            vec![],
            vec![i(&[5], &[0, 1, 2, 3, 4]), i(&[1], &[-9]), i(&[1], &[-9]), i(&[1], &[0]), i(&[1], &[-2])],
            i(&[1], &[0]),
        ),
        (
            "Slice",
            vec![],
            vec![m23(), i(&[2], &[0, 0]), i(&[2], &[9, 9]), i(&[2], &[1, 0]), i(&[2], &[2, 1])],
            f(&[2, 2], &[1., 3., 4., 6.]),
        ),
        ("Gather", vec![("axis", A::I(1))], vec![m23(), i(&[2], &[-1, 0])], f(&[2, 2], &[3., 1., 6., 4.])),
        ("Gather", vec![], vec![m23(), i(&[], &[1])], f(&[3], &[4., 5., 6.])),
        ("Cast", vec![("to", A::I(7))], vec![f(&[3], &[1.9, -1.9, 3.])], i(&[3], &[1, -1, 3])),
        ("Cast", vec![("to", A::I(1))], vec![i(&[2], &[3, -4])], f(&[2], &[3., -4.])),
        ("Identity", vec![], vec![m23()], m23()),
        ("ReduceSum", vec![], vec![m23(), i(&[1], &[0])], f(&[1, 3], &[5., 7., 9.])),
        ("ReduceSum", vec![("keepdims", A::I(0))], vec![m23()], f(&[], &[21.])),
        ("ReduceSum", vec![("noop_with_empty_axes", A::I(1))], vec![m23()], m23()),
        ("ReduceMean", vec![("keepdims", A::I(0))], vec![m23(), i(&[1], &[-1])], f(&[2], &[2., 5.])),
        ("ReduceMax", vec![("keepdims", A::I(0))], vec![m23(), i(&[2], &[0, 1])], f(&[], &[6.])),
        (
            "ArgMax",
            vec![("axis", A::I(-1)), ("keepdims", A::I(0))],
            vec![f(&[2, 3], &[1., 3., 3., 9., 2., 1.])],
            i(&[2], &[1, 0]),
        ),
        (
            "ArgMax",
            vec![("axis", A::I(1)), ("select_last_index", A::I(1))],
            vec![f(&[1, 3], &[1., 3., 3.])],
            i(&[1, 1], &[2]),
        ),
        ("SequenceConstruct", vec![], vec![m23(), m23()], seq(vec![m23(), m23()])),
        ("SequenceLength", vec![], vec![seq(vec![m23()])], i(&[], &[1])),
        ("SequenceAt", vec![], vec![seq(vec![i(&[], &[4]), i(&[], &[5])]), i(&[], &[-1])], i(&[], &[5])),
        (
            "ConcatFromSequence",
            vec![("axis", A::I(0)), ("new_axis", A::I(1))],
            vec![seq(vec![f(&[2], &[1., 2.]), f(&[2], &[3., 4.])])],
            f(&[2, 2], &[1., 2., 3., 4.]),
        ),
        (
            "ConcatFromSequence",
            vec![("axis", A::I(0))],
            vec![seq(vec![f(&[1], &[1.]), f(&[2], &[3., 4.])])],
            f(&[3], &[1., 3., 4.]),
        ),
    ]
}

#[test]
fn operators_give_what_onnx_says() {
    for (op, attributes, inputs, expected) in cases() {
        let found = run(&node(op, &attributes), inputs.clone()).unwrap_or_else(|e| panic!("{op} of {inputs:?}: {e}"));
        let same = match (&found, &expected) {
            (Value::Tensor(a), Value::Tensor(b)) if a.as_slice::<f32>().is_some() => {
                let (x, y) = (a.as_slice::<f32>().expect("f32"), b.as_slice::<f32>().unwrap_or_default());
                a.shape() == b.shape()
                    && x.len() == y.len()
                    && x.iter().zip(y).all(|(x, y)| (x - y).abs() <= 1e-6 * y.abs() + 1e-42)
            }
            (a, b) => a == b,
        };
        let show = |v: &Value| v.as_tensor().map(|t| (t.shape().to_vec(), t.to_vec::<f32>(), t.to_vec::<i64>()));
        assert!(same, "{op} of {inputs:?} gives {:?}, not {:?}", show(&found), show(&expected));
    }
}

#[test]
fn every_operator_has_a_case() {
    let cases = cases();
    let without: Vec<&str> = KERNELS.iter().map(|k| k.op).filter(|op| !cases.iter().any(|c| c.0 == *op)).collect();
    assert_eq!(without, ["Constant", "Equal"], "these have tests of their own");
}

#[test]
fn equal_compares_and_constants_hold_what_they_hold() {
    let out = run(&node("Equal", &[]), vec![f(&[3], &[1., 2., f32::NAN]), f(&[3], &[1., 3., f32::NAN])]).expect("fits");
    assert_eq!(out.as_tensor().and_then(RawTensor::to_vec::<bool>), Some(vec![true, false, false]));
    let mut constant = node("Constant", &[]);
    constant.set_attr(attribute::tensor(
        "value",
        bb::ir::proto::onnx::TensorProto {
            dims: vec![2],
            data_type: Some(1),
            raw_data: Some([1.5f32.to_le_bytes(), 2.5f32.to_le_bytes()].concat().into()),
            ..Default::default()
        },
    ));
    assert_eq!(run(&constant, vec![]), Ok(f(&[2], &[1.5, 2.5])));
}

#[test]
fn what_does_not_fit_is_said_in_a_sentence() {
    for (op, attributes, inputs, says) in [
        ("Add", vec![], vec![f(&[2], &[1., 2.]), f(&[3], &[1., 2., 3.])], "cannot broadcast [2] with [3]"),
        ("Add", vec![], vec![f(&[], &[1.]), i(&[], &[1])], "not f32 and i64"),
        ("Div", vec![], vec![i(&[], &[1]), i(&[], &[0])], "divides an integer by zero"),
        ("MatMul", vec![], vec![f(&[1, 2], &[1., 2.]), f(&[3, 1], &[1., 2., 3.])], "cannot multiply [1, 2] by [3, 1]"),
        ("Reshape", vec![], vec![f(&[3], &[1., 2., 3.]), i(&[1], &[2])], "cannot make [2] of [3]"),
        ("Gather", vec![], vec![f(&[1], &[1.]), i(&[], &[4])], "no entry 4 among 1"),
        ("Concat", vec![("axis", A::I(5))], vec![f(&[1], &[1.])], "no axis 5"),
        (
            "Concat",
            vec![("axis", A::I(1))],
            vec![f(&[1, 1], &[1.]), f(&[1], &[1.])],
            "cannot join the shapes [1, 1], [1]",
        ),
        ("Exp", vec![], vec![i(&[], &[1])], "does not take tensors of i64"),
        ("ReduceMax", vec![], vec![f(&[0], &[])], "no value for no elements"),
    ] {
        let error = run(&node(op, &attributes), inputs).expect_err(op);
        assert!(error.contains(says), "{op}: {error}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let dims = proptest::collection::vec(0u64..4, 0..4);
    (dims, 0usize..5, any::<u64>()).prop_map(|(dims, kind, seed)| {
        let count: u64 = dims.iter().product();
        let number = |i: u64| (seed.wrapping_mul(i + 1) >> 60) as i64 - 8;
        let t = match kind {
            0 => RawTensor::from_vec(&dims, (0..count).map(|i| number(i) as f32).collect()),
            1 => RawTensor::from_vec(&dims, (0..count).map(number).collect()),
            2 => RawTensor::from_vec(&dims, (0..count).map(|i| number(i) as u8).collect()),
            3 => RawTensor::from_vec(&dims, (0..count).map(|i| number(i) > 0).collect::<Vec<bool>>()),
            _ => RawTensor::from_vec(&dims, (0..count).map(|i| number(i) as f64).collect()),
        };
        Value::Tensor(t.expect("as many"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn nothing_panics(
        op in 0..KERNELS.len(),
        inputs in proptest::collection::vec(prop_oneof![9 => any_value(), 1 => Just(Value::Absent), 1 => Just(seq(vec![])), 1 => Just(Value::Trigger)], 0..6),
        axis in -5i64..5, to in 0i64..14, flags in 0i64..4,
    ) {
        let op = KERNELS[op].op;
        let attributes = [("axis", A::I(axis)), ("to", A::I(to)), ("keepdims", A::I(flags & 1)), ("transA", A::I(flags & 1)), ("transB", A::I(flags >> 1)), ("new_axis", A::I(flags & 1))];
        let _ = run(&node(op, &attributes), inputs.clone());
        let _ = run(&node(op, &[]), vec![seq(inputs)]);
    }
}
