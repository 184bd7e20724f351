//! Components that do not do what they should: what a program sees of it.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::__private::Accepts;
use bb::engine::{Arg, CallError, Event, Usage, Value};
use bb::ir::failure::FailureCode;
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_sim::{ComponentFaults, Host, NodeIx, World, Wrong};

#[bb::role]
pub trait Doubles {
    /// Twice `x`, `f32[N]`; and how often it was asked.
    fn double(&mut self, x: Tensor) -> (Tensor, u64);
}
struct Twice(u64);
impl Doubles for Twice {
    fn double(&mut self, x: Tensor) -> (Tensor, u64) {
        self.0 += 1;
        (x.to_vec().iter().map(|x| 2.0 * x).collect::<Vec<_>>().into(), self.0)
    }
}

#[bb::module]
fn doubled(
    graph: &Graph,
    x: On<Asker, Tensor>,
    to: On<Asker, Peer<Helper>>,
    there: DoublesAt<Helper>,
) -> (On<Asker, Tensor>, On<Asker, u64>) {
    let far = graph.wire(x, to);
    graph.wire(there.double(far), far.sender::<Asker>())
}

const HELPER: NodeIx = NodeIx(1);

fn hosted(faults: ComponentFaults) -> World {
    let program = bb::compile(doubled);
    assert_eq!(program.diagnostics, []);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let mut world = World::new(5, bb::kernels());
    world.add(vec![host("Asker")]).expect("installs");
    let component = || <DoublesAt<Helper> as Accepts<Twice>>::component(Twice(0));
    world.add(vec![host("Helper").bind("there", component)]).expect("installs");
    world.connect_all();
    assert_eq!(world.slots(HELPER), ["there"]);
    world.set_component_faults(HELPER, "there", faults);
    world
}
fn vector(x: &[f32]) -> Value {
    Value::Tensor(RawTensor::from_vec(&[x.len() as u64], x.to_vec()).expect("as many"))
}
/// One call after the other; nothing is held behind any of them.
fn call(world: &mut World) -> Result<Vec<Value>, CallError> {
    let call = world.call(ASKER, vec![Arg::Value(vector(&[1.0, 3.0])), peer(1)], 60 * S);
    world.run_until(world.elapsed() + 5 * S);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
    world.result(call).expect("it resolves").clone()
}
fn right(count: u64) -> Result<Vec<Value>, CallError> {
    Ok(vec![vector(&[2.0, 6.0]), Value::scalar(count)])
}
fn failed(answer: Result<Vec<Value>, CallError>, code: FailureCode, text: &str) {
    let Err(CallError::Failed(cause)) = &answer else { panic!("{answer:?}") };
    assert!(cause.code == code && cause.message.contains(text), "{cause:?}");
}

#[test]
fn what_is_of_no_such_type_goes_no_further_than_the_component() {
    let mut world = hosted(ComponentFaults::default().at(2, Wrong::Shape));
    assert_eq!(call(&mut world), right(1));
    failed(call(&mut world), FailureCode::OpFailed, "gave Tensor(u64[2]), which is no tensor(u64)");
    assert_eq!(events(&world, |e| matches!(e, Event::OpFailed { .. })), 1);
    assert_eq!(call(&mut world), right(3));
    assert_eq!(world.faults().misshapen, 1);
}

#[test]
fn numbers_that_are_none_are_values_like_others() {
    let mut world = hosted(ComponentFaults::default().nan(1.0));
    let answer = call(&mut world).expect("there is nothing wrong with its type");
    let Value::Tensor(tensor) = &answer[0] else { panic!("{answer:?}") };
    assert!(tensor.to_vec::<f32>().expect("f32").iter().all(|x| x.is_nan()));
    assert_eq!((&answer[1], world.faults().not_numbers), (&Value::scalar(1u64), 1));
}

#[test]
fn what_refuses_fails_the_call_and_goes_on() {
    let mut world = hosted(ComponentFaults::default().at(1, Wrong::Error).at(2, Wrong::Error));
    failed(call(&mut world), FailureCode::OpFailed, "refuse");
    failed(call(&mut world), FailureCode::OpFailed, "refuse");
    assert_eq!(call(&mut world), right(1));
}

#[test]
fn what_panics_is_gone_until_its_node_starts_again() {
    let mut world = hosted(ComponentFaults::default().at(2, Wrong::Panic));
    assert_eq!(call(&mut world), right(1));
    failed(call(&mut world), FailureCode::OpFailed, "panic");
    failed(call(&mut world), FailureCode::ComponentFailed, "takes no more calls");
    world.kill(HELPER);
    world.start(HELPER).expect("installs");
    world.connect(ASKER, HELPER);
    assert_eq!(call(&mut world), right(1));
    assert_eq!(world.faults().panicked, 1);
}

#[test]
fn a_narrow_link_takes_as_long_as_its_bytes_do() {
    let mut world = hosted(ComponentFaults::default());
    world.set_link(bb_sim::Link::default().bandwidth(1_000));
    let before = world.elapsed();
    let asked = world.call(ASKER, vec![Arg::Value(vector(&[0.5; 1000])), peer(1)], 60 * S);
    while world.result(asked).is_none() && world.step() {}
    // 4,000 bytes there and 4,000 back, and what is around them.
    let took = (world.elapsed() - before).as_secs_f64();
    assert!((8.0..8.4).contains(&took), "{took} s");
}
