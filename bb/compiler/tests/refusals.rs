//! What the compiler refuses: the smallest program for each code, and what is said of it.
#![allow(missing_docs)]

mod support;

use bb_compiler::{CompileError, Compiler, CompilerStage, Partition, PassError};
use bb_ir::keys;
use bb_ir::ops;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::types::{Dim, ElementKind, ValueType};
use bb_ir::views::{Attributes, Metadata, attribute};
use support::*;

fn shaped(dims: &[u64]) -> ValueType {
    ValueType::Tensor { element: Some(ElementKind::F32), shape: Some(dims.iter().map(|n| Dim::Size(*n)).collect()) }
}

/// A module with `x` and whatever `body` does with it.
fn server(body: impl FnOnce(&mut Module, &str)) -> FunctionProto {
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", tensor());
    body(&mut m, &x);
    m.done()
}

#[test]
fn bb0210_two_peers_of_one_class_by_two_wires() {
    let found = fault(vec![server(|m, x| {
        let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
        let (at_a, at_b) = (m.wire(&[x], &a), m.wire(&[x], &b));
        let sum = m.op("MatMul", &[&at_a.values[0], &at_b.values[0]]);
        let more = m.op("Add", &[&sum, &at_a.values[0]]);
        m.output(&more);
    })]);
    assert_eq!(found.code, "BB0210");
    assert_eq!(found.message, "these values live on two different peers of class `Client`");
    assert_eq!(
        notes(&found),
        [
            "one came over this wire --> src/f.rs:1:1",
            "the other over this one, which leads to another peer --> src/f.rs:2:1"
        ]
    );
    assert_eq!(found.at.expect("a place").to_string(), "src/f.rs:3:1");
    assert_eq!(found.module.as_deref(), Some("f"));
}

#[test]
fn bb0210_what_was_here_and_what_came_over_a_wire() {
    let found = fault(vec![{
        let mut m = Module::with_graph("gossip");
        let mine = m.input("mine", "Node", tensor());
        let to = m.peer("neighbour", "Node", "Node");
        let theirs = m.wire(&[&mine], &to);
        let sum = m.op("Add", &[&mine, &theirs.values[0]]);
        m.output(&sum);
        m.done()
    }]);
    let note = "each is on a `Node`: one came over this wire, the other did not --> src/gossip.rs:1:1";
    assert_eq!((found.code, notes(&found)), ("BB0210", vec![note.to_owned()]));
    assert_eq!(
        found.help.as_deref(),
        Some("send both to the same peer value, or keep the state in a component of `Node`")
    );
}

#[test]
fn bb0210_two_heads_that_were_chosen_apart() {
    let found = fault(vec![server(|m, x| {
        let (l, r) = (m.peer("left", "Server", "Client"), m.peer("right", "Server", "Node"));
        m.slot("Client", "on_left", "Choice", 8);
        m.slot("Node", "on_right", "Choice", 9);
        let (at_l, at_r) = (m.wire(&[x], &l), m.wire(&[x], &r));
        let choose = |m: &mut Module, slot: u32, value: &str| {
            let head = m.role("Choice", "head", slot, &[value], &[ValueType::peer()]).remove(0);
            m.points_at(&head, "Head")
        };
        let (head_l, head_r) = (choose(m, 8, &at_l.values[0]), choose(m, 9, &at_r.values[0]));
        let (a, b) = (m.wire(&[&at_l.values[0]], &head_l), m.wire(&[&at_r.values[0]], &head_r));
        let both = m.op("Add", &[&a.values[0], &b.values[0]]);
        m.output(&both);
    })]);
    assert_eq!(found.message, "these values live on two different peers of class `Head`");
    let notes = notes(&found);
    assert!(notes[0].ends_with("src/f.rs:5:1") && notes[1].ends_with("src/f.rs:6:1"), "{notes:?}");
}

#[test]
fn bb0210_two_cohorts_and_two_classes() {
    let two_cohorts = fault(vec![server(|m, x| {
        let (a, b) = (m.cohort("a", "Server", "Client"), m.cohort("b", "Server", "Client"));
        let (at_a, at_b) = (m.wire(&[x], &a), m.wire(&[x], &b));
        let sum = m.op("Add", &[&at_a.values[0], &at_b.values[0]]);
        m.output(&sum);
    })]);
    assert_eq!(two_cohorts.code, "BB0210");
    let two_classes = fault(vec![server(|m, x| {
        let a = m.peer("a", "Server", "Client");
        let at_a = m.wire(&[x], &a);
        let sum = m.op("Add", &[x, &at_a.values[0]]);
        m.output(&sum);
    })]);
    assert!(two_classes.message.contains("`Server` and on `Client`"), "{two_classes:?}");
}

