//! Shapes across wires, through calls, and as the signatures of roles and ops name them.

use crate::notation::{attributes, op, read, solved};
use crate::support::*;
use bb_compiler::passes;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::shape_text::parse_takes;
use bb_ir::views::Metadata;

/// The one thing that is said.
fn fault_in(functions: Vec<FunctionProto>) -> Diagnostic {
    let mut faults = solved(functions).err().expect("it is refused");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.remove(0)
}

/// A layer on a client: `x` goes there, where `w` is taken times.
fn layer(x: &str, w: &str) -> FunctionProto {
    let mut m = Module::with_graph("layer");
    let x = m.input("x", "Server", read(x));
    let to = m.peer("to", "Server", "Client");
    m.slot("Client", "model", "Model", 3);
    let there = m.wire(&[&x], &to);
    let w = m.role_after("Model", "weights", 3, &[&there.sender], true, &[read(w)]).remove(0);
    let y = op(&mut m, "MatMul", &[&there.values[0], &w], Vec::new());
    let back = m.wire(&[&y], &there.sender);
    m.output(&back.values[0]);
    m.done()
}

#[test]
fn a_wrong_inner_dimension_on_the_far_side_of_a_wire_shows_both_places() {
    let found = fault_in(vec![layer("f32(N,32)", "f32(64,10)")]);
    assert_eq!(
        found.message,
        "`MatMul` cannot put a tensor of `f32` with the shape (N, 32) and a tensor of `f32` with the shape (64, 10) together"
    );
    assert_eq!(
        (found.code, found.at.as_ref().expect("a place").to_string()),
        ("BB0302", "src/layer.rs:3:1".to_owned())
    );
    assert_eq!(
        notes(&found),
        [
            "the first is the parameter `x`",
            "the first came over this wire --> src/layer.rs:1:1",
            "the second comes from here --> src/layer.rs:2:1"
        ]
    );
    let fits = layer("f32(N,64)", "f32(64,10)");
    let back = fits.output[0].clone();
    let found = solved(vec![fits]).expect("it fits");
    assert_eq!(found(&back), "f32(N,10)");
}

#[test]
fn what_the_far_side_says_is_known_on_the_near_side() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32"));
    let to = m.peer("to", "Server", "Client");
    let sent = op(&mut m, "Relu", &[&x], Vec::new());
    let there = m.wire(&[&sent], &to);
    let shaped = m.op_of("Identity", &[&there.values[0]], read("f32(N,64)"));
    m.output(&shaped);
    let found = solved(vec![m.done()]).expect("it fits");
    assert_eq!(found("x"), "f32(N,64)");
}

#[test]
fn two_sides_that_declare_two_shapes_are_shown_both() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(N,32)"));
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let more = m.op("Relu", &[&there.values[0]]);
    let shaped = m.op_of("Identity", &[&more], read("f32(N,64)"));
    m.output(&shaped);
    let found = fault_in(vec![m.done()]);
    assert!(found.message.contains("(N, 32)") && found.message.contains("(N, 64)"), "{}", found.message);
    assert_eq!(found.at.as_ref().expect("a place").line, 3);
    let notes = notes(&found).concat();
    assert!(notes.contains("the parameter `x`") && notes.contains("came over this wire --> src/f.rs:1:1"), "{notes}");
}

/// A program in which `N` is what the first of these types says, and `second` takes it.
fn named(first: &str, second: &str) -> Vec<FunctionProto> {
    let mut m = Module::with_graph("f");
    let (x, w) = (m.input("x", "Server", read("f32(N)")), m.input("w", "Server", read(first)));
    m.op("MatMul", &[&x, &w]);
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let out = m.op_of("Identity", &[&there.values[0]], read(second));
    m.output(&out);
    vec![m.done()]
}

