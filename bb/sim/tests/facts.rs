//! Facts that hold of every program, each on the smallest that shows it.
#![allow(missing_docs)]

use bb::__private::Accepts;
use bb::engine::{Arg, CallError, Event, Usage, Value};
use bb::prelude::*;
use bb_components as _;
use bb_sim::{Host, Link, NodeIx, What, World};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

mod asking;
use asking::*;

#[test]
fn two_wires_keep_their_values_apart() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, y: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let (a, b) = (graph.wire(x, to), graph.wire(y, to));
        let there = digits(a, b);
        graph.wire(there, a.sender::<Asker>())
    });
    let mut world = world(&program, 1);
    assert_eq!(ask(&mut world, vec![number(4.0), number(2.0), peer(1)]), Ok(vec![42.0]));
}

static TWICE: AtomicUsize = AtomicUsize::new(0);
#[bb::op]
fn twice(a: f32, b: f32) -> f32 {
    TWICE.fetch_add(1, Relaxed);
    a + b
}
static STAGE: AtomicUsize = AtomicUsize::new(0);
#[bb::op]
fn stage(a: f32, b: f32) -> f32 {
    STAGE.fetch_add(1, Relaxed);
    a + b
}

#[test]
fn a_value_read_twice_by_one_op_fires_it_once() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| twice(x, x));
    assert_eq!(ask(&mut world(&program, 0), vec![number(3.0)]), Ok(vec![6.0]));
    assert_eq!(TWICE.load(Relaxed), 1);
}

#[test]
fn a_diamond_of_12_stages_fires_every_op_once() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>| (0..12).fold(x, |x, _| stage(x, x)));
    assert_eq!(ask(&mut world(&program, 0), vec![number(1.0)]), Ok(vec![4096.0]));
    assert_eq!(STAGE.load(Relaxed), 12);
}

#[bb::role]
pub trait Number {
    fn get(&mut self) -> f32;
}
struct Fixed(f32);
impl Number for Fixed {
    fn get(&mut self) -> f32 {
        self.0
    }
}

#[test]
fn two_slots_of_one_role_stay_two() {
    #[bb::module]
    fn both(graph: &Graph, go: On<Asker, ()>, tens: NumberAt<Asker>, ones: NumberAt<Asker>) -> On<Asker, f32> {
        let _ = go;
        digits(tens.get(graph), ones.get(graph))
    }
    let program = bb::compile(both);
    assert_eq!(program.diagnostics, []);
    let mut world = World::new(1, bb::kernels());
    let component = |n| move || <NumberAt<Asker> as Accepts<Fixed>>::component(Fixed(n));
    let host = Host::new(program.artifacts[0].bytes.clone()).bind("tens", component(4.0)).bind("ones", component(2.0));
    world.add(vec![host]).expect("installs");
    assert_eq!(ask(&mut world, vec![Arg::Value(Value::Trigger)]), Ok(vec![42.0]));
}

#[bb::module]
fn first(x: On<Asker, f32>) -> On<Asker, f32> {
    digits(x, x)
}
#[bb::module]
fn second(x: On<Asker, f32>) -> On<Asker, f32> {
    digits(x, x)
}
#[bb::module]
fn there_and_back(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(digits(there, there), there.sender::<Asker>())
}

#[test]
fn same_named_values_of_different_sub_modules_never_meet() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>, y: On<Asker, f32>| digits(first(x), second(y)));
    assert_eq!(ask(&mut world(&program, 0), vec![number(1.0), number(2.0)]), Ok(vec![132.0]));
}

#[test]
fn a_sub_module_with_a_wire_is_called_twice() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let once = there_and_back(graph, x, to);
        there_and_back(&graph.after(once), once, to)
    });
    assert_eq!(ask(&mut world(&program, 1), vec![number(1.0), peer(1)]), Ok(vec![121.0]));
}

/// What every member of a cohort answers, and how many of them do.
fn counted(graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>) -> (On<Asker, f32>, On<Asker, u64>) {
    let there = graph.wire(x, cohort);
    let back = graph.wire(positive(there), there.sender::<Asker>());
    (back.sum(), back.count())
}