#[test]
fn bb0211_a_cohort_that_does_not_go_home() {
    let found = fault(vec![server(|m, x| {
        let cohort = m.cohort("cohort", "Server", "Client");
        let node = m.peer("node", "Server", "Node");
        let local = m.wire(&[x, &node], &cohort);
        let away = m.wire(&[&local.values[0]], &local.values[1]);
        let all = m.gather(away.id, &[&away.values[0]], "all", None);
        m.output(&all[0]);
    })]);
    assert_eq!(found.code, "BB0211");
    assert_eq!(found.message, "the values of a cohort go home, to the peer that opened it, and to no third one");
    assert_eq!(found.at.expect("a place").line, 2);
}

#[test]
fn bb0211_a_lane_that_goes_elsewhere_or_is_read_outside() {
    let cohort_and_back = |m: &mut Module, x: &str| {
        let cohort = m.cohort("cohort", "Server", "Client");
        let there = m.wire(&[x], &cohort);
        m.wire(&[&there.values[0]], &there.sender)
    };
    let elsewhere = fault(vec![server(|m, x| {
        let node = m.peer("node", "Server", "Node");
        let back = cohort_and_back(m, x);
        m.in_lane(Some(back.id));
        let away = m.wire(&[&back.values[0]], &node);
        m.in_lane(None);
        m.output(&away.values[0]);
    })]);
    assert_eq!(elsewhere.code, "BB0211");
    assert_eq!(elsewhere.message, "inside `.each(|x| ..)` a value goes back to its sender, nowhere else");
    let two_cohorts = fault(vec![server(|m, x| {
        let back = cohort_and_back(m, x);
        let other = m.cohort("other", "Server", "Client");
        let there = m.wire(&[x], &other);
        let again = m.wire(&[&there.values[0]], &there.sender);
        let sum = m.op("Add", &[&back.values[0], &again.values[0]]);
        m.output(&sum);
    })]);
    assert_eq!(two_cohorts.message, "a value of one lane is used outside of it");
}

#[test]
fn bb0212_a_cohort_inside_a_cohort() {
    let found = fault(vec![server(|m, x| {
        let cohort = m.cohort("cohort", "Server", "Client");
        let inner = m.cohort("inner", "Server", "Node");
        let local = m.wire(&[x, &inner], &cohort);
        let away = m.wire(&[&local.values[0]], &local.values[1]);
        m.output(&away.values[0]);
    })]);
    assert_eq!(found.code, "BB0212");
}

#[test]
fn bb0213_a_destination_of_no_class() {
    let found = fault(vec![server(|m, x| {
        let to = m.input("to", "Server", ValueType::peer());
        let away = m.wire(&[x], &to);
        m.output(&away.values[0]);
    })]);
    assert_eq!(found.code, "BB0213");
}

#[test]
fn bb0204_an_origin_of_another_class_is_seen_once_modules_are_inlined() {
    let mut answer = Module::with_graph("answer");
    let x = answer.input("x", "Client", tensor());
    let origin = answer.origin("Client");
    let back = answer.wire(&[&x], &origin);
    answer.output(&back.values[0]);
    let answer = answer.done();
    let root = server(|m, x| {
        let to = m.peer("to", "Server", "Client");
        let there = m.wire(&[x], &to);
        let back = m.call(&answer, &["start", &there.values[0]], "").remove(0);
        m.output(&back);
    });
    let found = fault(vec![root, answer]);
    assert_eq!((found.code, found.module.as_deref()), ("BB0204", Some("answer")));
    assert_eq!(found.message, "a call of `f` comes from a `Server`, not from a `Client`");
    assert_eq!(found.help.as_deref(), Some("`.origin::<Server>()`"));
}

#[test]
fn bb0205_and_bb0206_a_component_that_is_not_where_it_is_to_start() {
    let found = fault(vec![server(|m, _| {
        m.slot("Node", "state", "State", 3);
        let y = m.role("State", "get", 3, &[], &[tensor()]).remove(0);
        m.output(&y);
    })]);
    assert_eq!((found.code, found.at.expect("a place").line), ("BB0205", 1));
    assert_eq!(found.message, "`graph` does not start anything on `Node`: a call of `f` starts on `Server`");
    let found = fault(vec![server(|m, x| {
        m.slot("Node", "state", "State", 3);
        let y = m.role_after("State", "get", 3, &[x], true, &[tensor()]).remove(0);
        m.output(&y);
    })]);
    assert_eq!(found.code, "BB0206");
}

