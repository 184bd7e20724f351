//! Ten small programs in three stages: snapshots of their text, beside the facts that each is to show.
#![allow(missing_docs)]

#[path = "../snapshot_programs/mod.rs"]
mod snapshot_programs;
mod stages;

use bb::ir::keys;
use bb::ir::views::Metadata;
use bb::ir::wire_shape::{Gather, Operand, Transport, read_wire_transport};
use snapshot_programs::*;
use stages::Stages;

#[test]
fn federated_average() {
    let it = Stages::of(bb::record(round));
    assert_eq!(it.classes(), ["Server", "Client"]);
    assert_eq!(it.places(), ["Server|one|entry", "Client|each|cohort"]);
    assert_eq!(it.wires(), ["Server -> Client, 60 s", "Client -> Server, 30 s"]);
    assert_eq!(it.ops("Server"), ["params", "Send", "Recv", "Gather", "fold"], "policies nobody reads are gone");
    assert_eq!(it.ops("Client"), ["Recv", "train", "Send"]);
    assert_eq!(it.main("Server").input, ["start", "cohort", "quorum"]);
    assert_eq!((it.main("Server").output.len(), it.main("Client").output.len()), (1, 0));
    assert_eq!(it.node("Server", "Recv").metadata(keys::AWAITS_KEY), Some("0"));
}

#[test]
fn gossip_between_equals() {
    let it = Stages::of(bb::record(gossip));
    assert_eq!((it.classes(), it.sealed.partitions[0].name()), (vec!["Node"], "gossip"));
    assert_eq!(it.places(), ["Node|one|entry", "Node|one|neighbour"]);
    assert_eq!(it.wires(), ["Node -> Node, 60 s", "Node -> Node, 30 s"]);
    let place = |op| it.node("Node", op).metadata(keys::PLACE_KEY);
    assert_eq!((place("get"), place("Add")), (Some("0"), Some("0")), "the entry is place 0");
    assert_eq!(place("mix"), Some("1"), "the neighbour is another peer of the class");
}

#[test]
fn split_inference_over_three_classes() {
    let it = Stages::of(bb::record(split));
    assert_eq!(it.classes(), ["Edge", "Left", "Right"], "the entry's class comes first");
    assert_eq!(it.wires(), ["Edge -> Left, 90 s", "Left -> Right, 30 s", "Right -> Edge, 30 s"]);
    assert_eq!(it.ops("Edge"), ["Relu", "Send", "Recv"]);
    assert_eq!(it.ops("Left"), ["Recv", "Tanh", "Send"]);
    assert_eq!(it.ops("Right"), ["Recv", "Softmax", "origin", "Send"]);
    assert_eq!(it.places()[2], "Right|one|far", "the peer that came over a wire is the one the entry named");
    assert_eq!(it.node("Edge", "Send").metadata(keys::CHAIN_TARGETS_KEY), Some("Left,Right"));
}

#[test]
fn request_and_reply() {
    let it = Stages::of(bb::record(request));
    assert_eq!(it.classes(), ["Server", "Client"]);
    assert_eq!(it.wires(), ["Server -> Client, 60 s", "Client -> Server, 30 s"]);
    assert_eq!(it.ops("Client"), ["Recv", "Exp", "Send"]);
    assert_eq!(it.main("Client").input, ["start"], "it comes over a wire, not from a call");
    assert_eq!(it.main("Client").output.len(), 0);
}

#[test]
fn scatter_and_gather_with_a_deadline() {
    let it = Stages::of(bb::record(scatter));
    assert_eq!(it.places(), ["Server|one|entry", "Client|each|cohort"]);
    assert_eq!(it.wires(), ["Server -> Client, 90 s", "Client -> Server, 90 s"], "as long as the gather waits");
    let gathers: Vec<Gather> = it.main("Server").node.iter().filter_map(Gather::cast).collect();
    assert_eq!(gathers.len(), 1, "what is counted is what the mean is of");
    assert_eq!(gathers[0].within_ns(), Some(Operand::Constant(90_000_000_000)));
    assert_eq!(it.main("Server").output.len(), 2);
}

