//! Components that a program names by their type: what is recorded of them, what the compiler makes of what they need, and
//! what it refuses.
#![allow(missing_docs)]

use bb::ir::bindings::{Serving, read_dependency_metadata};
use bb::ir::keys;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::views::Metadata;
use bb::prelude::*;
use bb::{Compiled, Options, Storage};

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Index {
    fn near(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[bb::role]
pub trait Memory {
    fn keep(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
#[bb::role]
pub trait Model {
    fn start(&mut self) -> Tensor;
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError>;
}
/// Takes tensors of any element.
#[bb::role]
pub trait Machine {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement>;
}

#[derive(Default)]
pub struct Flat;
#[bb::component]
impl Index for Flat {
    fn near(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        Ok(x)
    }
}
#[derive(Default)]
pub struct Heap;
#[bb::component]
impl Memory for Heap {
    fn keep(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        Ok(x)
    }
}
#[derive(Default)]
pub struct Deep {
    index: IndexNeeded,
}
#[bb::component(needs(index: Index))]
impl Model for Deep {
    fn start(&mut self) -> Tensor {
        Tensor::default()
    }
    fn predict(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.index.near(x)
    }
}
/// An index that needs a memory.
#[derive(Default)]
pub struct Tree {
    memory: MemoryNeeded,
}
#[bb::component(needs(memory: Memory))]
impl Index for Tree {
    fn near(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.memory.keep(x)
    }
}
/// A memory that needs an index.
#[derive(Default)]
pub struct Sorted {
    index: IndexNeeded,
}
#[bb::component(needs(index: Index))]
impl Memory for Sorted {
    fn keep(&mut self, x: Tensor) -> Result<Tensor, OpError> {
        self.index.near(x)
    }
}
#[derive(Default)]
pub struct Single;
#[bb::component(element = f32)]
impl Machine for Single {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement> {
        x
    }
}
#[derive(Default)]
pub struct Double;
#[bb::component(element = f64, name = "maths.Double")]
impl Machine for Double {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement> {
        x
    }
}

#[bb::module]
pub fn guess(_graph: &Graph, x: On<Server, Tensor>, index: IndexAt<Server>) -> On<Server, Tensor> {
    let model = ModelAt::<Server>::concrete::<Deep>("model");
    model.predict(index.near(x))
}

fn op<'c>(compiled: &'c Compiled, class: &str, method: &str) -> &'c NodeProto {
    let output = compiled.output.as_ref().unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let part = output.partitions.iter().find(|p| p.class == class).expect("it takes part");
    let nodes = part.model.functions.iter().flat_map(|f| &f.node);
    nodes.into_iter().find(|n| n.op_type() == method).expect("it has the op")
}
fn rows(compiled: &Compiled) -> Vec<String> {
    let parts = &compiled.output.as_ref().unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).partitions;
    let rows = parts.iter().flat_map(|p| p.model.metadata_under(keys::BINDING_KEY_PREFIX));
    rows.map(|(key, row)| format!("{key} = {row}")).collect()
}
fn codes(compiled: &Compiled) -> Vec<(&'static str, String)> {
    compiled.diagnostics.iter().map(|d| (d.code, d.message.clone())).collect()
}

#[test]
fn an_op_says_which_component_serves_it_and_which_slot_serves_that() {
    let compiled = bb::compile(guess);
    let predict = op(&compiled, "Server", "predict");
    assert_eq!(predict.metadata(keys::CONCRETE_TYPE_KEY), Some("bb.Deep"));
    assert_eq!(predict.metadata(keys::INSTANCE_KEY), Some("model"));
    assert_eq!((predict.metadata(keys::SLOT_ID_KEY), predict.metadata(keys::REQUIRED_TRAIT_KEY)), (None, None));
    assert_eq!(read_dependency_metadata(predict), [("bb.Index".to_owned(), Serving::Slot(1))]);
    assert_eq!(read_dependency_metadata(op(&compiled, "Server", "near")), []);
    assert_eq!(rows(&compiled), ["guess.index = bb.Index||1", "guess.model = bb.Model|bb.Deep|-1"]);
}

#[test]
fn what_a_component_needs_may_be_named_too_and_is_there_without_an_op() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        _ = IndexAt::<Server>::concrete::<Tree>("index");
        _ = MemoryAt::<Server>::concrete::<Heap>("memory");
        ModelAt::<Server>::concrete::<Deep>("model").predict(x)
    });
    let needs = read_dependency_metadata(op(&compiled, "Server", "predict"));
    assert_eq!(needs, [("bb.Index".to_owned(), Serving::Instance("index".into()))]);
    let all =
        ["main.index = bb.Index|bb.Tree|-1", "main.memory = bb.Memory|bb.Heap|-1", "main.model = bb.Model|bb.Deep|-1"];
    assert_eq!(rows(&compiled), all);
}