#[test]
fn bb0301_element_types_that_differ_are_seen_on_both_sides() {
    let found = fault(vec![server(|m, x| {
        let y = m.op_of("Cast", &[x], ValueType::tensor(ElementKind::I64));
        let at = m.line() - 1;
        m.node(at).set_attr(attribute::int("to", ElementKind::I64 as i64));
        let z = m.op("Add", &[x, &y]);
        m.output(&z);
    })]);
    assert_eq!((found.code, found.at.as_ref().expect("a place").line), ("BB0301", 2));
    assert!(found.message.contains("`i64`") && found.message.contains("`f32`"), "{}", found.message);
    assert_eq!(notes(&found), ["the first comes from here --> src/f.rs:1:1"]);
}

#[test]
fn bb0302_shapes_that_differ() {
    let add = |a: &[u64], b: &[u64], op: &'static str| {
        let mut m = Module::with_graph("f");
        let (a, b) = (m.input("a", "Server", shaped(a)), m.input("b", "Server", shaped(b)));
        let c = m.op(op, &[&a, &b]);
        m.output(&c);
        m.done()
    };
    assert_eq!(fault(vec![add(&[2, 3], &[2, 4], "Add")]).code, "BB0302");
    assert_eq!(fault(vec![add(&[2, 3], &[2, 4], "MatMul")]).code, "BB0302");
    compile(vec![add(&[2, 3], &[3, 4], "MatMul")]);
    compile(vec![add(&[2, 3], &[1, 3], "Add")]);
}

#[test]
fn bb0302_a_shape_that_the_program_declares_is_held_across_wires_and_calls() {
    let mut takes = Module::with_graph("takes");
    let x = takes.input("x", "Client", shaped(&[4]));
    let y = takes.op("Relu", &[&x]);
    takes.output(&y);
    let takes = takes.done();
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", shaped(&[3]));
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let y = m.call(&takes, &["start", &there.values[0]], "").remove(0);
    m.output(&y);
    let found = fault(vec![m.done(), takes]);
    assert_eq!(found.code, "BB0302");
}

#[test]
fn bb0303_elements_nobody_names() {
    let any = ValueType::Tensor { element: None, shape: None };
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", any.clone());
    let y = m.op_of("Relu", &[&x], any.clone());
    m.output(&y);
    let found = fault(vec![m.done()]);
    assert!(found.code == "BB0303" && found.message.contains("the input `x`"), "{found:?}");
    let found = fault(vec![server(|m, x| {
        let (_, rows) = m.push(&format!("{}user", ops::OP_DOMAIN_PREFIX), "rows", &[x], std::slice::from_ref(&any));
        let y = m.op_of("Tanh", &[&rows[0]], any.clone());
        m.output(&y);
    })]);
    assert_eq!(found.at.expect("a place").line, 1, "once, where it comes from");
}

