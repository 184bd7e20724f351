//! Every operator the language offers: its inputs, and the type of its result.

use crate::notation::{attributes, read, result_of, solved, value};
use crate::support::Module;
use bb_ir::ops::ONNX_OPS;
use bb_ir::views::Attributes;
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
    // What models are made of: windows.
    ("Conv", &["f32(N,3,28,28)", "f32(8,3,3,3)"], "", "f32(N,8,26,26)"),
    ("Conv", &["f32(1,3,28,28)", "f32(8,3,3,3)", "f32(8)"], "pads=1,1,1,1 strides=2,2", "f32(1,8,14,14)"),
    ("Conv", &["f32(1,4,9)", "f32(8,2,3)"], "group=2 dilations=2,", "f32(1,8,5)"),
    ("Conv", &["f32", "f32(8,3,5,5)"], "", "f32(_,8,_,_)"),
    ("Conv", &["f32(N,3,H,28)", "f32(8,3,3,3)"], "", "f32(N,8,_,26)"),
    ("MaxPool", &["f32(N,8,26,26)"], "kernel_shape=2,2 strides=2,2", "f32(N,8,13,13)"),
    ("MaxPool", &["f32(1,1,5,5)"], "kernel_shape=2,2 strides=2,2 ceil_mode=1", "f32(1,1,3,3)"),
    ("MaxPool", &["f32(1,1,4)"], "kernel_shape=1, strides=2, pads=0,1 ceil_mode=1", "f32(1,1,2)"),
    ("AveragePool", &["f32(1,1,5,5)"], "kernel_shape=3,3 pads=1,1,1,1", "f32(1,1,5,5)"),
    ("AveragePool", &["f32"], "kernel_shape=3,3", "f32"),
    ("GlobalAveragePool", &["f32(N,8,13,13)"], "", "f32(N,8,1,1)"),
    ("GlobalMaxPool", &["f32(N,8,13)"], "", "f32(N,8,1)"),
    ("BatchNormalization", &["f32(N,8,4)", "f32(8)", "f32(8)", "f32(8)", "f32(8)"], "", "f32(N,8,4)"),
    ("LayerNormalization", &["f32(N,64)", "f32(64)"], "", "f32(N,64)"),
    ("Clip", &["f32(N,4)", "f32()", "f32()"], "", "f32(N,4)"),
    // Further functions of each element.
    ("Abs", &["i32(N)"], "", "i32(N)"),
    ("Ceil", &["f32(N)"], "", "f32(N)"),
    ("Elu", &["f32(N)"], "", "f32(N)"),
    ("Erf", &["f32(N)"], "", "f32(N)"),
    ("Floor", &["f32(N)"], "", "f32(N)"),
    ("Gelu", &["f32(N)"], "", "f32(N)"),
    ("HardSigmoid", &["f32(N)"], "", "f32(N)"),
    ("HardSwish", &["f32(N)"], "", "f32(N)"),
    ("LeakyRelu", &["f32(N)"], "", "f32(N)"),
    ("LogSoftmax", &["f32(N,10)"], "axis=1", "f32(N,10)"),
    // Comparison, logic and choice.
    ("Greater", &["f32(N,4)", "f32(4)"], "", "bool(N,4)"),
    ("GreaterOrEqual", &["i64(4)", "i64()"], "", "bool(4)"),
    ("Less", &["f32(N,1)", "f32(1,4)"], "", "bool(N,4)"),
    ("LessOrEqual", &["f32", "f32(4)"], "", "bool"),
    ("And", &["bool(N)", "bool()"], "", "bool(N)"),
    ("Or", &["any(2)", "any(2)"], "", "bool(2)"),
    ("Xor", &["bool(2,1)", "bool(3)"], "", "bool(2,3)"),
    ("Not", &["bool(N)"], "", "bool(N)"),
    ("Where", &["bool(N,1)", "f32(4)", "f32()"], "", "f32(N,4)"),
    ("Where", &["any(2)", "any(2)", "i64(2)"], "", "i64(2)"),
    ("Max", &["f32(N,1)", "f32(4)", "f32()"], "", "f32(N,4)"),
    ("Min", &["f32(2,1)", "f32(1,3)"], "", "f32(2,3)"),
    ("Sum", &["f32(N)"], "", "f32(N)"),
    ("Pow", &["f32(N,4)", "i64()"], "", "f32(N,4)"),
    // Other dimensions.
    ("Expand", &["f32(3,1)", "i64[2,1,6]"], "", "f32(2,3,6)"),
    ("Expand", &["f32(N,1)", "i64[1,4]"], "", "f32(N,4)"),
    ("Expand", &["f32(3)", "i64(2)"], "", "f32(_,_)"),
    ("Flatten", &["f32(N,8,5,5)"], "", "f32(N,200)"),
    ("Flatten", &["f32(2,3,4)"], "axis=0", "f32(1,24)"),
    ("Flatten", &["f32(2,3,4)"], "axis=3", "f32(24,1)"),
    ("Flatten", &["f32(2,N,4)"], "axis=2", "f32(_,4)"),
    ("Squeeze", &["f32(1,N,1)", "i64[0,-1]"], "", "f32(N)"),
    ("Squeeze", &["f32(1,3,1)"], "", "f32(3)"),
    ("Squeeze", &["f32(1,N)"], "", "f32"),
    ("Unsqueeze", &["f32(N,4)", "i64[0,-1]"], "", "f32(1,N,4,1)"),
    ("Unsqueeze", &["f32(N,4)", "i64(1)"], "", "f32"),
    ("Pad", &["f32(2,3)", "i64[0,1,0,2]"], "", "f32(2,6)"),
    ("Pad", &["f32(N,3)", "i64[0,-1,0,0]"], "", "f32(N,2)"),
    ("Pad", &["f32(N,3)", "i64[1,1]", "f32()", "i64[-1]"], "", "f32(N,5)"),
    ("Pad", &["f32(N,3)", "i64(4)"], "", "f32(_,_)"),
    ("Tile", &["f32(2,N)", "i64[3,1]"], "", "f32(6,N)"),
    ("Tile", &["f32(2,N)", "i64(2)"], "", "f32(_,_)"),
    ("Split", &["f32(6,N)"], "num_outputs=1", "f32(6,N)"),
    ("Split", &["f32(6,N)", "i64[6]"], "axis=0", "f32(6,N)"),
    ("Shape", &["f32(6,N,3)"], "", "i64(3)"),
    ("Shape", &["f32(6,N,3)"], "start=1 end=-1", "i64(1)"),
    ("Shape", &["f32"], "", "i64(_)"),
    ("ArgMin", &["f32(N,10)"], "axis=-1 keepdims=0", "i64(N)"),
    ("ReduceMin", &["f32(2,N,4)", "i64[0,-1]"], "keepdims=0", "f32(N)"),
    ("ReduceProd", &["f32(2,N)"], "", "f32(1,1)"),
    ("ReduceL1", &["f32(2,N)", "i64[1]"], "", "f32(2,1)"),
    ("ReduceL2", &["f32(2,N)", "i64[1]"], "keepdims=0", "f32(2)"),
    ("ReduceLogSum", &["f32(2,N)"], "keepdims=0", "f32()"),
    ("ReduceLogSumExp", &["f32(2,N)", "i64[1]"], "keepdims=0", "f32(2)"),
    ("ReduceSumSquare", &["f32(2,N)", "i64[0]"], "keepdims=0", "f32(N)"),
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

#[test]
fn a_split_says_what_each_part_is() {
    for (inputs, with, parts) in [
        (&["f32(N,7)", "i64[3,4]"][..], "axis=1", ["f32(N,3)", "f32(N,4)"]),
        (&["f32(N,7)"], "axis=-1 num_outputs=2", ["f32(N,4)", "f32(N,3)"]),
        (&["f32(N,7)"], "axis=0", ["f32(_,7)", "f32(_,7)"]),
        (&["f32"], "", ["f32", "f32"]),
    ] {
        let mut m = Module::with_graph("f");
        let names: Vec<String> =
            inputs.iter().enumerate().map(|(i, text)| value(&mut m, &format!("x{i}"), text)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (at, out) = m.push(bb_ir::ops::ONNX_DOMAIN, "Split", &names, &[read("any"), read("any")]);
        attributes(with).into_iter().for_each(|attribute| m.node(at).set_attr(attribute));
        out.iter().for_each(|out| m.output(out));
        let found = solved(vec![m.done()]).expect("it fits");
        assert_eq!([found(&out[0]), found(&out[1])], parts, "{inputs:?} {with}");
    }
}
