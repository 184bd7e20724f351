//! Six small programs, recorded and sliced: each a snapshot of its text, beside the facts it is to show.
#![allow(missing_docs)]

mod snapshot_programs;

use bb::ir::keys;
use bb::ir::proto::onnx::{FunctionProto, NodeProto};
use bb::ir::text::print;
use bb::ir::views::Metadata;
use bb::ir::wire_shape::{is_recv, is_send};
use snapshot_programs::*;

/// A compiled program, and what is asked of its parts.
struct Sliced(bb::Compiled);

impl Sliced {
    /// Compiles, and compares the recording and each class's piece with their snapshots.
    fn of(compiled: bb::Compiled) -> Self {
        assert_eq!(compiled.diagnostics, []);
        let name = compiled.recorded.name.clone();
        insta::assert_snapshot!(format!("{name}.recorded"), print(&compiled.recorded.model));
        for partition in &compiled.output.as_ref().expect("it compiles").partitions {
            insta::assert_snapshot!(format!("{name}.{}", partition.class), print(&partition.model));
        }
        Sliced(compiled)
    }
    fn classes(&self) -> Vec<&str> {
        self.0.artifacts.iter().map(|a| a.class.as_str()).collect()
    }
    fn main(&self, class: &str) -> &FunctionProto {
        let output = self.0.output.as_ref().expect("it compiles");
        output.partitions.iter().find(|p| p.class == class).expect("the class takes part").main()
    }
    fn count(&self, class: &str, is: impl Fn(&NodeProto) -> bool) -> usize {
        self.main(class).node.iter().filter(|n| is(n)).count()
    }
    fn wires(&self, class: &str) -> (usize, usize) {
        (self.count(class, is_send), self.count(class, is_recv))
    }
    fn recorded(&self) -> &FunctionProto {
        &self.0.recorded.model.functions[0]
    }
}

fn op(name: &str) -> impl Fn(&NodeProto) -> bool {
    move |n| n.op_type() == name
}

#[test]
fn federated_averaging() {
    let it = Sliced::of(bb::compile(round));
    assert_eq!(it.classes(), ["Server", "Client"]);
    assert_eq!(it.main("Server").input, ["start", "cohort", "quorum"]);
    assert_eq!((it.wires("Server"), it.wires("Client")), ((1, 1), (1, 1)));
    assert_eq!(it.count("Server", op("Gather")), 1, "policies nobody reads are gone");
    assert_eq!((it.count("Server", op("train")), it.count("Client", op("train"))), (0, 1));
    assert_eq!(it.main("Client").output.len(), 0);
}

#[test]
fn a_module_with_a_wire_called_twice() {
    let it = Sliced::of(bb::compile(two_rounds));
    let calls: Vec<_> = it.recorded().node.iter().filter(|n| op("round")(n)).collect();
    assert_eq!((calls.len(), it.0.recorded.model.functions.len()), (2, 2), "recorded once, called twice");
    assert_eq!((it.wires("Server"), it.wires("Client")), ((2, 2), (2, 2)), "every call has its own wires");
    let instances: Vec<_> = it.main("Client").node.iter().filter(|n| op("train")(n)).collect();
    let instance = |n: &NodeProto| n.metadata(keys::MODULE_INSTANCE_KEY).map(str::to_owned);
    assert_eq!(instances.len(), 2);
    assert_ne!(instance(instances[0]), instance(instances[1]));
    assert_eq!(it.main("Server").output.len(), 2);
}

#[test]
fn inside_each() {
    let it = Sliced::of(bb::compile(scored));
    assert_eq!(it.count("Server", |n| op("Sub")(n) && n.metadata(keys::LANE_KEY).is_some()), 2);
    assert_eq!(it.count("Server", op("Gather")), 2);
    assert_eq!((it.wires("Server"), it.wires("Client")), ((2, 2), (2, 2)));
    let reply = |n: &NodeProto| is_send(n) && n.metadata(keys::LANE_KEY) == Some("1");
    assert_eq!(it.count("Server", reply), 1, "the reply leaves the lane of the wire that brought the value");
}

#[test]
fn gossip_of_two_neighbours() {
    let it = Sliced::of(bb::compile(gossip));
    assert_eq!(it.classes(), ["Node"]);
    assert_eq!(it.wires("Node"), (2, 2));
    let place = |name: &str| {
        let node = it.main("Node").node.iter().find(|n| op(name)(n)).expect("it is there");
        node.metadata_number::<u32>(keys::PLACE_KEY)
    };
    assert_eq!((place("get"), place("Add")), (Some(0), Some(0)), "the entry is place 0");
    assert_ne!(place("mix"), Some(0), "the neighbour is another peer of the class");
}

#[test]
fn split_inference_joins_at_the_head() {
    let it = Sliced::of(bb::compile(split));
    assert_eq!(it.classes()[0], "Edge", "the entry's class comes first");
    assert_eq!(it.classes().len(), 4);
    assert_eq!(it.wires("Head"), (1, 2));
    let recvs: Vec<_> = it.main("Head").node.iter().filter(|n| is_recv(n)).collect();
    let place = |n: &NodeProto| n.metadata(keys::TO_PLACE_KEY).map(str::to_owned);
    assert_eq!(place(recvs[0]), place(recvs[1]), "both wires arrive at one place");
    assert_eq!(it.count("Head", op("Concat")), 1);
}

#[test]
fn a_bootstrap_is_beside_the_root_and_beside_each_part() {
    let it = Sliced::of(bb::compile(kept));
    assert_eq!(it.classes(), ["Server", "Client"]);
    let beside = |class: &str| -> Vec<String> {
        let output = it.0.output.as_ref().expect("it compiles");
        let partition = output.partitions.iter().find(|p| p.class == class).expect("the class takes part");
        let [_, bootstrap] = &partition.model.functions[..] else { panic!("a main and a bootstrap") };
        assert_eq!(bootstrap.metadata(keys::MODULE_PHASE_KEY), Some(keys::MODULE_PHASE_BOOTSTRAP));
        bootstrap.node.iter().map(|n| n.op_type().to_owned()).collect()
    };
    assert_eq!(beside("Server"), ["cells", "Constant", "Add", "open"]);
    assert_eq!(beside("Client"), ["cells", "open", "clock", "metric"]);
    assert_eq!(it.count("Server", |n| n.op_type() == "open"), 0, "calls do not do it");
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    for compile in [
        || bb::compile(round),
        || bb::compile(two_rounds),
        || bb::compile(scored),
        || bb::compile(gossip),
        || bb::compile(split),
        || bb::compile(kept),
    ] {
        let (first, second) = (compile(), compile());
        assert!(!first.artifacts.is_empty());
        assert_eq!(first.artifacts, second.artifacts, "{}", first.recorded.name);
    }
}