#[test]
fn what_nothing_needs_is_not_built() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        _ = MemoryAt::<Server>::concrete::<Heap>("memory");
        IndexAt::<Server>::concrete::<Flat>("index").near(x)
    });
    assert_eq!(rows(&compiled), ["main.index = bb.Index|bb.Flat|-1"]);
}

#[bb::module]
pub fn twice(x: On<Server, Tensor>, index: IndexAt<Server>) -> On<Server, Tensor> {
    index.near(index.near(x))
}

#[test]
fn a_call_takes_a_component_that_the_program_names() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        let (one, other) = (IndexAt::concrete::<Flat>("one"), IndexAt::concrete::<Flat>("other"));
        twice(twice(twice(x, one), other), one)
    });
    assert_eq!(rows(&compiled), ["main.one = bb.Index|bb.Flat|-1", "main.other = bb.Index|bb.Flat|-1"]);
    let main = &compiled.output.as_ref().expect("it compiles").partitions[0].model;
    let bodies = main.functions.iter().filter(|f| f.name() == "twice");
    let served: Vec<Vec<_>> =
        bodies.map(|f| f.node.iter().filter_map(|n| n.metadata(keys::INSTANCE_KEY)).collect()).collect();
    assert_eq!(served, [["one", "one"], ["other", "other"]], "a body for each, and one for two calls with one");
}

#[test]
fn on_a_class_of_its_own_it_starts_behind_a_value_that_is_there() {
    let compiled = bb::compile(|graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>| {
        _ = IndexAt::<Client>::concrete::<Flat>("index");
        let model = ModelAt::<Client>::concrete::<Deep>("model");
        let there = graph.wire(x, to);
        let started = model.start(&graph.after(there));
        graph.wire(model.predict(started), there.sender::<Server>())
    });
    assert_eq!(op(&compiled, "Client", "start").metadata(keys::INSTANCE_KEY), Some("model"));
    let fault = bb::compile(|graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>| {
        let model = ModelAt::<Client>::concrete::<Deep>("model");
        let there = graph.wire(x, to);
        (model.start(graph), there.sender::<Server>(), there)
    });
    assert_eq!(codes(&fault).iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["BB0205"]);
}

#[test]
fn what_a_component_needs_has_to_be_there() {
    let nothing = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        let model = ModelAt::<Server>::concrete::<Deep>("model");
        model.predict(model.predict(x))
    });
    let text = "`model`, a `bb.Deep`, needs a `bb.Index` called `index`, and there is none on `Server`";
    assert_eq!(codes(&nothing), [("BB0408", text.to_owned())], "once, with the first op");
    assert_eq!(nothing.diagnostics[0].at.as_ref().map(|at| at.file.as_str()), Some("tests/concrete.rs"));

    let elsewhere = bb::compile(|graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>| {
        let there = IndexAt::<Client>::concrete::<Flat>("index").near(graph.wire(x, to));
        (ModelAt::<Server>::concrete::<Deep>("model").predict(x), there)
    });
    assert_eq!(codes(&elsewhere)[0].0, "BB0408", "what another class has is of no use");

    let another = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        let kept = MemoryAt::<Server>::concrete::<Heap>("index").keep(x);
        ModelAt::<Server>::concrete::<Deep>("model").predict(kept)
    });
    let text = "`model`, a `bb.Deep`, needs a `bb.Index` called `index`, but `index` on `Server` is a `bb.Memory`";
    assert_eq!(codes(&another), [("BB0409", text.to_owned())]);
}

