//! Calls from component to component, and what goes wrong with them.

use super::*;
use bb::engine::CallError;
use bb::ir::failure::FailureCode;
use bb_sim::{ComponentFaults, Wrong};

fn failed(answer: Result<Vec<f32>, CallError>, code: FailureCode, text: &str) {
    let Err(CallError::Failed(cause)) = &answer else { panic!("{answer:?}") };
    assert!(cause.code == code && cause.message.ends_with(text), "{cause:?}");
}

#[test]
fn a_method_calls_what_its_component_needs_and_that_what_it_needs() {
    let mut world = alone(host(&bb::compile(two_hops)));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![111.0]));
    assert_eq!(ask(&mut world, vec![number(2.0)]), Ok(vec![222.0]));
}

#[test]
fn another_one_that_is_bound_is_handed_over_and_is_handed_what_it_needs() {
    let full = || <dyn Memory as Accepts<Heap>>::component(Heap(vec![0.0; 4]));
    let mut world = alone(host(&bb::compile(two_hops)).bind("memory", full));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![151.0]));
    let mut world = alone(host(&bb::compile(two_hops)).bind("model", boxed::<dyn Model, Own>).bind("memory", full));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![5.0]));
}

#[test]
fn an_error_fails_the_op_with_the_names_of_all_and_nothing_is_gone() {
    let mut world = alone(host(&bb::compile(two_hops)));
    let text = "failed: `index`, which `model` needs, failed: `memory`, which `index` needs, failed: less than nothing";
    failed(ask(&mut world, vec![number(-1.0)]), FailureCode::OpFailed, text);
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![211.0]), "asked twice");
}

#[test]
fn what_panics_is_gone_for_all_and_those_that_need_it_are_not() {
    let mut world = alone(host(&bb::compile(two_hops)));
    let chain = "`index`, which `model` needs, failed: `memory`, which `index` needs,";
    failed(ask(&mut world, vec![number(9.0)]), FailureCode::OpFailed, &format!("{chain} panicked: 9 is too much"));
    let text = format!("{chain} panicked before, so it takes no more calls");
    failed(ask(&mut world, vec![number(1.0)]), FailureCode::OpFailed, &text);

    let mut world = alone(host(&bb::compile(|graph: &Graph, x: On<Asker, f32>| {
        let memory = MemoryAt::<Asker>::concrete::<Heap>("memory");
        (memory.size(graph), ModelAt::<Asker>::concrete::<Own>("model").predict(x))
    })));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![0.0, 1.0]));
    let text = "`memory`, which `model` needs, panicked: 9 is too much";
    failed(ask(&mut world, vec![number(9.0)]), FailureCode::OpFailed, text);
    let text = "failed: the component panicked before and takes no more calls";
    failed(ask(&mut world, vec![number(1.0)]), FailureCode::ComponentFailed, text);
}

#[test]
fn what_the_simulator_breaks_is_broken_for_those_that_need_it() {
    let mut world = alone(host(&bb::compile(shared)));
    world.set_component_faults(ASKER, "memory", ComponentFaults::default().at(1, Wrong::Panic));
    _ = ask(&mut world, vec![number(1.0)]).expect_err("its own op panics");
    assert_eq!(world.faults().panicked, 1);
    let text = "`memory`, which `index` needs, panicked before, so it takes no more calls";
    failed(ask(&mut world, vec![number(1.0)]), FailureCode::OpFailed, text);
}

#[test]
fn slots_serve_what_is_needed_and_their_components_are_handed_what_they_need() {
    let slots = host(&bb::compile(slots)).bind("model", boxed::<dyn Model, Deep>);
    let mut world = alone(slots.bind("index", boxed::<dyn Index, Tree>).bind("memory", boxed::<dyn Memory, Heap>));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![111.0]));
}
