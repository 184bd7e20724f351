//! What is said of two programs that are almost the same: a table of pairs, and every sentence about them.
#![allow(missing_docs)]

mod snapshot_programs;

use bb::ir::wire_shape::{Transport, is_recv, is_send, stamp_wire_transport};
use bb::prelude::*;
use bb::{Compiled, Difference, compile};
use snapshot_programs::*;

/// The sentences, without the lines where things are written.
fn sentences(before: &Compiled, after: &Compiled) -> Vec<String> {
    assert_eq!((&before.diagnostics, &after.diagnostics), (&Vec::new(), &Vec::new()));
    said(&before.difference(after))
}
fn said(difference: &Difference) -> Vec<String> {
    let plain = |text: String| {
        let mut parts = text.split(" (tests/");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once(')').expect("a place ends").1)
    };
    difference.changes.iter().map(|change| plain(change.text.clone())).collect()
}

/// The programs of each pair have one name: a module of its own each.
macro_rules! program {
    ($name:ident, ($($args:tt)*) -> $out:ty $body:block) => {
        mod $name {
            use super::*;
            #[bb::module]
            pub fn program($($args)*) -> $out $body
        }
    };
}

program!(plain, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(x.relu(), to)
});
program!(one_op_more, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(x.relu().exp(), to)
});
program!(same_op_more, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(x.relu(), to).relu()
});
program!(one_wire_more, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x.relu(), to);
    graph.wire(there, graph.origin::<Server>())
});
program!(to_another, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Edge>>) -> On<Edge, Tensor> {
    graph.wire(x.relu(), to)
});
program!(typed, (graph: &Graph, x: On<Server, Tensor<f32, (N,)>>, to: On<Server, Peer<Client>>) -> On<Client, Tensor<f32, (N,)>> {
    graph.wire(x.relu(), to)
});
program!(another_input, (graph: &Graph, y: On<Server, Tensor>, to: On<Server, Peer<Client>>) -> On<Client, Tensor> {
    graph.wire(y.relu(), to)
});
program!(waits, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Server>()).quorum(0.5).within(secs(30)).mean()
});
program!(waits_less, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Server>()).quorum(0.5).within(secs(1)).mean()
});
program!(waits_for_two, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peers<Client>>) -> On<Server, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Server>()).first(2).within(secs(30)).mean()
});
#[bb::role]
pub trait Keeper {
    fn keep(&mut self, x: Tensor) -> Tensor;
    fn mix(&mut self, x: Tensor) -> Tensor;
}
program!(keeps, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>, cell: KeeperAt<Client>) -> On<Client, Tensor> {
    cell.keep(graph.wire(x, to))
});
program!(mixes, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>, cell: KeeperAt<Client>) -> On<Client, Tensor> {
    cell.mix(graph.wire(x, to))
});
program!(keeps_elsewhere, (graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>, box_: KeeperAt<Client>) -> On<Client, Tensor> {
    box_.keep(graph.wire(x, to))
});
program!(two_outputs, (_graph: &Graph, x: On<Server, Tensor>, y: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    (x.sigmoid() - y.tanh(), x.relu())
});
program!(one_output, (_graph: &Graph, x: On<Server, Tensor>, y: On<Server, Tensor>) -> On<Server, Tensor> {
    x.sigmoid() - y.tanh()
});
program!(other_statements, (_graph: &Graph, x: On<Server, Tensor>, y: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    let second = x.relu();
    let right = y.tanh();
    (x.sigmoid() - right, second)
});
program!(outputs_swapped, (_graph: &Graph, x: On<Server, Tensor>, y: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    (x.relu(), x.sigmoid() - y.tanh())
});
program!(operands_swapped, (_graph: &Graph, x: On<Server, Tensor>, y: On<Server, Tensor>) -> (On<Server, Tensor>, On<Server, Tensor>) {
    (y.tanh() - x.sigmoid(), x.relu())
});

