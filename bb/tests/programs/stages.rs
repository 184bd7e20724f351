//! A program as it was recorded, after the cut and sealed: each kept as text, and what holds of every program.

use bb::Recorded;
use bb::ir::gates::{DeadlineCheck, is_gate};
use bb::ir::keys;
use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb::ir::text::print;
use bb::ir::verify::{Level, verify};
use bb::ir::views::Metadata;
use bb::ir::wire_shape::{Recv, Send, is_recv, is_send};
use bb_compiler::Output;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub struct Stages {
    pub recorded: Recorded,
    pub cut: Vec<ModelProto>,
    pub sealed: Output,
}

impl Stages {
    /// Compiles, and compares each stage with its snapshot.
    pub fn of(recorded: Recorded) -> Self {
        assert_eq!(recorded.diagnostics, []);
        let cut: Rc<RefCell<Vec<ModelProto>>> = Rc::default();
        let kept = Rc::clone(&cut);
        let compiler = bb::Compiler::new().with_observer(move |pass, models| {
            if pass == "partition_by_wire_ops" {
                *kept.borrow_mut() = models.iter().map(|model| (*model).clone()).collect();
            }
        });
        let sealed = compiler.compile(&recorded.model).unwrap_or_else(|e| panic!("{}: {e}", recorded.name));
        assert_eq!(sealed.warnings, [], "{}", recorded.name);
        drop(compiler);
        let it = Stages { recorded, cut: cut.take(), sealed };
        it.compare();
        it.facts_of_all();
        it
    }

    fn compare(&self) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/snapshots"));
        let mut keep = |stage: &str, what: &str, models: &[&ModelProto]| {
            let text: Vec<String> = models.iter().map(|model| print(model)).collect();
            settings.set_description(what);
            let name = format!("{}.{stage}", self.recorded.name);
            settings.bind(|| insta::assert_snapshot!(name, text.join("\n")));
        };
        keep("1-recorded", "as it was recorded", &[&self.recorded.model]);
        keep("2-cut", "after the cut, a model per class", &self.cut.iter().collect::<Vec<_>>());
        let sealed: Vec<&ModelProto> = self.sealed.partitions.iter().map(|p| &p.model).collect();
        keep("3-sealed", "sealed, an artifact per class", &sealed);
    }

    fn facts_of_all(&self) {
        assert_eq!(self.cut.len(), self.sealed.partitions.len());
        let sealed = || self.sealed.partitions.iter().map(|p| &p.model);
        let stages = std::iter::once((Level::Recorded, &self.recorded.model))
            .chain(self.cut.iter().map(|model| (Level::Cut, model)))
            .chain(sealed().map(|model| (Level::Sealed, model)));
        for (level, model) in stages {
            assert_eq!(verify(model, level), [], "{level:?}");
            model.functions.iter().for_each(names_are_unique);
        }
        assert!(self.cut.iter().flat_map(|m| &m.functions[0].node).all(|n| !is_gate(n)), "gates come later");
        for models in [self.cut.iter().collect::<Vec<_>>(), sealed().collect()] {
            every_wire_has_two_halves(&models, self.sealed.analysis.wire_edges.len());
        }
        let recvs: BTreeMap<u64, Recv> = sealed().flat_map(|m| recvs(&m.functions[0])).collect();
        for main in sealed().map(|m| &m.functions[0]) {
            for send in main.node.iter().filter_map(Send::cast) {
                arrives(send, &recvs[&send.wire_id().expect("checked above")]);
                guarded_before(main, send);
            }
            main.node.iter().filter(|n| is_recv(n)).for_each(|recv| guarded_behind(main, recv));
        }
    }

    /// Each wire in the order of ids: its classes, and how long a message on it may take.
    pub fn wires(&self) -> Vec<String> {
        let edges = self.sealed.analysis.wire_edges.iter();
        let deadline = |class: &str, wire: u64| {
            let mut sends = self.main(class).node.iter().filter_map(Send::cast);
            let send = sends.find(|send| send.wire_id() == Some(wire)).expect("it is sent from there");
            send.deadline_ns().expect("every Send has one") / 1_000_000_000
        };
        edges
            .map(|e| format!("{} -> {}, {} s", e.producer_role, e.consumer_role, deadline(&e.producer_role, e.wire_id)))
            .collect()
    }
    pub fn classes(&self) -> Vec<&str> {
        self.sealed.partitions.iter().map(|p| p.class.as_str()).collect()
    }
    /// Rows of the table of places.
    pub fn places(&self) -> Vec<&str> {
        let row = |n: usize| self.sealed.program.metadata(&format!("{}{n}", keys::PLACE_TABLE_PREFIX));
        (0..).map_while(row).collect()
    }
    pub fn main(&self, class: &str) -> &FunctionProto {
        self.sealed.partitions.iter().find(|p| p.class == class).expect("the class takes part").main()
    }
    /// What a class does, gates aside.
    pub fn ops(&self, class: &str) -> Vec<&str> {
        self.main(class).node.iter().filter(|n| !is_gate(n)).map(|n| n.op_type()).collect()
    }
    /// The first node of an op.
    pub fn node(&self, class: &str, op: &str) -> &NodeProto {
        self.main(class).node.iter().find(|n| n.op_type() == op).expect("the class has that op")
    }
    /// The names of what it calls and of what these call, as they were recorded.
    pub fn functions(&self) -> Vec<&str> {
        self.recorded.model.functions.iter().map(|f| f.name()).collect()
    }
}