#[test]
fn nested_sub_modules_with_wires_inside() {
    let it = Stages::of(bb::record(nested));
    assert_eq!(it.functions(), ["nested", "off", "request", "twice"], "recorded once, called wherever they are called");
    let (there, back) = ("Server -> Client, 60 s", ["Client -> Server, 60 s", "Client -> Server, 30 s"]);
    assert_eq!(it.wires(), [there, back[0], there, back[1]], "every call has its own; the client is asked once more");
    let calls: Vec<_> = it.main("Client").node.iter().filter(|n| n.op_type() == "Exp").collect();
    let instance = |at: usize| calls[at].metadata(keys::MODULE_INSTANCE_KEY);
    assert_eq!((instance(0), instance(1)), (Some("nested/off/request"), Some("nested/request")));
    assert_eq!(it.ops("Server"), ["twice", "Send", "Recv", "Sub", "Send", "Recv"], "without a wire it stays a call");
    let server = &it.sealed.partitions[0].model;
    assert_eq!(server.functions.iter().map(|f| f.name()).collect::<Vec<_>>(), ["nested_Server", "twice"]);
}

#[test]
fn a_join_of_two_wires() {
    let it = Stages::of(bb::record(join));
    assert_eq!(it.classes(), ["Server", "Client", "Node"]);
    assert_eq!(it.places(), ["Server|one|entry", "Client|one|to", "Node|one|by"]);
    let wires = it.wires();
    assert_eq!(
        wires[..2],
        ["Server -> Client, 60 s", "Server -> Node, 90 s"],
        "as many hops as there are until it is back"
    );
    assert_eq!(wires[2..], ["Node -> Client, 30 s", "Client -> Server, 30 s"], "nothing comes back to `Node`");
    assert_eq!(it.ops("Client"), ["Recv", "Recv", "Sub", "Send"], "one op waits for both");
    assert_eq!(it.node("Client", "Sub").metadata(keys::PLACE_KEY), Some("1"), "both wires arrive at one place");
}

#[test]
fn a_diamond() {
    let it = Stages::of(bb::record(diamond));
    assert_eq!(it.classes(), ["Edge", "Left", "Right", "Head"]);
    let wires = it.wires();
    assert_eq!(wires[..2], ["Edge -> Left, 90 s", "Edge -> Right, 90 s"]);
    assert_eq!(wires[2..], ["Left -> Head, 30 s", "Right -> Head, 30 s", "Head -> Edge, 30 s"]);
    assert_eq!(it.ops("Head"), ["Recv", "Recv", "Concat", "Softmax", "origin", "Send"]);
    assert_eq!(it.places()[3], "Head|one|head", "both were told of it, so it is one place");
    let groups: Vec<_> = it.main("Edge").node.iter().filter_map(|n| n.metadata(keys::BATCH_GROUP_KEY)).collect();
    assert_eq!(groups, ["0", "1"], "two peers are two envelopes");
}

#[test]
fn a_bootstrap_is_beside_the_root_and_beside_each_part() {
    let it = Stages::of(bb::record(kept));
    assert_eq!(it.functions(), ["kept", "kept__bootstrap"]);
    assert_eq!(it.wires(), ["Server -> Client, 30 s"]);
    assert_eq!(
        (it.ops("Server"), it.ops("Client")),
        (vec!["keep", "Send"], vec!["Recv", "keep"]),
        "calls do not do it"
    );
    let beside = |part: usize| -> Vec<String> {
        let [_, bootstrap] = &it.sealed.partitions[part].model.functions[..] else { panic!("a main and a bootstrap") };
        assert_eq!(bootstrap.metadata(keys::MODULE_PHASE_KEY), Some(keys::MODULE_PHASE_BOOTSTRAP));
        bootstrap.node.iter().map(|n| n.op_type().to_owned()).collect()
    };
    assert_eq!(beside(0), ["cells", "Constant", "Add", "open"]);
    assert_eq!(beside(1), ["cells", "open", "clock", "metric"]);
}

#[test]
fn a_send_to_oneself() {
    let it = Stages::of(bb::record(self_send));
    assert_eq!((it.classes(), it.places()), (vec!["Node"], vec!["Node|one|entry"]), "it is the very place it leaves");
    assert_eq!(it.wires(), ["Node -> Node, 30 s"]);
    let [from, to] = [keys::FROM_PLACE_KEY, keys::TO_PLACE_KEY].map(|key| it.node("Node", "Send").metadata(key));
    assert_eq!((from, to), (Some("0"), Some("0")));
    assert_eq!(read_wire_transport(it.node("Node", "Recv")), Some(Transport::Data));
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    let bytes = |recorded: &bb::Recorded| -> Vec<_> {
        let output = bb::Compiler::new().compile(&recorded.model).expect("it compiles");
        output.partitions.iter().map(|p| bb::ir::artifact::write(&p.model)).collect()
    };
    for (first, second) in ten().iter().zip(&ten()) {
        let artifacts = bytes(first);
        assert!(!artifacts.is_empty());
        assert_eq!(artifacts, bytes(second), "{}", first.name);
    }
}