#[test]
fn every_sort_of_change_has_its_sentences() {
    let pairs: [(&str, Compiled, Compiled, &[&str]); 16] = [
        ("nothing", compile(plain::program), compile(plain::program), &[]),
        ("one op more", compile(plain::program), compile(one_op_more::program), &["`Exp` on `Server` is new"]),
        ("one op less", compile(one_op_more::program), compile(plain::program), &["`Exp` on `Server` is gone"]),
        (
            "one more of an op",
            compile(plain::program),
            compile(same_op_more::program),
            &[
                "`Relu` on `Client` is new",
                "the output that was what comes over the wire `Server` -> `Client` is `Relu` on `Client`",
            ],
        ),
        (
            "one wire more",
            compile(plain::program),
            compile(one_wire_more::program),
            &[
                "`deadline` of the wire `Server` -> `Client` is 60s instead of 30s",
                "the wire `Client` -> `Server` of f32[..] is new",
                "`origin` on `Client` is new",
                "the output that was what comes over the wire `Server` -> `Client` is what comes over the wire `Client` -> `Server`",
            ],
        ),
        (
            "a class is renamed",
            compile(plain::program),
            compile(to_another::program),
            &["the class `Client` is called `Edge`"],
        ),
        (
            "a type",
            compile(plain::program),
            compile(typed::program),
            &[
                "the input `x` is f32[N] instead of f32[..]",
                "the wire `Server` -> `Client` carries f32[N] instead of f32[..]",
            ],
        ),
        (
            "an input",
            compile(plain::program),
            compile(another_input::program),
            &["the input `y`, f32[..], is new", "the input `x`, f32[..], is gone"],
        ),
        (
            "a deadline",
            compile(waits::program),
            compile(waits_less::program),
            &["`within` of `gather` on `Server` is 1s instead of 30s"],
        ),
        (
            "a need",
            compile(waits::program),
            compile(waits_for_two::program),
            &[
                "`need` of `gather` on `Server` is 2 instead of 0.5",
                "`need_kind` of `gather` on `Server` is \"first\" instead of \"fraction\"",
            ],
        ),
        ("a method", compile(keeps::program), compile(mixes::program), &["`cell.keep` is `cell.mix` now on `Client`"]),
        (
            "a slot",
            compile(keeps::program),
            compile(keeps_elsewhere::program),
            &[
                "`Client` needs `box_`, a `bb.Keeper`",
                "`Client` needs `cell`, a `bb.Keeper`, no more",
                "`cell.keep` is `box_.keep` now on `Client`",
            ],
        ),
        (
            "an output dropped",
            compile(two_outputs::program),
            compile(one_output::program),
            &["`Relu` on `Server` is gone", "the output `Relu` on `Server` is gone"],
        ),
        (
            "outputs swapped",
            compile(two_outputs::program),
            compile(outputs_swapped::program),
            &["the outputs come in another order: `Relu` on `Server`, `Sub` on `Server`"],
        ),
        (
            "operands swapped",
            compile(two_outputs::program),
            compile(operands_swapped::program),
            &[
                "`Sub` on `Server` reads `Tanh` on `Server` instead of `Sigmoid` on `Server`",
                "`Sub` on `Server` reads `Sigmoid` on `Server` instead of `Tanh` on `Server`",
            ],
        ),
        ("other statements", compile(two_outputs::program), compile(other_statements::program), &[]),
    ];
    for (what, before, after, expected) in pairs {
        assert_eq!(sentences(&before, &after), expected, "{what}");
    }
}

#[test]
fn a_sentence_says_where_and_digests_are_told_apart() {
    let difference = compile(plain::program).difference(&compile(one_op_more::program));
    let said = difference.to_string();
    let [change, digests] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(change.starts_with("`Exp` on `Server` is new (tests/differences.rs:"), "{change}");
    assert!(digests.starts_with("peers of the two builds do not meet: "), "{digests}");
    // Another order of statements is another build, and means the same.
    let difference = compile(two_outputs::program).difference(&compile(other_statements::program));
    assert!(difference.is_empty() && difference.digests.is_some(), "{difference}");
}

#[test]
fn one_artifact_alone_is_compared_and_knows_its_wires() {
    let model = |of: &Compiled, class: &str| {
        let parts = &of.output.as_ref().expect("it compiles").partitions;
        parts.iter().find(|p| p.class == class).expect("it takes part").model.clone()
    };
    let before = compile(plain::program);
    let server = model(&before, "Server");
    let mut triggers = server.clone();
    for node in triggers.functions[0].node.iter_mut().filter(|n| is_send(n) || is_recv(n)) {
        stamp_wire_transport(node, Transport::TriggerOnly);
    }
    let expected = ["`transport` of the wire `Server` -> `Client` is trigger only instead of data"];
    assert_eq!(said(&Difference::of([&server], [&triggers])), expected);
    let client = model(&compile(typed::program), "Client");
    let carries = ["the wire `Server` -> `Client` carries f32[N] instead of f32[..]"];
    assert_eq!(said(&Difference::of([&model(&before, "Client")], [&client])), carries);
}

#[test]
fn programs_are_what_they_are_whatever_their_names_are() {
    let all = [compile(round), compile(two_rounds), compile(scored), compile(gossip), compile(diamond), compile(kept)];
    for program in &all {
        assert_eq!(program.difference(program), Difference::default());
        let mut parts: Vec<_> = program.output.as_ref().expect("it compiles").partitions.iter().collect();
        let mut renamed: Vec<_> = parts.iter().map(|p| p.model.clone()).collect();
        for function in renamed.iter_mut().flat_map(|model| &mut model.functions) {
            let inputs = function.input.clone();
            let rename = |name: &mut String| {
                if !name.is_empty() && !inputs.contains(name) {
                    name.insert_str(0, "another_");
                }
            };
            for node in &mut function.node {
                node.name = Some(format!("another_{}", node.name()));
                node.input.iter_mut().chain(&mut node.output).for_each(rename);
            }
            function.output.iter_mut().for_each(rename);
            for info in &mut function.value_info {
                let mut name = info.name().to_owned();
                rename(&mut name);
                info.name = Some(name);
            }
        }
        parts.reverse();
        renamed.rotate_left(1);
        let difference = Difference::of(parts.iter().map(|p| &p.model), &renamed);
        assert_eq!(difference.changes, [], "{}", program.recorded.name);
    }
    let between: Vec<String> = said(&all[0].difference(&all[3]));
    assert_eq!(between[0], "the program `round` is called `gossip`");
}
