//! Components that a program names, as nodes run them: built by their type at each start, unless another one is bound.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::__private::Accepts;
use bb::engine::{Arg, Config, Engine, InstallError, Value};
use bb::ir::proto::onnx::ModelProto;
use bb::ir::views::Metadata;
use bb::ir::{artifact, keys};
use bb::prelude::*;
use bb_sim::{Host, World, peer_id};

#[bb::role]
pub trait Counter {
    fn add(&mut self, n: u64) -> u64;
    fn reset(&mut self);
}
#[derive(Default)]
pub struct Tally(u64);
#[bb::component]
impl Counter for Tally {
    fn add(&mut self, n: u64) -> u64 {
        self.0 += n;
        self.0
    }
    fn reset(&mut self) {
        self.0 = 100;
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.0.to_le_bytes().to_vec())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.0 = u64::from_le_bytes(state.try_into().map_err(|_| OpError::new("eight bytes"))?);
        Ok(())
    }
}

#[bb::module]
fn count(graph: &Graph, n: On<Asker, u64>, to: On<Asker, Peer<Helper>>) -> (On<Asker, u64>, On<Asker, u64>) {
    let far = graph.wire(n, to);
    let counter = CounterAt::<Helper>::concrete::<Tally>("counter");
    (CounterAt::<Asker>::concrete::<Tally>("near").add(n), graph.wire(counter.add(far), far.sender::<Asker>()))
}

/// The same component, by its name.
#[bb::bootstrap(count)]
fn prepare(graph: &Graph) {
    CounterAt::<Helper>::concrete::<Tally>("counter").reset(graph);
}

fn piece(class: &str) -> Vec<u8> {
    let program = bb::compile(count);
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("compiled").bytes.clone()
}
fn ask(world: &mut World, n: u64) -> Vec<u64> {
    let call = world.call(ASKER, vec![Arg::Value(Value::scalar(n)), peer(1)], 60 * S);
    world.run_until(world.elapsed() + 5 * S);
    let values = world.result(call).expect("it resolves").clone().expect("it answers");
    values.iter().map(|value| value.as_scalar().expect("a number")).collect()
}

#[test]
fn they_are_built_by_their_type_and_keep_what_they_hold() {
    let mut world = World::new(5, bb::kernels());
    world.add(vec![Host::new(piece("Asker"))]).expect("installs");
    world.add(vec![Host::new(piece("Helper"))]).expect("installs");
    world.connect_all();
    assert_eq!(ask(&mut world, 1), [1, 101], "its bootstrap is about the same component");
    assert_eq!(ask(&mut world, 2), [3, 103]);
}

#[test]
fn another_one_can_be_bound() {
    let mut world = World::new(5, bb::kernels());
    let ten = || <dyn Counter as Accepts<Tally>>::component(Tally(10));
    world.add(vec![Host::new(piece("Asker")).bind("near", ten)]).expect("installs");
    world.add(vec![Host::new(piece("Helper"))]).expect("installs");
    world.connect_all();
    assert_eq!(ask(&mut world, 1), [11, 101]);
}

#[test]
fn a_type_that_is_not_linked_or_is_linked_twice_is_refused() {
    let install = |bound: &[&str]| {
        let mut engine = Engine::new(Config::new(peer_id(0), 0));
        engine.install(&piece("Asker"), &bb::kernels(), bound).map(|_| ())
    };
    let (slot, component) = ("near".to_owned(), "bb_sim.Tally".to_owned());
    assert_eq!(install(&[]), Err(InstallError::UnlinkedComponent { slot, component: component.clone() }));
    assert_eq!(install(&["bb_sim.Tally", "bb_sim.Tally"]), Err(InstallError::AmbiguousComponent { component }));
    assert_eq!(install(&["bb_sim.Tally"]), Ok(()));
    assert_eq!(install(&["near"]), Ok(()));
}

#[test]
fn an_op_of_a_component_that_the_table_does_not_have_is_refused() {
    let changed = |change: fn(&mut ModelProto)| {
        let mut model = artifact::read(&piece("Asker")).expect("ours");
        change(&mut model);
        let mut engine = Engine::new(Config::new(peer_id(0), 0));
        engine.install(&artifact::write(&model), &bb::kernels(), &["near", "bb_sim.Tally"]).map(|_| ())
    };
    fn add(model: &mut ModelProto) -> &mut impl Metadata {
        model.functions[0].node.iter_mut().find(|n| n.op_type() == "add").expect("it has one")
    }
    assert_eq!(changed(|_| ()), Ok(()));
    assert!(changed(|m| add(m).set_metadata(keys::INSTANCE_KEY, "other")).is_err());
    let error = changed(|m| add(m).set_metadata(keys::CONCRETE_TYPE_KEY, "bb_sim.Other"));
    assert!(matches!(error, Err(InstallError::Broken(_))), "{error:?}");
    let error = changed(|m| add(m).set_metadata(&keys::dep_slot_key("Index"), "index"));
    assert!(matches!(error, Err(InstallError::Broken(_))), "{error:?}");
}