#[test]
fn equal_payloads_of_two_peers_both_arrive() {
    let program = bb::compile(counted);
    assert_eq!(ask(&mut world(&program, 2), vec![number(5.0), EVERYONE]), Ok(vec![10.0, 2.0]));
}

#[test]
fn an_empty_cohort_fails_at_once() {
    let program = bb::compile(counted);
    let mut world = world(&program, 0);
    let answer = ask(&mut world, vec![number(5.0), EVERYONE]);
    assert!(matches!(&answer, Err(CallError::Failed(c)) if c.message.contains("empty")), "{answer:?}");
}

#[test]
fn a_clock_that_has_run_for_days_changes_nothing() {
    let program = bb::compile(counted);
    let run = |days: u64| {
        let mut world = world(&program, 3);
        for node in 0..4 {
            world.set_clock_origin(NodeIx(node), Duration::from_secs(86_400 * days * node as u64));
        }
        let answer = ask(&mut world, vec![number(5.0), EVERYONE]);
        (answer, world.trace().iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(run(0).0, Ok(vec![15.0, 3.0]));
    assert_eq!(run(0), run(400));
}

#[test]
fn a_call_dropped_in_mid_flight_leaves_nothing_behind() {
    let program = bb::compile(counted);
    let mut world = world(&program, 3);
    world.set_link(Link::default().delay(S..=S));
    let call = world.call(ASKER, vec![number(5.0), EVERYONE], 20 * S);
    world.run_until(world.elapsed() + S / 2);
    assert_eq!(world.usage(ASKER).expect("alive").frames, 1);
    world.drop_call(call);
    assert_eq!(world.usage(ASKER), Some(Usage { in_flight: 3, ..Usage::default() }));
    world.run_until(world.elapsed() + 25 * S);
    for node in 0..4 {
        assert_eq!(world.usage(NodeIx(node)), Some(Usage::default()), "node {node}");
    }
    assert_eq!(events(&world, |e| matches!(e, Event::Late { .. } | Event::Stale { .. })), 3);
}

#[test]
fn doubled_messages_count_once() {
    let program = bb::compile(counted);
    let mut world = world(&program, 3);
    world.set_link(Link::default().delay(S / 100..=S / 10).duplicate(1.0).reorder(0.5));
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![15.0, 3.0]));
    assert!(world.faults().duplicated >= 6 && world.faults().reordered > 0, "{:?}", world.faults());
    assert!(events(&world, |e| matches!(e, Event::Duplicate { .. })) >= 6);
}

#[test]
fn each_runs_per_sender_with_the_values_around_it_and_a_failed_lane_is_a_missing_member() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        let back = graph.wire(positive(there), there.sender::<Asker>());
        let scaled = back.each(|y| digits(y, x));
        let some = scaled.quorum(0.5);
        (some.sum(), some.count())
    });
    let mut world = world(&program, 3);
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![165.0, 3.0]));
    let answer = ask(&mut world, vec![number(-5.0), EVERYONE]);
    let Err(CallError::Failed(cause)) = answer else { panic!("{answer:?}") };
    assert_eq!(cause.quorum.as_ref().map(|q| q.missing.len()), Some(3), "{cause}");
}

#[test]
fn first_does_not_wait_for_the_others() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        let back = graph.wire(there, there.sender::<Asker>()).first(2);
        back.count()
    });
    let mut world = world(&program, 3);
    world.set_link_between(NodeIx(3), ASKER, Link::default().delay(10 * S..=10 * S));
    let call = world.call(ASKER, vec![number(5.0), EVERYONE], 60 * S);
    world.run_until(world.elapsed() + S);
    assert_eq!(world.result(call), Some(&Ok(vec![Value::scalar(2u64)])));
    world.run_until(world.elapsed() + 20 * S);
    assert_eq!(events(&world, |e| matches!(e, Event::Late { .. })), 1);
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
}