#[test]
fn a_name_is_one_size_everywhere() {
    let found = fault_in(named("f32(64,2)", "f32(32)"));
    assert!(found.message.contains("(64)") && found.message.contains("(32)"), "{}", found.message);
    assert!(notes(&found).contains(&"`N` is 64 since here --> src/f.rs:1:1".to_owned()), "{:?}", found.notes);
    let found = solved(named("f32(64,2)", "f32(64)")).expect("it fits");
    assert_eq!(found("x"), "f32(64)");
    let found = solved(named("f32(M,2)", "f32(_)")).expect("it fits");
    assert_eq!(found("w"), "f32(N,2)");
}

/// A role's method whose signature takes `takes`.
fn method(x: &str, takes: &str) -> Vec<FunctionProto> {
    let mut m = Module::with_graph("f");
    m.slot("Server", "model", "Model", 3);
    let x = m.input("x", "Server", read(x));
    let y = m.role("Model", "forward", 3, &[&x], &[read("f32(N,10)")]).remove(0);
    let at = m.line() - 1;
    assert!(parse_takes(takes).is_some());
    m.node(at).set_metadata(keys::TAKES_KEY, takes);
    m.output(&y);
    vec![m.done()]
}

#[test]
fn a_signature_names_dimensions_of_what_it_takes_and_gives() {
    let found = solved(method("f32(5,64)", "0=N,64")).expect("it fits");
    assert_eq!(found("forward_0"), "f32(5,10)");
    let found = solved(method("f32", "0=N,64")).expect("it fits");
    assert_eq!(found("x"), "f32(N,64)");
    let found = fault_in(method("f32(5,32)", "0=N,64"));
    assert_eq!(found.code, "BB0302");
    assert!(found.message.contains("(5, 32), but a tensor of `f32` with the shape (5, 64)"), "{}", found.message);
    assert_eq!(fault_in(method("f32(5,32,1)", "0=N,32")).code, "BB0302");
    assert_eq!(fault_in(method("seq f32(5)", "0=6")).code, "BB0302", "of a sequence it is about the values");
}

#[test]
fn what_signatures_take_is_in_the_types_once_they_are_solved() {
    let model = passes::type_solver(model(method("f32", "0=N,64"))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(model.functions[0].node[0].metadata(keys::TAKES_KEY), None);
}

/// Flattens and multiplies, whatever the batch is.
fn dense() -> FunctionProto {
    let mut m = Module::new("dense");
    let (x, w) = (m.input("x", "Server", read("f32")), m.input("w", "Server", read("f32(_,_)")));
    let flat = crate::notation::integers(&mut m, &[0, -1], true);
    let x = op(&mut m, "Reshape", &[&x, &flat], Vec::new());
    let y = op(&mut m, "MatMul", &[&x, &w], Vec::new());
    m.output(&y);
    m.done()
}

#[test]
fn a_module_is_solved_for_each_call_of_it() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(_,4,7)"));
    let (v, w) = (m.input("v", "Server", read("f32(28,64)")), m.input("w", "Server", read("f32(64,10)")));
    let call = |m: &mut Module, inputs: [&str; 2]| {
        let (_, mut out) = m.push(bb_ir::ops::MODULE_DOMAIN, "dense", &inputs, &[read("any")]);
        out.remove(0)
    };
    let h = call(&mut m, [&x, &v]);
    let y = call(&mut m, [&h, &w]);
    let both = op(&mut m, "Concat", &[&y, &x], attributes("axis=0"));
    m.output(&both);
    let found = fault_in(vec![m.done(), dense()]);
    assert!(found.message.contains("(_, 10)") && found.message.contains("(_, 4, 7)"), "{}", found.message);
}

#[test]
fn what_is_wrong_inside_a_module_is_said_there_and_names_the_call() {
    let mut m = Module::with_graph("f");
    let (x, w) = (m.input("x", "Server", read("f32(2,3,4)")), m.input("w", "Server", read("f32(13,5)")));
    let (_, y) = m.push(bb_ir::ops::MODULE_DOMAIN, "dense", &[&x, &w], &[read("any")]);
    m.push(bb_ir::ops::MODULE_DOMAIN, "dense", &[&x, &w], &[read("any")]);
    m.output(&y[0]);
    let found = fault_in(vec![m.done(), dense()]);
    assert_eq!((found.module.as_deref(), found.at.as_ref().expect("a place").line), (Some("dense"), 3));
    assert!(notes(&found).contains(&"in this call --> src/f.rs:1:1".to_owned()), "{:?}", found.notes);
}