#[test]
fn what_is_needed_further_down_is_told_with_its_chain() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        _ = IndexAt::<Server>::concrete::<Tree>("index");
        ModelAt::<Server>::concrete::<Deep>("model").predict(x)
    });
    let text = "nothing on `Server` serves `memory`, which has to play `bb.Memory`";
    assert_eq!(codes(&compiled), [("BB0403", text.to_owned())]);
    let notes: Vec<&str> = compiled.diagnostics[0].notes.iter().map(|note| note.text.as_str()).collect();
    let chain =
        ["it is asked for by `predict`", "whose component is `model`, a `bb.Deep`", "which needs `index`, a `bb.Tree`"];
    assert_eq!(notes, chain);
}

#[test]
fn components_do_not_need_each_other() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>| {
        _ = MemoryAt::<Server>::concrete::<Sorted>("memory");
        IndexAt::<Server>::concrete::<Tree>("index").near(x)
    });
    let text = "`index` (`bb.Tree`) and `memory` (`bb.Sorted`) need each other, so none of them can be built first";
    assert_eq!(codes(&compiled), [("BB0410", text.to_owned())]);
}

#[test]
fn a_role_is_served_in_one_way() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>, index: IndexAt<Server>| {
        index.near(IndexAt::<Server>::concrete::<Flat>("other").near(x))
    });
    assert_eq!(codes(&compiled).iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["BB0402"]);
}

mod apart {
    use super::*;
    /// Artifacts cannot tell it from the other one.
    #[derive(Default)]
    pub struct Flat;
    #[bb::component]
    impl Index for Flat {
        fn near(&mut self, x: Tensor) -> Result<Tensor, OpError> {
            Ok(x)
        }
    }
}

#[test]
fn a_name_is_of_one_component() {
    let clash = |other: fn(On<Server, Tensor>) -> On<Server, Tensor>| {
        let compiled = bb::compile(move |_: &Graph, x: On<Server, Tensor>| {
            other(IndexAt::<Server>::concrete::<Flat>("it").near(x))
        });
        let told = codes(&compiled);
        assert!(matches!(told.as_slice(), [("BB0407", _)]), "{told:?}");
        told[0].1.clone()
    };
    assert_eq!(
        clash(|x| IndexAt::<Server>::concrete::<Tree>("it").near(x)),
        "the component `it` is a `bb.Flat` already, and here a `bb.Tree`"
    );
    assert_eq!(
        clash(|x| {
            _ = IndexAt::<Client>::concrete::<Flat>("it");
            x
        }),
        "the component `it` is on `Server` already, and here on `Client`"
    );
    assert_eq!(
        clash(|x| IndexAt::<Server>::concrete::<apart::Flat>("there").near(x)),
        "two types of components are called `bb.Flat`"
    );
    assert_eq!(clash(|x| IndexAt::<Server>::concrete::<Flat>("7 b").near(x)), "a component cannot be called `7 b`");

    // The first parameter of a closure is called `a`.
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor>, index: IndexAt<Server>| {
        let x = index.near(x);
        MemoryAt::<Server>::concrete::<Heap>("b").keep(x)
    });
    assert_eq!(codes(&compiled), [("BB0407", "`main` has a parameter `b`, which is a slot on `Server`".to_owned())]);
}

#[bb::module]
pub fn computed(x: On<Server, Tensor<AnyElement>>, machine: MachineAt<Server>) -> On<Server, Tensor<AnyElement>> {
    machine.run(x)
}
#[bb::module]
pub fn compute(_graph: &Graph, x: On<Server, Tensor<AnyElement>>, machine: MachineAt<Server>) -> On<Server, Tensor> {
    computed(x, machine).narrow::<f32>() * 2.0
}