#[test]
fn an_output_elsewhere_is_an_event_there() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let there = graph.wire(x, to);
        digits(there, there)
    });
    let mut world = world(&program, 1);
    assert_eq!(ask(&mut world, vec![number(3.0), peer(1)]), Ok(vec![]));
    let outputs: Vec<_> = world
        .trace()
        .iter()
        .filter(|r| matches!(&r.what, What::Output { value, .. } if *value == Value::scalar(33.0f32)))
        .collect();
    assert_eq!(outputs.iter().map(|r| r.node).collect::<Vec<_>>(), [NodeIx(1)]);
}

#[derive(bb::Peer)]
pub struct Equal;

#[test]
fn gossip_between_equals_and_the_node_itself_in_a_cohort() {
    let to_one = bb::compile(|graph: &Graph, x: On<Equal, f32>, to: On<Equal, Peer<Equal>>| {
        let there = graph.wire(x, to);
        digits(x, graph.wire(digits(there, there), graph.origin::<Equal>()))
    });
    let to_all = bb::compile(|graph: &Graph, x: On<Equal, f32>, cohort: On<Equal, Peers<Equal>>| {
        let there = graph.wire(x, cohort);
        graph.wire(there, there.sender::<Equal>()).sum()
    });
    for (program, args, expected) in [
        (&to_one, vec![number(1.0), peer(1)], 21.0),
        (&to_all, vec![number(1.0), EVERYONE], 2.0),
        (&to_all, vec![number(1.0), Arg::AllPeers { and_self: true }], 3.0),
    ] {
        assert_eq!(program.diagnostics, []);
        assert_eq!(program.artifacts.len(), 1, "both halves of a wire inside one class are in one artifact");
        let mut world = World::new(1, bb::kernels());
        for _ in 0..3 {
            world.add(vec![Host::new(program.artifacts[0].bytes.clone())]).expect("installs");
        }
        world.connect_all();
        assert_eq!(ask(&mut world, args), Ok(vec![expected]));
    }
}

#[test]
fn what_arrived_at_a_peer_that_started_again_is_acknowledged() {
    let program = bb::compile(counted);
    let mut world = world(&program, 2);
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![10.0, 2.0]));
    let helper = NodeIx(1);
    world.kill(helper);
    world.start(helper).expect("installs");
    world.connect(ASKER, helper);
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![10.0, 2.0]));
    world.disconnect(ASKER, helper);
    assert_eq!(events(&world, |e| matches!(e, Event::SendFailed { .. })), 0, "everything had arrived");
}

#[test]
fn what_the_network_loses_ends_at_a_deadline() {
    let program = bb::compile(counted);
    let mut world = world(&program, 2);
    world.set_link(Link::default().drop(1.0));
    let call = world.call(ASKER, vec![number(5.0), EVERYONE], 5 * S);
    world.run_until(world.elapsed() + 6 * S);
    assert!(matches!(world.result(call), Some(Err(CallError::Deadline { .. }))), "{:?}", world.result(call));
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
    assert!(world.faults().dropped > 2, "what is not acknowledged is sent again: {:?}", world.faults());
    world.set_link(Link::default());
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![10.0, 2.0]), "the next call is whole");
}

#[test]
fn one_seed_is_one_run() {
    let program = bb::compile(counted);
    let run = |seed: u64| {
        let mut world = World::new(seed, bb::kernels());
        let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
        for class in ["Asker", "Helper", "Helper", "Helper"] {
            world.add(host(class)).expect("installs");
        }
        world.connect_all();
        world.set_link(Link::default().delay(S / 1000..=S).drop(0.2).duplicate(0.3).reorder(0.3));
        for _ in 0..5 {
            world.call(ASKER, vec![number(5.0), EVERYONE], 3 * S);
            world.run_until(world.elapsed() + 4 * S);
        }
        (world.trace().iter().map(ToString::to_string).collect::<Vec<_>>(), world.faults())
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3).0, run(4).0);
    assert!(run(3).1.dropped > 0 && run(3).1.duplicated > 0 && run(3).1.reordered > 0, "{:?}", run(3).1);
}

/// So many seconds.
#[bb::op]
fn nanoseconds(x: f32) -> Duration {
    Duration::from_secs(x as u64)
}