fn names_are_unique(function: &FunctionProto) {
    let names = function.node.iter().map(|n| n.name());
    let values = function.input.iter().chain(function.node.iter().flat_map(|n| &n.output)).map(String::as_str);
    for all in [names.collect::<Vec<_>>(), values.collect()] {
        assert!(all.iter().all(|name| !name.is_empty()), "{}", function.name());
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{}", function.name());
    }
}

fn recvs(main: &FunctionProto) -> impl Iterator<Item = (u64, Recv<'_>)> {
    main.node.iter().filter_map(Recv::cast).map(|recv| (recv.wire_id().expect("a Recv has a wire"), recv))
}

fn every_wire_has_two_halves(models: &[&ModelProto], wires: usize) {
    let nodes = || models.iter().flat_map(|m| &m.functions[0].node);
    for half in [is_send, is_recv] {
        let halves = nodes().filter(|n| half(n)).map(|n| bb::ir::wire_shape::read_wire_id(n).expect("its wire"));
        let mut halves: Vec<u64> = halves.collect();
        halves.sort_unstable();
        assert_eq!(halves, (0..wires as u64).collect::<Vec<_>>());
    }
}

/// Somebody is told of it, and every value has a site over there.
fn arrives(send: Send, recv: &Recv) {
    assert!(send.peer().is_some() || send.static_peer().is_some(), "{}", send.node().name());
    for (i, value) in recv.values().iter().enumerate() {
        assert!(send.destination(i).is_some(), "{}", send.node().name());
        assert_eq!(send.destination_name(i), Some(value.as_str()));
    }
}

fn maker<'a>(main: &'a FunctionProto, value: &str) -> &'a NodeProto {
    main.node.iter().find(|n| n.output.iter().any(|o| o == value)).expect("a node makes it")
}

/// health, backoff, then a check of the deadline that the Send has.
fn guarded_before(main: &FunctionProto, send: Send) {
    let backoff = maker(main, &send.payloads()[0]);
    let health = maker(main, &backoff.input[0]);
    assert_eq!([health.op_type(), backoff.op_type()], ["PeerHealthGateTx", "BackoffGateTx"]);
    let check = maker(main, send.node().input.last().expect("it waits for its check"));
    let check = DeadlineCheck::cast(check).expect("the check is the last input");
    assert_eq!(Some(check.deadline_ns()), send.deadline_ns());
    assert_eq!(check.payload(), backoff.output[0]);
}
/// dedup, health, backoff; what nobody else reads before them.
fn guarded_behind(main: &FunctionProto, recv: &NodeProto) {
    let mut at = recv;
    for op in ["DedupGateRx", "PeerHealthGateRx", "BackoffGateRx"] {
        let readers: Vec<&NodeProto> =
            main.node.iter().filter(|n| n.input.iter().any(|i| at.output.contains(i))).collect();
        let [only] = readers[..] else { panic!("{} is read by {}", at.name(), readers.len()) };
        assert_eq!(only.op_type(), op);
        at = only;
    }
}
