//! Ops that the engine itself runs: time, chance, the first of several, limits, and what leaves a graph at its side.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{Arg, CallError, Event, Usage, Value};
use bb::ir::failure::FailureCode;
use bb::prelude::*;
use bb_sim::{Host, Link, NodeIx, What, World};

const HELPER: NodeIx = NodeIx(1);

fn scalar<T: bb::ir::value::Scalar<Plain = T> + Copy>(value: &Value) -> T {
    value.as_scalar::<T>().expect("a scalar")
}
fn call(world: &mut World, args: Vec<Arg>) -> Result<Vec<Value>, CallError> {
    let call = world.call(ASKER, args, 60 * S);
    world.run_until(world.elapsed() + 60 * S);
    for node in 0..world.len() {
        assert_eq!(world.usage(NodeIx(node)), Some(Usage::default()), "node {node}");
    }
    world.result(call).expect("it resolves").clone()
}

#[test]
fn clocks_differ_by_the_time_between_them() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let before = graph.clock::<Asker>();
        let there = graph.wire(x, to);
        let back = graph.wire(there, there.sender::<Asker>());
        graph.after(back).clock::<Asker>() - before
    });
    let mut world = world(&program, 1);
    world.set_link(Link::default().delay(S / 4..=S / 4));
    let took = call(&mut world, vec![number(1.0), peer(1)]).expect("it answers");
    assert_eq!(scalar::<i64>(&took[0]), 500_000_000);
}

#[test]
fn chance_is_of_the_nodes_seed() {
    let program = bb::compile(|graph: &Graph, _x: On<Asker, f32>| (graph.random::<Asker>(), graph.random::<Asker>()));
    let draw = || {
        let mut world = world(&program, 0);
        let all = (0..3).flat_map(|_| call(&mut world, vec![number(1.0)]).expect("it answers"));
        all.map(|v| scalar::<u64>(&v)).collect::<Vec<_>>()
    };
    let numbers = draw();
    let distinct: std::collections::BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!((numbers.len(), distinct.len()), (6, 6), "{numbers:?}");
    assert_eq!(draw(), numbers);
}

#[test]
fn a_value_comes_as_much_later_as_was_said_also_to_a_node_that_died_between() {
    #[bb::module]
    fn later(
        graph: &Graph,
        x: On<Asker, f32>,
        wait: On<Asker, Duration>,
        to: On<Asker, Peer<Helper>>,
    ) -> On<Asker, f32> {
        // What has told something is written down before it is seen.
        x.emit("asked");
        let there = graph.wire(x.after(wait), to);
        graph.wire(there.after(secs(2)), there.sender::<Asker>())
    }
    let program = bb::compile(later);
    assert_eq!(program.diagnostics, []);
    let args = |wait: i64| vec![number(7.0), Arg::Value(Value::scalar(wait)), peer(1)];
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    // What was waited for since the last checkpoint is waited for again.
    for (killed_at, answered_at) in [(None, 5), (Some(2), 7), (Some(4), 6)] {
        let mut world = World::new(3, bb::kernels());
        world.add_durable(host("Asker"), S / 1000).expect("installs");
        world.add_durable(host("Helper"), S / 1000).expect("installs");
        world.connect_all();
        let asked = world.call(ASKER, args(3_000_000_000), 60 * S);
        if let Some(at) = killed_at {
            world.run_until(at * S);
            let node = NodeIx(usize::from(at > 3));
            world.kill(node);
            world.start(node).expect("installs");
            world.connect_all();
        }
        world.run_until(answered_at * S - S / 10);
        assert_eq!(world.result(asked), None, "{killed_at:?}");
        world.run_until(answered_at * S + S / 5);
        assert_eq!(world.result(asked), Some(&Ok(vec![Value::scalar(7.0f32)])), "{killed_at:?}");
    }
    let mut world = asking::world(&program, 1);
    let failed = call(&mut world, args(-1));
    assert!(matches!(&failed, Err(CallError::Failed(c)) if c.message.contains("duration")), "{failed:?}");
    let asked = world.call(ASKER, args(90_000_000_000), 10 * S);
    world.run_until(world.elapsed() + 20 * S);
    let Some(Err(CallError::Deadline { waited_for })) = world.result(asked) else {
        panic!("{:?}", world.result(asked))
    };
    assert!(waited_for.iter().any(|op| op.starts_with("after")), "{waited_for:?}");
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
}

