//! What the recorder refuses, beside what `ui-tests/replay` shows.
#![allow(missing_docs)]

use bb::prelude::*;
use std::cell::Cell;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

fn codes(r: &bb::Recorded) -> Vec<&str> {
    r.diagnostics.iter().map(|d| d.code).collect()
}

thread_local!(static KEPT: Cell<Option<On<Server, Tensor>>> = const { Cell::new(None) });

#[bb::module]
fn keeps(x: On<Server, Tensor>) -> On<Server, Tensor> {
    KEPT.set(Some(x));
    x.relu()
}
#[bb::module]
fn uses_what_another_keeps(x: On<Server, Tensor>) -> On<Server, Tensor> {
    keeps(x) + KEPT.get().expect("kept")
}

#[test]
fn a_value_of_another_module() {
    let r = bb::record(|_: &Graph, x: On<Server, Tensor>| uses_what_another_keeps(x));
    assert_eq!(codes(&r), ["BB0201"]);
    assert_eq!(r.diagnostics[0].module.as_deref(), Some("uses_what_another_keeps"));
    assert!(r.diagnostics[0].at.as_ref().is_some_and(|at| at.file == "tests/faults.rs"));
}

#[test]
fn a_value_of_a_recording_before() {
    let kept = Cell::new(None);
    bb::record(|_: &Graph, x: On<Server, Tensor>| kept.replace(Some(x)).unwrap_or(x));
    let r = bb::record(|_: &Graph, x: On<Server, Tensor>| x + kept.get().expect("kept"));
    assert_eq!(codes(&r), ["BB0201"]);
}

#[bb::module]
fn closes_a_parameter(back: On<Server, Gathered<Tensor>>) -> On<Server, Tensor> {
    let lanes: On<Server, Gathered<Tensor>> = back.each(|x| x * 2.0);
    lanes.mean() + back.quorum(0.5).mean()
}
#[bb::module]
fn passes_a_gather(graph: &Graph, cohort: On<Server, Peers<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let there = graph.wire(x, cohort);
    closes_a_parameter(graph.wire(there, there.sender::<Server>()))
}

#[test]
fn a_gather_that_came_in_as_a_parameter_is_settled() {
    let r = bb::record(passes_a_gather);
    assert_eq!(codes(&r), ["BB0208", "BB0208"]);
}

#[bb::module]
fn mixes_lanes(graph: &Graph, cohort: On<Server, Peers<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let there = graph.wire(x, cohort);
    let back = || graph.wire(there, there.sender::<Server>());
    let mut kept = None;
    let first = back().each(|y| {
        kept = Some(y);
        y
    });
    first.mean() + back().each(|z| z + kept.expect("the body of each runs once")).mean()
}

/// No peer is another one here, and nothing is to be sent.
#[test]
fn a_value_of_a_lane_in_another_each() {
    let r = bb::record(mixes_lanes);
    assert_eq!(codes(&r), ["BB0210"]);
    let text = r.diagnostics[0].to_string();
    assert!(text.contains("is of a lane of another `.each`, which it has left"), "{text}");
    assert!(text.contains("help: give it back from its own `.each`"), "{text}");
}

#[bb::module]
fn asks(graph: &Graph, to: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Client, Tensor> {
    graph.wire(x, to)
}
#[bb::module]
fn answers(graph: &Graph, to: On<Server, Peer<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let there = asks(graph, to, x);
    graph.wire(there, there.sender::<Server>())
}

#[test]
fn the_sender_of_what_a_called_module_took_off_a_wire() {
    let r = bb::record(answers);
    assert_eq!(codes(&r), ["BB0203"]);
    let text = r.diagnostics[0].to_string();
    assert!(text.contains("this value came off a wire in `asks`: who sent it is known only there"), "{text}");
    assert!(text.contains("help: let `asks` give the sender as well: `value.sender::<Server>()`"), "{text}");
}

#[bb::module]
fn panics(x: On<Server, Tensor>) -> On<Server, Tensor> {
    assert!(std::hint::black_box(false), "on purpose");
    x
}

/// The recorder is the thread's: what panicked before leaves nothing behind.
#[test]
fn a_panic_while_recording_leaves_the_recorder_as_it_was() {
    let outer = bb::record(|_: &Graph, x: On<Server, Tensor>| {
        let inner = std::panic::catch_unwind(|| bb::record(|_: &Graph, x: On<Server, Tensor>| panics(x)));
        assert!(inner.is_err());
        x.relu()
    });
    assert_eq!(codes(&outer), [""; 0]);
    assert_eq!(outer.model.functions[0].node.len(), 1);
}
