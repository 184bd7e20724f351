//! Recorded modules, compiled: what the parts of a program are.
#![cfg(feature = "build")]
#![allow(missing_docs)]

mod snapshot_programs;

use bb::ir::keys;
use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb::ir::views::Metadata;
use bb::ir::wire_shape::{is_recv, is_send, read_wire_id};
use bb::prelude::*;
use bb::{Compiled, Options, Reference};
use bb_compiler::{Compiler, Output};
use snapshot_programs::{Client, N, Node, Server, StateAt, clipped, generic, gossip, scored, two_rounds};

fn compile(recorded: bb::Recorded) -> Output {
    assert_eq!(recorded.diagnostics, []);
    Compiler::new().compile(&recorded.model).unwrap_or_else(|e| panic!("{e}"))
}
fn faults(recorded: bb::Recorded) -> Vec<(&'static str, String)> {
    assert_eq!(recorded.diagnostics, [], "the compiler is what refuses it");
    match Compiler::new().compile(&recorded.model) {
        Ok(_) => panic!("it compiles"),
        Err(e) => e.diagnostics().iter().map(|d| (d.code, d.to_string())).collect(),
    }
}
fn main<'a>(out: &'a Output, class: &str) -> &'a FunctionProto {
    out.partitions.iter().find(|p| p.class == class).expect("a part of that class").main()
}
/// Its ops, without gates.
fn ops<'a>(out: &'a Output, class: &str) -> Vec<&'a str> {
    main(out, class).node.iter().filter(|n| !bb::ir::gates::is_gate(n)).map(|n| n.op_type()).collect()
}
fn places(model: &ModelProto) -> Vec<String> {
    let row = |n: usize| model.metadata(&format!("{}{n}", keys::PLACE_TABLE_PREFIX)).map(str::to_owned);
    (0..).map_while(row).collect()
}
fn half(function: &FunctionProto, id: u64, of: fn(&NodeProto) -> bool) -> &NodeProto {
    function.node.iter().find(|n| of(n) && read_wire_id(n) == Some(id)).expect("that half of that wire")
}

#[test]
fn two_calls_of_one_module_never_meet() {
    let out = compile(bb::record(two_rounds));
    assert_eq!(places(&out.program), ["Server|one|entry", "Client|each|cohort"]);
    let server = main(&out, "Server");
    let ids: Vec<_> = server.node.iter().filter(|n| is_send(n)).filter_map(read_wire_id).collect();
    assert_eq!(ids, [0, 2]);
    let params: Vec<_> = server.node.iter().filter(|n| n.op_type() == "params").collect();
    assert_eq!(params[0].input, ["start"]);
    assert_eq!(params[1].input, server.node.iter().find(|n| n.op_type() == "fold").expect("a fold").output);
    assert_eq!(params[0].metadata(keys::MODULE_INSTANCE_KEY), Some("two_rounds/round"));
    assert_eq!(params[1].metadata(keys::MODULE_INSTANCE_KEY), Some("two_rounds/round#1"));
}

#[test]
fn lanes_reply_to_their_members() {
    let out = compile(bb::record(clipped));
    assert_eq!(places(&out.program), ["Server|one|entry", "Client|each|cohort"]);
    let server = main(&out, "Server");
    assert_eq!(half(server, 2, is_send).metadata(keys::LANE_KEY), Some("1"));
    assert_eq!(half(server, 1, is_recv).metadata(keys::LANE_KEY), Some("1"));
    assert_eq!(ops(&out, "Client"), ["Recv", "Send", "Recv", "train"]);
    assert_eq!(half(main(&out, "Client"), 2, is_recv).metadata(keys::LANE_KEY), None);
}

#[test]
fn what_reads_a_lane_is_in_it_and_each_policy_closes_it() {
    let out = compile(bb::record(scored));
    let server = main(&out, "Server");
    let count = |is: &dyn Fn(&NodeProto) -> bool| server.node.iter().filter(|n| is(n)).count();
    assert_eq!(count(&|n| n.op_type() == "Sub" && n.metadata(keys::LANE_KEY).is_some()), 2);
    assert_eq!(count(&|n| n.op_type() == "Gather"), 2);
    assert_eq!(count(&|n| is_send(n) && n.metadata(keys::LANE_KEY) == Some("1")), 1, "a reply leaves the lane");
}

#[bb::module]
fn lane_and_home(graph: &Graph, cohort: On<Server, Peers<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let there = graph.wire(x, cohort);
    let back = graph.wire(there, there.sender::<Server>());
    back.each(|y| {
        let again: On<Each<Client>, Tensor> = graph.wire(y * 2.0, y.sender());
        let home = graph.wire(again + there, again.sender::<Server>());
        home.each(|z| z * x).mean() + y
    })
    .mean()
}

