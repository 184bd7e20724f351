//! Every operator the language offers: its inputs, and the type of its result.

use crate::notation::result_of;
use bb_ir::ops::ONNX_OPS;
use std::collections::BTreeSet;

/// Operator, inputs, attributes, result.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    // Broadcasting: from the right, and a size of one is any size.
    ("Add", &["f32(2,3)", "f32(3)"], "", "f32(2,3)"),
    ("Add", &["f32(2,1)", "f32(1,3)"], "", "f32(2,3)"),
    ("Add", &["f32(N,64)", "f32(N,64)"], "", "f32(N,64)"),
    ("Add", &["f32(N,64)", "f32()"], "", "f32(N,64)"),
    ("Add", &["f32(N,64)", "f32(M,64)"], "", "f32(_,64)"),
    ("Add", &["f32(N)", "f32(64)"], "", "f32(64)"),
    ("Add", &["f32(N)", "f32(1)"], "", "f32(N)"),
    ("Add", &["f32(0)", "f32(1)"], "", "f32(0)"),
    ("Add", &["f32", "f32(3)"], "", "f32"),
    ("Add", &["any(2)", "i64(2)"], "", "i64(2)"),
    ("Sub", &["f64(5,4,3)", "f64(4,1)"], "", "f64(5,4,3)"),
    ("Mul", &["i32(N,N)", "i32(N)"], "", "i32(N,N)"),
    ("Div", &["f32()", "f32(7)"], "", "f32(7)"),
    ("Equal", &["f32(N,4)", "f32(4)"], "", "bool(N,4)"),
    ("Equal", &["i64", "i64(4)"], "", "bool"),
    // What goes element by element.
    ("Exp", &["f32(N,4)"], "", "f32(N,4)"),
    ("Log", &["f64(_,4)"], "", "f64(_,4)"),
    ("Sqrt", &["f32"], "", "f32"),
    ("Sigmoid", &["f32()"], "", "f32()"),
    ("Tanh", &["f32(1,2,3)"], "", "f32(1,2,3)"),
    ("Relu", &["f32(0)"], "", "f32(0)"),
    ("Neg", &["i32(N)"], "", "i32(N)"),
    ("Softmax", &["f32(N,10)"], "", "f32(N,10)"),
    ("Softmax", &["f32(N,10)"], "axis=0", "f32(N,10)"),
    ("Identity", &["f32(N,10)"], "", "f32(N,10)"),
    ("Identity", &["seq f32(N)"], "", "seq f32(N)"),
    ("Cast", &["f32(N,10)"], "to=7", "i64(N,10)"),
    // Products.
    ("MatMul", &["f32(2,3)", "f32(3,4)"], "", "f32(2,4)"),
    ("MatMul", &["f32(N,64)", "f32(64,M)"], "", "f32(N,M)"),
    ("MatMul", &["f32(3)", "f32(3)"], "", "f32()"),
    ("MatMul", &["f32(3)", "f32(3,4)"], "", "f32(4)"),
    ("MatMul", &["f32(2,3)", "f32(3)"], "", "f32(2)"),
    ("MatMul", &["f32(5,1,2,3)", "f32(6,3,4)"], "", "f32(5,6,2,4)"),
    ("MatMul", &["f32(B,2,3)", "f32(3,4)"], "", "f32(B,2,4)"),
    ("MatMul", &["f32(N,K)", "f32(K,N)"], "", "f32(N,N)"),
    ("MatMul", &["f32", "f32(3,4)"], "", "f32"),
    ("Gemm", &["f32(N,3)", "f32(3,4)", "f32(4)"], "", "f32(N,4)"),
    ("Gemm", &["f32(3,N)", "f32(4,3)"], "transA=1 transB=1", "f32(N,4)"),
    ("Gemm", &["f32(2,3)", "f32"], "", "f32(2,_)"),
    // What moves elements.
    ("Transpose", &["f32(2,N,4)"], "", "f32(4,N,2)"),
    ("Transpose", &["f32(2,N,4)"], "perm=1,0,2", "f32(N,2,4)"),
    ("Transpose", &["f32"], "perm=1,0", "f32(_,_)"),
    ("Reshape", &["f32(2,6)", "i64[3,-1]"], "", "f32(3,4)"),
    ("Reshape", &["f32(N,28,28)", "i64[0,-1]"], "", "f32(N,784)"),
    ("Reshape", &["f32(N,28,28)", "i64[-1,784]"], "", "f32(N,784)"),
    ("Reshape", &["f32(N,6)", "i64[-1]"], "", "f32(_)"),
    ("Reshape", &["f32(N,6)", "i64[-1,3]"], "", "f32(_,3)"),
    ("Reshape", &["f32", "i64[-1,3]"], "", "f32(_,3)"),
    ("Reshape", &["f32(4)", "i64[2,2]"], "", "f32(2,2)"),
    ("Reshape", &["f32(1)", "i64[]"], "", "f32()"),
    ("Reshape", &["f32(0,3)", "i64[0,3]"], "allowzero=0", "f32(0,3)"),
    ("Reshape", &["f32(0)", "i64[0,7]"], "allowzero=1", "f32(0,7)"),
    ("Reshape", &["f32(4)", "i64(2)"], "", "f32(_,_)"),
    ("Reshape", &["f32(4)", "i64"], "", "f32"),
    ("Concat", &["f32(2,3)", "f32(2,4)"], "axis=1", "f32(2,7)"),
    ("Concat", &["f32(N,3)", "f32(N,4)"], "axis=-1", "f32(N,7)"),
    ("Concat", &["f32(N,3)", "f32(N,3)"], "axis=0", "f32(_,3)"),
    ("Concat", &["f32(2,3)", "f32"], "axis=0", "f32(_,3)"),
    ("Concat", &["f32(2)", "f32(3)", "f32(4)"], "axis=0", "f32(9)"),
    ("Slice", &["f32(10,4)", "i64[2]", "i64[5]", "i64[0]"], "", "f32(3,4)"),
    ("Slice", &["f32(10,4)", "i64[-3]", "i64[99]", "i64[0]"], "", "f32(3,4)"),
    ("Slice", &["f32(10,4)", "i64[1]", "i64[-1]", "i64[-1]"], "", "f32(10,2)"),
    ("Slice", &["f32(10,4)", "i64[9]", "i64[-99]", "i64[0]", "i64[-2]"], "", "f32(5,4)"),
    ("Slice", &["f32(10,4)", "i64[8,1]", "i64[9,3]"], "", "f32(1,2)"),
    ("Slice", &["f32(N,4)", "i64[2]", "i64[5]", "i64[0]"], "", "f32(_,4)"),
    ("Slice", &["f32(N,4)", "i64[0]", "i64[9223372036854775807]", "i64[0]"], "", "f32(N,4)"),
    ("Slice", &["f32(10,4)", "i64(1)", "i64[5]", "i64[0]"], "", "f32(_,4)"),
    ("Slice", &["f32(10,4)", "i64[2]", "i64[5]", "i64(1)"], "", "f32(_,_)"),
    ("Gather", &["f32(10,4)", "i64(3,2)"], "", "f32(3,2,4)"),
    ("Gather", &["f32(10,N)", "i64()"], "axis=0", "f32(N)"),
    ("Gather", &["f32(10,4)", "i64(N)"], "axis=-1", "f32(10,N)"),
    ("Gather", &["f32(10,4)", "i64[-10,9]"], "", "f32(2,4)"),
    // What takes dimensions away.
    ("ReduceSum", &["f32(2,N,4)", "i64[0,-1]"], "keepdims=0", "f32(N)"),
    ("ReduceMean", &["f32(2,N,4)", "i64[1]"], "keepdims=1", "f32(2,1,4)"),
    ("ReduceMax", &["f32(2,N)"], "keepdims=0", "f32()"),
    ("ReduceMax", &["f32(2,N)"], "", "f32(1,1)"),
    ("ReduceSum", &["f32"], "keepdims=0", "f32()"),
    ("ReduceSum", &["f32(2,N)"], "keepdims=0 noop_with_empty_axes=1", "f32(2,N)"),
    ("ReduceSum", &["f32(2,N)", "i64(1)"], "", "f32(_,_)"),
    ("ReduceSum", &["f32(2,N)", "i64(1)"], "keepdims=0", "f32"),
    ("ArgMax", &["f32(N,10)"], "axis=-1 keepdims=0", "i64(N)"),
    ("ArgMax", &["f32(N,10)"], "", "i64(1,10)"),
    // Sequences: what holds of one value holds of all.
    ("SequenceConstruct", &["f32(N,3)", "f32(N,4)"], "", "seq f32(N,_)"),
    ("SequenceAt", &["seq f32(N,_)", "i64()"], "", "f32(N,_)"),
    ("SequenceLength", &["seq f32(N)"], "", "i64()"),
    ("ConcatFromSequence", &["seq f32(N,3)"], "axis=0", "f32(_,3)"),
    ("ConcatFromSequence", &["seq f32(N,3)"], "axis=0 new_axis=1", "f32(_,N,3)"),
    ("ConcatFromSequence", &["seq f32(N,3)"], "axis=-1 new_axis=1", "f32(N,3,_)"),
];

#[test]
fn every_operator_says_what_its_result_is() {
    for (op, inputs, with, result) in ROWS {
        assert_eq!(result_of(op, inputs, with).as_deref(), Ok(*result), "{op} {with} of {inputs:?}");
    }
}

#[test]
fn no_operator_of_the_language_is_left_out() {
    let told: BTreeSet<&str> = ROWS.iter().map(|row| row.0).collect();
    // A constant's type is in every row with an `i64[…]`.
    let offered = ONNX_OPS.iter().map(|op| op.name).filter(|op| *op != "Constant");
    assert_eq!(offered.collect::<BTreeSet<_>>(), told);
}
