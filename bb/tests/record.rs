//! What a module is when it is recorded.
#![allow(missing_docs)]

mod snapshot_programs;

use bb::ir::ops::{MODULE_DOMAIN, WIRE_DOMAIN};
use bb::ir::proto::onnx::{FunctionProto, NodeProto};
use bb::ir::views::{Attributes, Metadata, control_inputs};
use bb::ir::{bindings, keys};
use bb::prelude::*;
use snapshot_programs::{Client, Server, clipped, generic, gossip, round, two_rounds};

/// Every member is answered in its lane, and answers once more.
#[bb::module]
fn twice_asked(graph: &Graph, cohort: On<Server, Peers<Client>>, x: On<Server, Tensor>) -> On<Server, Tensor> {
    let there = graph.wire(x, cohort);
    let mut again = None;
    let first = graph.wire(there, there.sender::<Server>()).each(|y| {
        let reply: On<Each<Client>, Tensor> = graph.wire(y * x, y.sender());
        again = Some(reply);
        y
    });
    let reply = again.expect("the body of each runs once");
    first.mean() + graph.wire(reply.relu(), reply.sender::<Server>()).mean()
}

fn nodes<'a>(f: &'a FunctionProto, op: &str) -> Vec<&'a NodeProto> {
    f.node.iter().filter(|n| n.op_type() == op).collect()
}
fn function<'a>(r: &'a bb::Recorded, name: &str) -> &'a FunctionProto {
    r.model.functions.iter().find(|f| f.name() == name).expect("recorded")
}

#[test]
fn the_round_of_federated_averaging() {
    let r = bb::record(round);
    assert_eq!(r.diagnostics, []);
    assert_eq!((r.name.as_str(), r.entry()), ("round", Some("Server")));
    let root = &r.model.functions[0];
    assert_eq!(root.input, ["start", "cohort", "quorum"]);
    assert_eq!(root.output.len(), 1);
    let ops: Vec<&str> = root.node.iter().map(|n| n.op_type()).collect();
    assert_eq!(ops, ["params", "Send", "train", "Send", "Gather", "Gather", "Gather", "fold"]);

    let params = nodes(root, "params")[0];
    assert_eq!((params.input.as_slice(), control_inputs(params)), (&["start".to_owned()][..], 1));
    assert_eq!(params.metadata(keys::SLOT_ID_KEY), Some("3"));
    assert_eq!(params.metadata(keys::REQUIRED_TRAIT_KEY), Some("Aggregator"));
    assert_eq!(nodes(root, "train")[0].metadata(keys::SLOT_ID_KEY), Some("2"));

    let sends = nodes(root, "Send");
    assert_eq!(sends[0].input, [params.output[0].clone(), "cohort".into()]);
    // The reply goes to the sender of what came, by name.
    assert_eq!(sends[1].input[2], sends[0].output[1]);
    assert_eq!(sends[1].overload(), "2");
    assert_eq!(
        [0, 1].map(|i| sends[i].metadata(keys::WIRE_ID_KEY).map(str::to_owned)),
        [Some("0".into()), Some("1".into())]
    );

    // Each policy records a gather of its own; the last has both.
    let gather = nodes(root, "Gather")[2];
    assert_eq!(gather.input, [sends[1].output[0].clone(), sends[1].output[1].clone(), "quorum".into()]);
    assert_eq!(nodes(root, "fold")[0].input, gather.output);
    assert!(root.metadata(&bindings::binding_key("Client", "trainer")).is_some());
}

#[test]
fn a_module_is_recorded_once_and_called_twice() {
    let r = bb::record(two_rounds);
    assert_eq!(r.diagnostics, []);
    let root = &r.model.functions[0];
    let calls = nodes(root, "round");
    assert_eq!((calls.len(), calls[0].domain()), (2, MODULE_DOMAIN));
    assert_eq!(r.model.functions.iter().filter(|f| f.name() == "round").count(), 1);
    assert_eq!(calls[0].input[0], "start");
    assert_eq!(calls[1].input[0], calls[0].output[0], "the second starts when the first is there");
    assert_eq!(calls[0].metadata(keys::SLOT_MAP_KEY), Some("2=2,3=3"));
}

#[test]
fn inside_each_ops_run_in_the_lanes_of_the_wire() {
    let r = bb::record(clipped);
    assert_eq!(r.diagnostics, []);
    let root = &r.model.functions[0];
    for op in ["clip", "Mul"] {
        assert_eq!(nodes(root, op)[0].metadata(keys::LANE_KEY), Some("1"), "{op}");
    }
    let sends = nodes(root, "Send");
    assert_eq!(sends[2].metadata(keys::LANE_KEY), Some("1"), "a reply leaves the lane");
    assert_eq!(sends[2].input[1], sends[1].output[1], "to the lane's member");
    let gather = nodes(root, "Gather").into_iter().next_back().expect("recorded");
    assert_eq!(gather.input[0], nodes(root, "clip")[0].output[0]);
}

#[test]
fn what_a_lane_replied_to_comes_home_again() {
    let r = bb::record(twice_asked);
    assert_eq!(r.diagnostics, []);
    let sends = nodes(&r.model.functions[0], "Send");
    assert_eq!(sends.len(), 4);
    assert_eq!(sends[3].input[1], sends[2].output[1], "to the sender of the reply");
    assert_eq!(sends[3].metadata(keys::LANE_KEY), None);
}

#[test]
fn a_peer_of_the_own_class_and_the_origin() {
    let r = bb::record(gossip);
    assert_eq!(r.diagnostics, []);
    let root = &r.model.functions[0];
    let sends = nodes(root, "Send");
    assert_eq!(sends[1].input[1], nodes(root, "origin")[0].output[0]);
    assert!(sends.iter().all(|s| s.domain() == WIRE_DOMAIN));
}

#[test]
fn a_generic_module_is_one_function_per_placement() {
    let r = bb::record(generic);
    assert_eq!(r.diagnostics, []);
    let overloads: Vec<&str> = r.model.functions.iter().filter(|f| f.name() == "twice").map(|f| f.overload()).collect();
    assert_eq!(overloads.len(), 2);
    assert_ne!(overloads[0], overloads[1]);
    assert_eq!(function(&r, "twice").node.len(), 3);
}

/// `onnx.checker` and onnxruntime take no negative ones there.
#[test]
fn axes_of_a_transpose_count_from_the_front() {
    let r = bb::record(|_: &Graph, x: On<Server, Tensor>| -> On<Server, Tensor> { x.transpose(&[0, -1, -2]) });
    let root = &r.model.functions[0];
    assert_eq!(nodes(root, "Transpose")[0].attr_ints("perm"), Some(&[0, 2, 1][..]));
}