#[test]
fn a_gather_is_outside_of_lanes_so_its_result_is_around_other_lanes() {
    let out = compile(bb::record(lane_and_home));
    let server = main(&out, "Server");
    let lanes: Vec<_> = [1, 2, 3]
        .into_iter()
        .map(|id| half(server, id, if id == 2 { is_send } else { is_recv }).metadata(keys::LANE_KEY))
        .collect();
    assert_eq!(lanes, [Some("1"), Some("1"), Some("3")]);
    assert_eq!(half(server, 3, is_recv).metadata(keys::AWAITS_KEY), Some("0,2"));
}

#[bb::role]
pub trait Rows {
    fn any(&mut self, rows: Tensor<AnyElement>) -> Tensor<AnyElement>;
    fn run(&mut self, rows: Tensor<f32, (N, D<64>)>) -> Tensor<f32, (N, D<32>)>;
}
#[derive(bb::WireType)]
pub struct Report {
    pub loss: f32,
    pub steps: u64,
}
#[bb::role]
pub trait Reporter {
    fn report(&mut self, x: Tensor) -> Report;
    fn read(&mut self, all: Gathered<Report>) -> f32;
}

#[bb::module]
fn many_ops(
    graph: &Graph,
    x: On<Server, Tensor<f32, (N, D<64>)>>,
    w: On<Server, Tensor<f64>>,
    n: On<Server, u64>,
    limit: On<Server, Duration>,
    cohort: On<Server, Peers<Client>>,
    rows: RowsAt<Server>,
    reporter: ReporterAt<Client>,
    reader: ReporterAt<Server>,
    selector: PeerSelectorAt<Server, Client>,
) -> (On<Server, Tensor<i64>>, On<Server, Tensor>, On<Server, u64>, On<Server, f32>) {
    let scaled = (w * 0.5 + 1.0).cast::<f32>().matmul(x).relu().softmax();
    let labels = scaled.argmax() * 2 + 1;
    let any: On<Server, Tensor> = rows.any(labels).narrow::<i64>().cast();
    let out = rows.run(x).reduce_mean(&[0]).reshape(&[4, -1]).transpose(&[1, 0]);
    let picked = concat(out, any.reshape(&[-1, 4])).slice(0, 0, 2).gather(labels, 1);
    let some = selector.select(cohort);
    let there = graph.wire(picked, some);
    let back = graph.wire((there, reporter.report(there)), there.sender::<Server>());
    let counted = back.each(|(y, r)| (y * 0.5, r)).quorum(n).within(limit).count();
    let mean = back.each(|(y, _)| y).first(2).mean();
    let reports = graph.wire(reporter.report(there), there.sender::<Server>());
    (labels, mean, counted, reader.read(reports))
}

#[test]
fn every_kind_of_op_and_type_gets_through() {
    let out = compile(bb::record(many_ops));
    assert_eq!(places(&out.program)[1].split('|').take(2).collect::<Vec<_>>(), ["Client", "each"]);
    assert_eq!(main(&out, "Server").output.len(), 4);
}

#[bb::module]
fn misfit(
    _graph: &Graph,
    x: On<Server, Tensor<f32, (N, D<64>)>>,
    y: On<Server, Tensor<f32, (N, D<32>)>>,
) -> On<Server, Tensor> {
    x + y
}

#[test]
fn shapes_that_are_static_have_to_fit() {
    let found = faults(bb::record(misfit));
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["BB0302"], "{found:?}");
}

#[test]
fn both_halves_of_a_wire_inside_one_class_are_in_one_artifact() {
    let out = compile(bb::record(gossip));
    assert_eq!(out.partitions.len(), 1);
    assert_eq!(out.partitions[0].name(), "gossip");
    let node = main(&out, "Node");
    for (wire, way) in [(0, ["0", "1"]), (1, ["1", "0"])] {
        for of in [is_send, is_recv] {
            let half = half(node, wire, of);
            let keys = [keys::FROM_PLACE_KEY, keys::TO_PLACE_KEY];
            assert_eq!(keys.map(|key| half.metadata(key).expect("a place")), way);
        }
    }
}

#[test]
fn what_sends_nothing_stays_a_function() {
    let out = compile(bb::record(generic));
    assert_eq!(ops(&out, "Server"), ["twice", "Send"]);
    assert_eq!(ops(&out, "Client"), ["Recv", "twice"]);
    for partition in &out.partitions {
        let names: Vec<_> = partition.model.functions.iter().map(|f| f.name()).collect();
        assert_eq!(names, [partition.name(), "twice"]);
    }
}