/// A module that sends, and so is inlined, whose parameter has this shape.
fn sends(name: &str, takes: &str) -> FunctionProto {
    let mut m = Module::with_graph(name);
    let x = m.input("x", "Server", read(takes));
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    m.output(&there.values[0]);
    m.done()
}

#[test]
fn names_meet_at_the_borders_of_calls_that_are_inlined() {
    let program = |first: &str, second: &str| {
        let (first, second) = (sends("first", first), sends("second", second));
        let mut m = Module::with_graph("f");
        let x = m.input("x", "Server", read("f32"));
        let n = m.input("n", "Server", read("f32(N)"));
        let to = m.peer("to", "Server", "Client");
        let a = m.call(&first, &["start", &x, &to], "").remove(0);
        let b = m.call(&second, &["start", &x, &to], "").remove(0);
        m.output(&a);
        m.output(&b);
        m.output(&n);
        vec![m.done(), first, second]
    };
    assert_eq!(solved(program("f32(N)", "f32(64)")).expect("it fits")("n"), "f32(64)");
    assert_eq!(solved(program("f32(M)", "f32(N)")).expect("it fits")("n"), "f32(M)");
    assert_eq!(fault_in(program("f32(32)", "f32(64)")).code, "BB0302");
    let once = solved(program("f32(N)", "f32(N)")).expect("it fits");
    assert_eq!(once("n"), "f32(N)");
}

#[test]
fn a_name_that_two_inlined_calls_make_two_sizes_is_refused_at_the_second() {
    let calls = [("a", "f32(N)"), ("b", "f32(64)"), ("c", "f32(N)"), ("d", "f32(32)")];
    let callees: Vec<FunctionProto> = calls.iter().map(|(name, takes)| sends(name, takes)).collect();
    let mut m = Module::with_graph("f");
    let (x, y) = (m.input("x", "Server", read("f32")), m.input("y", "Server", read("f32")));
    let to = m.peer("to", "Server", "Client");
    for (callee, value) in callees.iter().zip([&x, &x, &y, &y]) {
        let out = m.call(callee, &["start", value, &to], "").remove(0);
        m.output(&out);
    }
    let found = fault_in(std::iter::once(m.done()).chain(callees).collect());
    assert_eq!((found.code, found.message.as_str()), ("BB0302", "`N` is 64 and 32"));
    assert_eq!(found.at.as_ref().expect("a place").to_string(), "src/f.rs:4:1");
    assert_eq!(notes(&found), ["the first since here --> src/f.rs:2:1"]);
}

#[test]
fn a_gather_says_of_all_lanes_what_holds_of_each() {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", read("f32(P,3)"));
    let cohort = m.cohort("cohort", "Server", "Client");
    let there = m.wire(&[&x], &cohort);
    let rows =
        m.push(&format!("{}user", bb_ir::ops::OP_DOMAIN_PREFIX), "rows", &[&there.values[0]], &[read("f32(_,3)")]);
    let back = m.wire(&[&there.values[0], &rows.1[0]], &there.sender);
    let all = m.gather(back.id, &[&back.values[0], &back.values[1]], "all", None);
    let stacked = op(&mut m, "ConcatFromSequence", &[&all[0]], attributes("axis=0 new_axis=1"));
    m.output(&stacked);
    m.output(&all[1]);
    let found = solved(vec![m.done()]).expect("it fits");
    assert_eq!((found(&all[0]).as_str(), found(&all[1]).as_str()), ("seq f32(P,3)", "seq f32(_,3)"));
    assert_eq!(found(&stacked), "f32(_,P,3)");
}
