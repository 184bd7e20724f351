//! What operators cannot take: their inputs, and what is said of them.

use crate::notation::result_of;

/// Operator, inputs, attributes, and what the message holds.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    ("Add", &["f32(2,3)", "f32(2,4)"], "", "BB0302: `Add` cannot put a tensor of `f32` with the shape (2, 3) and"),
    ("Add", &["f32(2)", "i64(2)"], "", "BB0301: this is a tensor of `i64` with the shape (2), but a tensor of `f32`"),
    ("Add", &["f32(2)", "seq f32(2)"], "", "BB0301: this is a sequence of tensor of `f32`"),
    ("Equal", &["f32(0)", "f32(3)"], "", "BB0302: `Equal` cannot put"),
    ("Exp", &["i64(2)"], "", "BB0301: `Exp` cannot take a tensor of `i64` with the shape (2): it takes `f32`, `f64`"),
    ("Softmax", &["i32(2)"], "", "BB0301: `Softmax` cannot take"),
    ("Neg", &["u32(2)"], "", "BB0301: `Neg` cannot take"),
    ("Relu", &["u8(2)"], "", "BB0301: `Relu` cannot take"),
    ("Add", &["bool(2)", "bool(2)"], "", "BB0301: `Add` cannot take a tensor of `bool`"),
    ("Pow", &["u8(2)", "f32(2)"], "", "BB0301: `Pow` cannot take"),
    ("MatMul", &["u8(2,2)", "u8(2,2)"], "", "BB0301: `MatMul` cannot take"),
    ("ReduceMean", &["i8(2)"], "", "BB0301: `ReduceMean` cannot take"),
    ("ReduceMax", &["i16(2)"], "", "BB0301: `ReduceMax` cannot take"),
    ("MaxPool", &["i32(1,1,4)"], "kernel_shape=2,", "BB0301: `MaxPool` cannot take"),
    (
        "Gather",
        &["f32(4)", "f32(2)"],
        "",
        "BB0301: `Gather` cannot take a tensor of `f32` with the shape (2): it takes `i64`",
    ),
    ("Slice", &["f32(4)", "i64(1)", "u64(1)"], "", "BB0301: `Slice` cannot take a tensor of `u64`"),
    ("Reshape", &["f32(4)", "i32(1)"], "", "BB0301: `Reshape` cannot take a tensor of `i32`"),
    ("ReduceSum", &["f32(4)", "i32(1)"], "", "BB0301: `ReduceSum` cannot take a tensor of `i32`"),
    (
        "Softmax",
        &["f32(N)"],
        "axis=1",
        "BB0302: `Softmax` cannot take a tensor of `f32` with the shape (N): it has no axis 1",
    ),
    (
        "MatMul",
        &["f32(2,3)", "f32(4,3)"],
        "",
        "BB0302: `MatMul` cannot put a tensor of `f32` with the shape (2, 3) and a",
    ),
    ("MatMul", &["f32(2,3)", "f32(4)"], "", "(2, 3) and a tensor of `f32` with the shape (4) together"),
    ("MatMul", &["f32()", "f32(4)"], "", "a number is no matrix"),
    ("MatMul", &["f32(2,2,3)", "f32(3,3,4)"], "", "BB0302: `MatMul` cannot put"),
    ("MatMul", &["f32(N,3)", "f32(4,N)"], "", "BB0302: `MatMul` cannot put"),
    ("Gemm", &["f32(2,3)", "f32(3,4)", "f32(5)"], "", "it does not spread over the product"),
    ("Gemm", &["f32(2,3)", "f32(3,4)"], "transB=1", "BB0302: `Gemm` cannot put"),
    ("Gemm", &["f32(2,3,4)", "f32(3,4)"], "", "but a tensor of `f32` with the shape (_, _) is needed here"),
    ("Transpose", &["f32(2,3)"], "perm=0,0", "its axes are not each named once"),
    ("Transpose", &["f32(2,3)"], "perm=0,1,2", "(2, 3), but a tensor of `f32` with the shape (_, _, _) is needed here"),
    ("Conv", &["f32(1,4,9,9)", "f32(8,3,3,3)"], "", "BB0302: `Conv` cannot put"),
    ("Conv", &["f32(1,3,9)", "f32(8,3,3,3)"], "", "but a tensor of `f32` with the shape (_, _, _, _) is needed here"),
    ("Conv", &["f32(1,3,2,9)", "f32(8,3,3,3)"], "", "a window of 3 does not fit into 2"),
    ("Conv", &["f32(1,1,1)", "f32(1,1,3)"], "dilations=2, pads=1,1", "3 that spans 5 does not fit into 1 padded by 2"),
    ("Conv", &["f32(1,4,9,9)", "f32(8,3,3,3)"], "group=2", "BB0302: `Conv` cannot put"),
    ("MaxPool", &["f32(1,3,9)"], "kernel_shape=2,2", "a window of 2 dimensions looks at a tensor of 4"),
    ("MaxPool", &["f32(1,3,9)"], "kernel_shape=2, strides=0,", "a stride is 0"),
    ("GlobalAveragePool", &["f32(1,3)"], "", "it has nothing behind batch and channels"),
    ("Where", &["f32(2)", "f32(2)", "f32(2)"], "", "BB0301"),
    ("And", &["bool(2)", "f32(2)"], "", "BB0301"),
    ("Where", &["bool(2)", "f32(3)", "f32()"], "", "BB0302: `Where` cannot put"),
    ("Expand", &["f32(2)", "i64[3]"], "", "it does not spread over that shape"),
    ("Flatten", &["f32(2)"], "axis=3", "it has no axis 3"),
    ("Squeeze", &["f32(2,3)", "i64[0]"], "", "its axis 0 is not 1"),
    ("Unsqueeze", &["f32(2)", "i64[0,0]"], "", "it cannot have an axis 0 of its own"),
    ("Pad", &["f32(2)", "i64[-3,0]"], "", "less than nothing of its axis 0 would be left"),
    ("Pad", &["f32(2)", "i64[1,1,1]"], "", "3 pads are not two for each of 1 axes"),
    ("Tile", &["f32(2)", "i64[1,1]"], "", "2 counts are not one for each of its 1 dimensions"),
    ("Split", &["f32(6)", "i64[5]"], "", "[5] are not its 1 parts"),
    ("Reshape", &["f32(2,3)", "i64[4,-1]"], "", "it cannot become (4, -1)"),
    ("Reshape", &["f32(2,3)", "i64[2,2]"], "", "it cannot become (2, 2)"),
    ("Reshape", &["f32(2,3)", "i64[-1,-1]"], "", "it cannot become (-1, -1)"),
    ("Reshape", &["f32(2,3)", "i64[2,3,0]"], "", "it cannot become (2, 3, 0)"),
    ("Reshape", &["f32(0,3)", "i64[0,-1]"], "", "it cannot become (0, -1)"),
    ("Reshape", &["f32(N,4)", "i64[3]"], "", "it cannot become (3)"),
    ("Concat", &["f32(2,3)", "f32(3,3)"], "axis=1", "BB0302: `Concat` cannot put"),
    ("Concat", &["f32(2,3)", "f32(3)"], "axis=0", "BB0302: `Concat` cannot put"),
    ("Concat", &["f32(2)", "f32(3)"], "axis=1", "it has no axis 1"),
    ("Slice", &["f32(2)", "i64[0]", "i64[1]", "i64[1]"], "", "it has no axis 1"),
    ("Gather", &["f32(10)", "i64[3,10]"], "", "it has no entry 10"),
    ("Gather", &["f32(10)", "i64(2)"], "axis=-2", "it has no axis -2"),
    ("ReduceSum", &["f32(10)", "i64[1]"], "", "it has no axis 1"),
    ("ArgMax", &["f32()"], "", "it has no axis 0"),
    ("ConcatFromSequence", &["seq f32(2)"], "axis=2 new_axis=1", "it has no axis 2"),
];

#[test]
fn what_an_operator_cannot_take_is_said() {
    for (op, inputs, with, said) in ROWS {
        let error = result_of(op, inputs, with).expect_err(op);
        assert!(error.contains(said), "{op} {with} of {inputs:?}: {error}");
    }
}

/// The nearest program that is none of those.
#[test]
fn what_fits_by_a_hair_is_let_through() {
    for (op, inputs, with) in [
        ("Add", &["f32(2,3)", "f32(2,1)"][..], ""),
        ("Softmax", &["f32(N)"], "axis=-1"),
        ("MatMul", &["f32(2,3)", "f32(3,3)"], ""),
        ("MatMul", &["f32(N,3)", "f32(M,N)"], ""),
        ("Gemm", &["f32(2,3)", "f32(4,3)"], "transB=1"),
        ("Gemm", &["f32(2,3)", "f32(3,4)", "f32(1)"], ""),
        ("Reshape", &["f32(N,4)", "i64[8]"], ""),
        ("Concat", &["f32(2,3)", "f32(3,3)"], "axis=0"),
        ("Gather", &["f32(10)", "i64[-10]"], ""),
    ] {
        assert!(result_of(op, inputs, with).is_ok(), "{op} {with} of {inputs:?}");
    }
}