#[bb::module]
fn two_clients(
    graph: &Graph,
    a: On<Server, Peer<Client>>,
    b: On<Server, Peer<Client>>,
    x: On<Server, Tensor>,
) -> (On<Client, Tensor>, On<Client, Tensor>) {
    (graph.wire(x, a), graph.wire(x, b))
}
#[bb::module]
fn apart(
    graph: &Graph,
    a: On<Server, Peer<Client>>,
    b: On<Server, Peer<Client>>,
    x: On<Server, Tensor>,
) -> (On<Client, Tensor>, On<Client, Tensor>) {
    two_clients(graph, a, b, x)
}

#[test]
fn two_peers_of_one_class_are_two_places_of_one_artifact() {
    let out = compile(bb::record(apart));
    assert_eq!(places(&out.program), ["Server|one|entry", "Client|one|a", "Client|one|b"]);
    assert_eq!(main(&out, "Client").output.len(), 2);
}

#[bb::module]
fn asks_client(graph: &Graph, x: On<Client, Tensor>) -> On<Client, Tensor> {
    graph.wire(x, graph.origin::<Client>())
}
#[bb::module]
fn wrong_origin(graph: &Graph, to: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Client, Tensor> {
    asks_client(graph, graph.wire(x, to))
}

#[test]
fn the_origin_is_asked_again_once_modules_are_inlined() {
    let found = faults(bb::record(wrong_origin));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "BB0204");
    assert!(found[0].1.contains("a call of `wrong_origin` comes from a `Server`, not from a `Client`"), "{found:?}");
}

#[bb::module]
fn to_third(graph: &Graph, local: On<Each<Client>, Tensor>, node: On<Each<Client>, Peer<Node>>) -> On<Node, Tensor> {
    graph.wire(local, node).mean()
}
#[bb::module]
fn third_place(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    node: On<Server, Peer<Node>>,
    x: On<Server, Tensor>,
) -> On<Node, Tensor> {
    let (local, node) = graph.wire((x, node), cohort);
    to_third(graph, local, node)
}

#[test]
fn a_cohort_that_is_a_parameter_is_judged_once_modules_are_inlined() {
    let found = faults(bb::record(third_place));
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["BB0211"], "{found:?}");
}

#[bb::module]
fn starts(graph: &Graph, state: StateAt<Node>, x: On<Node, Tensor>) -> On<Node, Tensor> {
    state.get(graph) + x
}
#[bb::module]
fn starts_elsewhere(
    graph: &Graph,
    to: On<Server, Peer<Node>>,
    state: StateAt<Node>,
    x: On<Server, Tensor>,
) -> On<Node, Tensor> {
    starts(graph, state, graph.wire(x, to))
}

#[test]
fn graph_starts_nothing_where_the_call_does_not() {
    let found = faults(bb::record(starts_elsewhere));
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["BB0205"], "{found:?}");
}

#[test]
fn two_compilations_give_the_same_bytes() {
    let bytes = |out: Output| out.partitions.into_iter().map(|p| bb::ir::artifact::write(&p.model)).collect::<Vec<_>>();
    assert_eq!(bytes(compile(bb::record(clipped))), bytes(compile(bb::record(clipped))));
}

#[test]
fn an_unrolled_program_is_the_same_one_and_a_cohort_that_is_not_there_is_refused() {
    let compile = |options: Options| bb::compile_with(two_rounds, &options);
    let (three, one) = (compile(Options::default().unroll::<Client>(3)), bb::compile(two_rounds));
    let digest = |of: &Compiled| of.output.as_ref().expect("it compiles").digest;
    assert_eq!((&three.artifacts, digest(&three)), (&one.artifacts, digest(&one)));
    let trained = |of: &Compiled| {
        let whole = of.whole(&Reference::new().leave_unplayed()).expect("it compiles").expect("nobody has to play");
        whole.functions[0].node.iter().filter(|node| node.op_type() == "train").count()
    };
    assert_eq!((trained(&three), trained(&one)), (6, 2), "as often in each of two rounds");
    assert_eq!(trained(&compile(Options::default().unroll::<Client>(3).unroll::<Client>(2))), 4, "the last word");

    for wrong in [Options::default().unroll::<Node>(3), Options::default().unroll::<Client>(0)] {
        let refused = compile(wrong);
        assert_eq!(refused.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["BB0412"]);
        assert!(refused.whole(&Reference::new()).is_none());
    }
}

/// What takes it is told by its type that it is one.
#[test]
fn a_number_is_no_tensor_of_one() {
    let found = faults(bb::record(|_: &Graph, x: On<Server, f32>| -> On<Server, f32> { x.reshape(&[1]) }));
    assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["BB0302"], "{found:#?}");
    compile(bb::record(|_: &Graph, x: On<Server, f32>| -> On<Server, f32> { x.reshape(&[]) }));
}