#[test]
fn what_is_narrowed_anywhere_is_known_everywhere() {
    let any = ValueType::Tensor { element: None, shape: None };
    let mut m = Module::with_graph("f");
    let x = m.input("x", "Server", any.clone());
    let to = m.peer("to", "Server", "Client");
    let there = m.wire(&[&x], &to);
    let y = m.op_of("Identity", &[&there.values[0]], any);
    let back = m.wire(&[&y], &there.sender);
    let z = m.op("Relu", &[&back.values[0]]);
    m.output(&z);
    let out = compile(vec![m.done()]);
    let main = out.part("Server").main();
    let x = main.value_info.iter().find(|i| i.name() == "x").and_then(|i| i.r#type.as_ref());
    assert_eq!(x.and_then(ValueType::from_proto), Some(tensor()));
}

#[test]
fn bb0401_a_wire_nobody_reads() {
    let found = fault(vec![server(|m, x| {
        let to = m.peer("to", "Server", "Client");
        m.wire(&[x], &to);
        let y = m.op("Relu", &[x]);
        m.output(&y);
    })]);
    assert_eq!((found.code, found.at.expect("a place").line), ("BB0401", 1));
}

/// From the server to the client and back, so often.
fn rounds(m: &mut Module, x: &str, to: &str, rounds: usize) -> String {
    (0..rounds).fold(x.to_owned(), |x, _| {
        let there = m.wire(&[&x], to);
        m.wire(&[&there.values[0]], &there.sender).values.remove(0)
    })
}

#[test]
fn bb0411_more_wires_than_peers_tell_each_other_of() {
    let limit = bb_ir::limits::WIRES_MAX;
    let of = |wires: usize| {
        server(|m, x| {
            let to = m.peer("to", "Server", "Client");
            let y = rounds(m, x, &to, wires / 2);
            m.output(&y);
        })
    };
    assert_eq!(compile(vec![of(limit)]).analysis.wire_edges.len(), limit);
    let found = fault(vec![of(limit + 6)]);
    assert_eq!((found.code, found.at.expect("a place").line as usize), ("BB0411", limit + 1), "the first too many");
}

#[test]
fn bb0411_wires_that_take_too_much_to_tell_of() {
    let far = "C".repeat(64);
    let of = |wires: usize| {
        server(|m, x| {
            let to = m.peer("to", "Server", &far);
            let there = |m: &mut Module, x: &str| m.wire(&[x; 100], &to);
            let last = (1..wires).fold(there(m, x), |sent, _| {
                let back = m.wire(&[&sent.values[0]], &sent.sender);
                there(m, &back.values[0])
            });
            let y = m.wire(&[&last.values[0]], &last.sender);
            m.output(&y.values[0]);
        })
    };
    assert_eq!(compile(vec![of(257)]).analysis.wire_edges.len(), 2 * 257);
    let found = fault(vec![of(258)]);
    assert_eq!(found.code, "BB0411");
    assert!(found.message.contains("in 248 KiB"), "{found:?}");
}

#[test]
fn a_wire_too_many_and_one_that_nobody_reads_are_told_of_together() {
    let far = server(|m, x| {
        let to = m.peer("to", "Server", "Client");
        let x = rounds(m, x, &to, bb_ir::limits::WIRES_MAX / 2);
        m.wire(&[&x], &to);
        m.output(&x);
    });
    let found = faults(vec![far]);
    assert_eq!(found.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["BB0411", "BB0401"]);
}

#[test]
fn bb0402_a_role_served_in_two_ways() {
    let found = fault(vec![server(|m, x| {
        m.slot("Server", "model", "Model", 2);
        let y = m.role("Model", "forward", 2, &[x], &[tensor()]).remove(0);
        let z = m.concrete("Model", "user.Linear", "head", "forward", &[&y]);
        m.output(&z);
    })]);
    assert_eq!(found.code, "BB0402");
    let found = fault(vec![server(|m, x| {
        let y = m.concrete("Model", "user.Linear", "head", "forward", &[x]);
        let z = m.concrete("Model", "user.Deep", "head", "forward", &[&y]);
        m.output(&z);
    })]);
    assert_eq!(found.code, "BB0402");
}

#[test]
fn bb0403_a_slot_nothing_binds() {
    let mut inner = Module::with_graph("inner");
    inner.slot("Server", "model", "Model", 1);
    let x = inner.input("x", "Server", tensor());
    let y = inner.role("Model", "forward", 1, &[&x], &[tensor()]).remove(0);
    inner.output(&y);
    let inner = inner.done();
    let call = inner.clone();
    let root = server(|m, x| {
        let y = m.call(&call, &["start", x], "").remove(0);
        m.output(&y);
    });
    let found = fault(vec![root, inner]);
    assert_eq!((found.code, found.module.as_deref()), ("BB0403", Some("f")));
    let found = fault(vec![server(|m, x| {
        let y = m.role("Model", "forward", 5, &[x], &[tensor()]).remove(0);
        m.output(&y);
    })]);
    assert_eq!(found.code, "BB0403");
    assert!(found.help.is_some_and(|help| help.contains("ModelAt<Server>")));
}

#[test]
fn bb0412_a_cohort_that_is_not_there_and_one_of_nobody() {
    let found = |class: &str, members, program: FunctionProto| -> Vec<_> {
        let compiled = Compiler::new().with_unrolled(class, members).compile(&model(vec![program]));
        let found: Vec<_> = compiled.expect_err("it is refused").into();
        found.into_iter().map(|f| (f.code, f.message, f.help.unwrap_or_default(), f.module)).collect()
    };
    let round_ = Some("round".to_owned());
    let help = || "it has cohorts of `Client`".to_owned();
    for class in ["Nobody", "Server"] {
        let text = format!("`round` has no cohort of `{class}` to unroll");
        assert_eq!(found(class, 3, round()), [("BB0412", text, help(), round_.clone())]);
    }
    let text = "a cohort of `Client` is unrolled to nobody".to_owned();
    let help = "give `unroll` as many members as are to be seen: 1 is what is there without it".to_owned();
    assert_eq!(found("Client", 0, round()), [("BB0412", text, help, round_)]);
    let [(.., help, _)] = &found("Left", 2, split_inference())[..] else { panic!("one peer is no cohort") };
    assert_eq!(help, "it has none: unroll nothing");
    let unread = server(|m, x| {
        let to = m.cohort("to", "Server", "Client");
        m.wire(&[x], &to);
        m.output(x);
    });
    let codes: Vec<_> = found("Nobody", 3, unread).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, ["BB0401", "BB0412"], "all at once");
}