#[test]
fn the_first_of_several_is_taken_and_fails_where_all_do() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, y: On<Asker, f32>, slow: On<Asker, Duration>| {
        graph.any([positive(x).after(slow), positive(y).after(secs(2))])
    });
    let mut world = world(&program, 0);
    let mut ask = |x: f32, y: f32, slow: i64| {
        call(&mut world, vec![number(x), number(y), Arg::Value(Value::scalar(slow))]).map(|v| scalar::<f32>(&v[0]))
    };
    assert_eq!(ask(1.0, 2.0, 1_000_000_000), Ok(1.0));
    assert_eq!(ask(1.0, 2.0, 3_000_000_000), Ok(2.0));
    assert_eq!(ask(-1.0, 2.0, 0), Ok(2.0));
    assert_eq!(ask(1.0, -2.0, 3_000_000_000), Ok(1.0));
    let failed = ask(-1.0, -2.0, 0);
    assert!(matches!(&failed, Err(CallError::Failed(c)) if c.message.contains("not positive")), "{failed:?}");
}

#[test]
fn a_limit_lets_a_burst_through_and_then_one_at_a_time() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| x.limit(3, secs(30)));
    let mut world = world(&program, 0);
    let burst = |world: &mut World| {
        let calls: Vec<_> = (0..5).map(|_| world.call(ASKER, vec![number(1.0)], S)).collect();
        world.run_until(world.elapsed() + S / 10);
        calls.iter().filter(|c| matches!(world.result(**c), Some(Ok(_)))).count()
    };
    assert_eq!(burst(&mut world), 3);
    world.run_until(11 * S);
    assert_eq!(burst(&mut world), 1);
    world.run_until(60 * S);
    let failed = (0..4).map(|_| call(&mut world, vec![number(1.0)])).find_map(Result::err);
    assert_eq!(failed, None, "a minute lies between them");
    assert_eq!(
        events(&world, |e| matches!(e, Event::OpFailed { cause, .. } if cause.code == FailureCode::OpFailed)),
        6
    );
}

#[test]
fn what_is_told_is_told_where_it_is() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let there = graph.wire(x, to);
        there.emit("seen");
        (there * 2.0).metric("twice");
        graph.wire(there, there.sender::<Asker>())
    });
    let mut world = world(&program, 1);
    call(&mut world, vec![number(4.0), peer(1)]).expect("it answers");
    let emitted = world.trace().iter().filter(|row| {
        let seen = |what: &What| matches!(what, What::Output { topic, value } if &**topic == "seen" && *value == Value::scalar(4.0f32));
        row.node == HELPER && seen(&row.what)
    });
    assert_eq!(emitted.count(), 1);
    let metrics =
        world.events_of(HELPER).filter(|e| matches!(e, Event::Metric { name, value: 8.0, .. } if &**name == "twice"));
    assert_eq!(metrics.count(), 1);
}

#[test]
fn an_interval_starts_an_execution_so_often() {
    let program = bb::compile(|graph: &Graph, _start: On<Asker, ()>| graph.interval::<Asker>(secs(5)).after(secs(1)));
    let mut world = world(&program, 0);
    world.run_until(21 * S + S / 2);
    let outputs: Vec<(u64, u64)> = world
        .trace()
        .iter()
        .filter_map(|row| match &row.what {
            What::Output { value, .. } => Some((row.at.as_secs(), scalar::<u64>(value))),
            _ => None,
        })
        .collect();
    assert_eq!(outputs, [(6, 1), (11, 2), (16, 3), (21, 4)]);
    // A call is one more, now.
    let asked = world.call(ASKER, vec![Arg::Value(Value::Trigger)], 60 * S);
    world.run_until(24 * S);
    assert_eq!(world.result(asked), Some(&Ok(vec![Value::scalar(4u64)])));
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
}
