//! Shapes that are computed: from constants, before the program runs.

use crate::notation::{attributes, integers, op, read, solved};
use crate::support::*;

/// `x` of 24 elements in the shape that `of` makes of constants.
fn reshaped(of: impl FnOnce(&mut Module) -> String) -> String {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(4,6)"));
    let shape = of(&mut m);
    let out = op(&mut m, "Reshape", &[&x, &shape], Vec::new());
    m.output(&out);
    match solved(vec![m.done()]) {
        Ok(found) => found(&out),
        Err(faults) => faults[0].message.clone(),
    }
}

#[test]
fn a_shape_is_put_together_of_parts() {
    let of = |a: &'static [i64], b: &'static [i64]| {
        reshaped(|m| {
            let (a, b) = (integers(m, a, true), integers(m, b, true));
            op(m, "Concat", &[&a, &b], attributes("axis=0"))
        })
    };
    assert_eq!(of(&[2, 3], &[-1]), "f32(2,3,4)");
    assert!(of(&[2, 3], &[5]).contains("it cannot become (2, 3, 5)"));
}

#[test]
fn a_part_of_a_shape_is_taken_and_put_into_another() {
    let picked = reshaped(|m| {
        let (shape, at) = (integers(m, &[7, 12, 2], true), integers(m, &[2, 1], true));
        op(m, "Gather", &[&shape, &at], Vec::new())
    });
    assert_eq!(picked, "f32(2,12)");
    let cut = reshaped(|m| {
        let shape = integers(m, &[9, 9, 3, 8], true);
        let bounds = [[2], [4], [0]].map(|n| integers(m, &n, true));
        op(m, "Slice", &[&shape, &bounds[0], &bounds[1], &bounds[2]], Vec::new())
    });
    assert_eq!(cut, "f32(3,8)");
}

#[test]
fn sizes_are_added_and_multiplied() {
    let computed = reshaped(|m| {
        let (sizes, two) = (integers(m, &[1, 6], true), integers(m, &[2], false));
        let doubled = op(m, "Mul", &[&sizes, &two], Vec::new());
        let same = op(m, "Identity", &[&doubled], Vec::new());
        let (back, none) = (integers(m, &[0, 0], true), integers(m, &[0], false));
        let less = op(m, "Sub", &[&same, &back], Vec::new());
        op(m, "Add", &[&less, &none], Vec::new())
    });
    assert_eq!(computed, "f32(2,12)");
    let total = reshaped(|m| {
        let sizes = integers(m, &[4, 20], true);
        op(m, "ReduceSum", &[&sizes], attributes("keepdims=1"))
    });
    assert_eq!(total, "f32(24)");
    let most = reshaped(|m| {
        let sizes = integers(m, &[4, 24], true);
        op(m, "ReduceMax", &[&sizes], attributes("keepdims=1"))
    });
    assert_eq!(most, "f32(24)");
}

#[test]
fn what_overflows_or_is_read_from_an_input_is_no_constant() {
    let overflow = reshaped(|m| {
        let (a, b) = (integers(m, &[i64::MAX, 1], true), integers(m, &[2], true));
        op(m, "Mul", &[&a, &b], Vec::new())
    });
    assert_eq!(overflow, "f32(_,_)", "how many dimensions there are is known all the same");
    let read_in = reshaped(|m| m.input("shape", "Server", read("i64(3)")));
    assert_eq!(read_in, "f32(_,_,_)");
}

#[test]
fn a_constant_is_one_on_the_far_side_of_a_wire() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(4,6)"));
    let to = m.peer("to", "Server", "Client");
    let shape = integers(&mut m, &[3, -1], true);
    let there = m.wire(&[&x, &shape], &to);
    let out = op(&mut m, "Reshape", &[&there.values[0], &there.values[1]], Vec::new());
    m.output(&out);
    assert_eq!(solved(vec![m.done()]).map(|found| found(&out)), Ok("f32(3,8)".to_owned()));
}