#[test]
fn a_component_that_says_what_it_holds_makes_tensors_of_any_element_of_it() {
    assert_eq!(codes(&bb::compile(compute))[0].0, "BB0303", "nothing says what `x` holds");
    let options = Options::default().bind::<Single>("compute", "machine");
    assert_eq!(codes(&bb::compile_with(compute, &options)), [], "also in a module that is called");

    let double = Options::default().bind::<Double>("compute", "machine");
    assert_eq!(codes(&bb::compile_with(compute, &double))[0].0, "BB0301", "it is narrowed to something else");
    let other = Options::default().bind::<Double>("another", "machine");
    assert_eq!(codes(&bb::compile_with(compute, &other))[0].0, "BB0303", "that is about another program");
}

#[test]
fn a_value_is_not_of_two_components_of_different_elements() {
    let compiled = bb::compile(|_: &Graph, x: On<Server, Tensor<AnyElement>>| {
        let one = MachineAt::<Server>::concrete::<Single>("one").run(x);
        MachineAt::<Server>::concrete::<Double>("other").run(one).narrow::<f64>()
    });
    let text = "a `bb.Single` holds `f32` and a `maths.Double` holds `f64`, and this value is of both";
    assert_eq!(codes(&compiled)[0], ("BB0304", text.to_owned()));
}

#[test]
fn what_will_be_bound_is_looked_at_while_the_program_is_built() {
    let options = Options::default().bind::<Tree>("guess", "index");
    assert_eq!(codes(&bb::compile_with(guess, &options))[0].0, "BB0408", "a tree needs a memory");
    let options = Options::default().bind::<Flat>("guess", "index");
    assert_eq!(codes(&bb::compile_with(guess, &options)), []);
    assert_eq!(rows(&bb::compile_with(guess, &options)), rows(&bb::compile(guess)), "nothing of it is in artifacts");
    for options in
        [Options::default().bind::<Flat>("guess", "shelf"), Options::default().bind::<Heap>("guess", "index")]
    {
        assert_eq!(codes(&bb::compile_with(guess, &options))[0].0, "BB0403");
    }
}

#[test]
fn a_test_hands_a_component_what_it_needs() {
    let x = || Tensor::from(vec![1.0, 2.0]);
    let mut deep = Deep { index: IndexNeeded::of(Tree { memory: MemoryNeeded::of(Heap) }) };
    assert_eq!(deep.predict(x()).expect("both are there").to_vec(), x().to_vec());
    assert_eq!(format!("{:?} {:?}", deep.index, Deep::default().index), "Index nothing yet");
    let nothing = Deep::default().index.near(x()).expect_err("there is none");
    assert_eq!(nothing.0, "what is to do `near` is not there before the node starts");
}

/// Needs two, one of a role that has parameters.
#[derive(Default)]
pub struct Round {
    select: PeerSelectorNeeded<Client>,
    average: AggregatorNeeded,
}
#[bb::component(needs(select: PeerSelector<Client>, average: Aggregator))]
impl Machine for Round {
    fn run(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement> {
        let chosen = self.select.select(Peers::of([])).and_then(|_| self.average.params());
        assert_eq!(
            chosen.expect_err("nothing is there yet").0,
            "what is to do `select` is not there before the node starts"
        );
        x
    }
}

#[test]
fn a_component_says_all_it_needs_to_its_host() {
    let mut round: Box<dyn bb::__private::Component> = Round::default().component();
    let needs = bb::ir::needs::needs_of(&mut round);
    assert_eq!((needs.as_slice(), needs.len()), (Round::DEPENDENCIES, 2));
    let x = Tensor::from(vec![1.0f32]);
    let gave = round.run("run", bb::__private::results(x)).expect("it runs");
    assert_eq!(gave.len(), 1);
}

#[test]
fn types_are_called_by_package_and_name_unless_they_say_otherwise() {
    assert_eq!((Deep::TYPE, Double::TYPE), ("bb.Deep", "maths.Double"));
    assert_eq!((Deep::ROLE, Deep::DEPENDENCIES[0].role), ("bb.Model", "bb.Index"));
}
