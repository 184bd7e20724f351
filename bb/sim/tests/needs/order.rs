//! Who waits for whom, and what a crash or a bootstrap sees of it.

use super::*;
use bb::engine::{Usage, Value};

/// How long a call takes whose methods take a second each.
fn takes(program: &Compiled) -> u64 {
    let mut world = alone(host(program));
    world.set_cost(|_, _| S);
    let call = world.call(ASKER, vec![number(1.0)], 60 * S);
    while world.result(call).is_none() && world.step() {}
    world.result(call).expect("it resolves").as_ref().expect("it answers");
    world.elapsed().as_secs()
}

#[test]
fn methods_that_may_call_the_same_component_wait_for_each_other() {
    assert_eq!(takes(&bb::compile(shared)), 3);
    let apart = |_: &Graph, x: On<Asker, f32>| {
        let [one, two] = ["one", "two"].map(MemoryAt::<Asker>::concrete::<Heap>);
        (one.keep(x), two.keep(x))
    };
    assert_eq!(takes(&bb::compile(apart)), 1);
}

#[test]
fn whenever_a_node_is_killed_each_component_is_as_if_it_had_not_been() {
    let program = bb::compile(shared);
    let answer =
        |one: f32, two: f32, kept: u64| Some(Ok(vec![Value::scalar(one), Value::scalar(two), Value::scalar(kept)]));
    let (first, second) = (answer(111.0, 121.0, 3), answer(241.0, 251.0, 6));
    let mut lost = 0;
    for at in 0..40 {
        let mut world = World::new(3, bb::kernels());
        world.set_cost(|_, _| 5 * MS);
        world.add_durable(vec![host(&program)], 2 * MS).expect("installs");
        world.run_until(10 * MS);
        let before = world.call(ASKER, vec![number(1.0)], 60 * S);
        world.run_until((10 + at) * MS);
        world.kill(ASKER);
        world.start(ASKER).expect("installs");
        world.run_until(world.elapsed() + S);
        let after = world.call(ASKER, vec![number(1.0)], 60 * S);
        world.run_until(world.elapsed() + S);
        let answers = [before, after].map(|call| world.result(call).cloned());
        // Before anything of the call was written nobody has seen anything of it.
        let unseen = answers[0].is_none();
        lost += u32::from(unseen);
        let expected = if unseen { [None, first.clone()] } else { [first.clone(), second.clone()] };
        assert_eq!(answers, expected, "killed after {at} ms");
        assert_eq!(world.usage(ASKER), Some(Usage::default()));
    }
    assert!((1..15).contains(&lost), "{lost} calls were not written");
}

#[test]
fn what_is_needed_is_as_it_was_when_those_that_need_it_take_up_what_they_held() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| {
        _ = MemoryAt::<Asker>::concrete::<Heap>("memory");
        ModelAt::<Asker>::concrete::<Own>("a_model").predict(x)
    });
    let mut world = World::new(3, bb::kernels());
    world.add_durable(vec![host(&program)], MS).expect("installs");
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![1.0]));
    world.kill(ASKER);
    world.start(ASKER).expect("installs");
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![1002.0]));
}

/// A model needs what is made ready.
#[bb::module]
fn made_ready(_graph: &Graph, x: On<Asker, f32>, memory: MemoryAt<Asker>) -> On<Asker, f32> {
    _ = memory;
    ModelAt::<Asker>::concrete::<Own>("model").predict(x)
}
#[bb::bootstrap(made_ready)]
fn make_ready(_graph: &Graph, first: On<Asker, f32>, memory: MemoryAt<Asker>) {
    _ = memory.keep(first);
}

#[test]
fn who_needs_what_a_bootstrap_makes_ready_waits_for_it() {
    let program = bb::compile(made_ready);
    let mut world = alone(host(&program).bind("memory", boxed::<dyn Memory, Heap>));
    let call = world.call(ASKER, vec![number(1.0)], 60 * S);
    world.run_until(S);
    assert_eq!(world.result(call), None, "nothing is staged");
    world.stage_args(ASKER, "first", vec![number(5.0)]).expect("it is taken");
    world.run_until(2 * S);
    assert_eq!(world.result(call), Some(&Ok(vec![Value::scalar(2.0f32)])), "the second that is kept");
}