#[test]
fn bb0501_an_operator_no_backend_has() {
    let found = fault(vec![server(|m, x| {
        let y = m.op("Loop", &[x]);
        m.output(&y);
    })]);
    assert_eq!((found.code, found.at.expect("a place").line), ("BB0501", 1));
}

#[test]
fn bb0502_a_module_that_calls_itself() {
    let mut f = Module::with_graph("f");
    let x = f.input("x", "Server", tensor());
    f.output(&x);
    let shape = f.done();
    let mut f = Module::with_graph("f");
    let x = f.input("x", "Server", tensor());
    let y = f.call(&shape, &["start", &x], "").remove(0);
    f.output(&y);
    assert_eq!(fault(vec![f.done()]).code, "BB0502");
}

#[test]
fn bb0901_a_model_no_recorder_makes() {
    let mut dangling = server(|m, x| {
        let y = m.op("Relu", &[x]);
        m.output(&y);
    });
    dangling.node[0].input[0] = "nowhere".into();
    let found = fault(vec![dangling]);
    assert!(found.code == "BB0901" && found.message.contains("nowhere"), "{found:?}");
    let nothing = Compiler::new().compile(&bb_ir::proto::onnx::ModelProto::default());
    assert!(matches!(nothing, Err(CompileError::Validation(_))));
}

#[test]
fn bb0901_a_program_nobody_can_call() {
    let mut m = Module::with_graph("f");
    let x = m.constant(1.0);
    m.output(&x);
    assert!(fault(vec![m.done()]).message.contains("nothing says where a call of `f` starts"));
    let mut m = Module::with_graph("f");
    let (x, y) = (m.input("x", "Server", tensor()), m.input("y", "Client", tensor()));
    m.output(&x);
    m.output(&y);
    assert!(fault(vec![m.done()]).message.contains("`f` is a fragment"));
}

#[test]
fn two_mistakes_are_two_messages_and_one_is_one() {
    let found = faults(vec![server(|m, x| {
        let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
        let (at_a, at_b) = (m.wire(&[x], &a), m.wire(&[x], &b));
        let first = m.op("Add", &[&at_a.values[0], &at_b.values[0]]);
        let follows = m.op("Relu", &[&first]);
        let second = m.op("Mul", &[&at_a.values[0], &at_b.values[0]]);
        let both = m.op("Add", &[&follows, &second]);
        m.output(&both);
    })]);
    assert_eq!(found.iter().map(|d| d.at.as_ref().expect("a place").line).collect::<Vec<_>>(), [3, 5]);
}

struct Breaks;
impl CompilerStage for Breaks {
    fn name(&self) -> &'static str {
        "breaks"
    }
    fn run(&self, mut partition: Partition) -> Result<Partition, PassError> {
        partition.model.remove_metadata(keys::COMPILED_KEY);
        Ok(partition)
    }
}
struct Marks;
impl CompilerStage for Marks {
    fn name(&self) -> &'static str {
        "marks"
    }
    fn run(&self, mut partition: Partition) -> Result<Partition, PassError> {
        partition.model.producer_version = Some(partition.class.clone());
        Ok(partition)
    }
}

#[test]
fn a_stage_runs_once_per_partition_and_is_verified() {
    let out = Compiler::new().with_stage(Marks).compile(&model(vec![round()])).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(out.part("Client").model.producer_version(), "Client");
    let broken = Compiler::new().with_stage(Breaks).compile(&model(vec![round()]));
    assert!(matches!(broken, Err(CompileError::Broken { after: "breaks", .. })));
}