#[test]
fn need_and_within_may_be_values() {
    let program = bb::compile(
        |graph: &Graph,
         x: On<Asker, f32>,
         cohort: On<Asker, Peers<Helper>>,
         need: On<Asker, u64>,
         limit: On<Asker, f32>| {
            let there = graph.wire(x, cohort);
            let back = graph.wire(there, there.sender::<Asker>());
            back.quorum(need).within(nanoseconds(limit)).count()
        },
    );
    let mut world = world(&program, 2);
    world.set_link_between(NodeIx(2), ASKER, Link::default().delay(20 * S..=20 * S));
    let count = |n: u64| Arg::Value(Value::scalar(n));
    let args = |need| vec![number(5.0), EVERYONE, count(need), number(3.0)];
    assert_eq!(ask(&mut world, args(1)), Ok(vec![1.0]));
    for need in [2, 9] {
        assert!(matches!(ask(&mut world, args(need)), Err(CallError::Failed(_))));
    }
}

#[test]
fn a_negative_limit_fails_the_gather() {
    let program = bb::compile(
        |graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>, limit: On<Asker, Duration>| {
            let there = graph.wire(x, cohort);
            graph.wire(there, there.sender::<Asker>()).within(limit).count()
        },
    );
    let answer = ask(&mut world(&program, 2), vec![number(5.0), EVERYONE, Arg::Value(Value::scalar(-1i64))]);
    assert!(matches!(&answer, Err(CallError::Failed(c)) if c.message.contains("no duration")), "{answer:?}");
}

#[test]
fn two_policies_on_one_wire_each_end_by_themselves() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        let back = graph.wire(there, there.sender::<Asker>());
        (back.first(1).count(), back.quorum(0.5).within(Duration::from_secs(5)).count())
    });
    let mut world = world(&program, 3);
    world.set_link_between(NodeIx(2), ASKER, Link::default().delay(2 * S..=2 * S));
    world.set_link_between(NodeIx(3), ASKER, Link::default().delay(9 * S..=9 * S));
    assert_eq!(ask(&mut world, vec![number(5.0), EVERYONE]), Ok(vec![1.0, 2.0]));
    assert_eq!(events(&world, |e| matches!(e, Event::Late { .. })), 1, "the third");
}

#[test]
fn what_comes_after_a_value_starts_when_that_is_there() {
    #[bb::module]
    fn later(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>, number: NumberAt<Asker>) -> On<Asker, f32> {
        let there = graph.wire(x, to);
        let home = graph.wire(positive(there), there.sender::<Asker>());
        number.get(&graph.after(home))
    }
    let program = bb::compile(later);
    let host = |class: &str| Host::new(program.artifact(class).expect("compiled").bytes.clone());
    let mut world = World::new(7, bb::kernels());
    let component = || <NumberAt<Asker> as Accepts<Fixed>>::component(Fixed(3.0));
    world.add(vec![host("Asker").bind("number", component)]).expect("installs");
    world.add(vec![host("Helper")]).expect("installs");
    world.connect_all();
    let ran = |world: &World| world.trace().iter().filter(|r| matches!(r.what, What::Ran { .. })).count();
    assert!(ask(&mut world, vec![number(-5.0), peer(1)]).is_err());
    assert_eq!(ran(&world), 0, "what it waits for has failed");
    assert_eq!(ask(&mut world, vec![number(5.0), peer(1)]), Ok(vec![3.0]));
    assert_eq!(ran(&world), 1);
}

/// As `bb/docs/diagnostics.md` says it is done.
#[test]
fn one_of_two_values_is_taken_by_arithmetic() {
    let program =
        bb::compile(|_: &Graph, k: On<Asker, f32>, n: On<Asker, f32>, x: On<Asker, f32>, y: On<Asker, f32>| {
            let is = k.equal(n).cast::<f32>();
            y + is * (x - y)
        });
    let mut world = world(&program, 0);
    let mut taken = |k: f32| {
        let args = [k, 3.0, 10.0, 20.0].map(number).to_vec();
        let call = world.call(ASKER, args, 60 * S);
        world.run_until(world.elapsed() + S);
        world.result(call).expect("it resolves").clone()
    };
    assert_eq!([taken(3.0), taken(4.0)], [10.0f32, 20.0].map(|x| Ok(vec![Value::scalar(x)])));
}
