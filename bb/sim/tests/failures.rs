//! What a failure does to the rest of its execution: nobody waits for what will not come.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{Arg, CallError, Event, Limits, Membership, Usage, Value};
use bb::ir::failure::FailureCode;
use bb::ir::value::RawTensor;
use bb::prelude::*;
use bb_sim::{Host, Link, NodeIx, World, peer_id};
use std::time::Duration;

/// `ask` asserts that no node holds anything half a minute later, half of the call's budget.
fn fails_everywhere(program: &bb::Compiled, args: Vec<Arg>) {
    let mut world = world(program, 1);
    world.set_link(Link::default().delay(S / 100..=S / 100));
    let answer = ask(&mut world, args);
    assert!(matches!(&answer, Err(CallError::Failed(c)) if c.message.contains("not positive")), "{answer:?}");
}

#[test]
fn a_peer_that_got_one_wire_of_a_failed_call_learns_that_the_other_will_not_come() {
    let program = bb::compile(|graph: &Graph, y: On<Asker, f32>, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let twice = digits(x, x);
        let z = positive(digits(twice, twice));
        let (a, b) = (graph.wire(y, to), graph.wire(digits(z, z), to));
        (z, graph.wire(digits(a, b), a.sender::<Asker>()))
    });
    fails_everywhere(&program, vec![number(2.0), number(-4.0), peer(1)]);
}

#[test]
fn a_wire_that_was_ready_when_the_call_failed_is_not_waited_for() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let z = positive(digits(x, x));
        let ready = digits(x, x);
        let (a, b) = (graph.wire(x, to), graph.wire(ready, to));
        (z, graph.wire(digits(a, b), a.sender::<Asker>()))
    });
    fails_everywhere(&program, vec![number(-4.0), peer(1)]);
}

#[test]
fn a_call_dropped_between_two_wires_is_not_waited_for() {
    let program =
        bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>, two: On<Asker, Peer<Helper>>| {
            let (a, far) = (graph.wire(x, to), graph.wire(x, two));
            let b = graph.wire(graph.wire(far, far.sender::<Asker>()), to);
            graph.wire(digits(a, b), a.sender::<Asker>())
        });
    let mut world = world(&program, 2);
    world.set_link(Link::default().delay(S..=S));
    let call = world.call(ASKER, vec![number(1.0), peer(1), peer(2)], 60 * S);
    world.run_until(world.elapsed() + S + S / 2);
    assert_eq!(world.usage(NodeIx(1)).expect("alive").frames, 1);
    world.drop_call(call);
    world.run_until(world.elapsed() + 5 * S);
    assert_eq!(world.usage(NodeIx(1)), Some(Usage::default()));
}

#[test]
fn a_deadline_says_which_wire_of_the_program_brought_nothing() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let there = graph.wire(x, to);
        graph.wire(digits(there, there), there.sender::<Asker>())
    });
    let mut world = world(&program, 1);
    world.kill(NodeIx(1));
    let call = world.call(ASKER, vec![number(1.0), peer(1)], 3 * S);
    world.run(world.elapsed() + 10 * S);
    let Some(Err(error)) = world.result(call) else { panic!("{:?}", world.result(call)) };
    assert!(error.to_string().contains("the wire of tests/failures.rs:"), "{error}");
    let end = format!(", from a `Helper`): {} is not connected", peer_id(1));
    assert!(error.to_string().ends_with(&end), "{error}");
}

#[test]
fn a_deadline_says_which_peer_is_no_member_of_the_class_that_was_asked() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>| {
        let there = graph.wire(x, to);
        graph.wire(digits(there, there), there.sender::<Asker>())
    });
    let mut world = world(&program, 0);
    world.add(vec![Host::new(program.artifact("Asker").expect("compiled").bytes.clone())]).expect("installs");
    world.connect_all();
    let mut says = |to: usize, what: &str| {
        let call = world.call(ASKER, vec![number(1.0), peer(to)], 3 * S);
        world.run(world.elapsed() + 10 * S);
        let Some(Err(error)) = world.result(call) else { panic!("{:?}", world.result(call)) };
        assert!(error.to_string().ends_with(&format!("{} {what}", peer_id(to))), "{error}");
    };
    says(1, "is no `Helper` (it is a `Asker`)");
    says(0, "is this node, which is no `Helper` (it is a `Asker`)");
}

#[test]
fn an_empty_cohort_says_how_many_run_another_build() {
    let sum = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        graph.wire(digits(there, there), there.sender::<Asker>()).sum()
    });
    let other = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        graph.wire(positive(there), there.sender::<Asker>()).sum()
    });
    let mut world = world(&sum, 0);
    for more in 0..3 {
        let Err(CallError::Failed(cause)) = ask(&mut world, vec![number(1.0), EVERYONE]) else {
            panic!("nobody answers")
        };
        let why = match more {
            0 => "",
            1 => ": 1 connected peer of the class `Helper` runs another build",
            _ => ": 2 connected peers of the class `Helper` run another build",
        };
        assert_eq!(cause.message, format!("the cohort is empty{why}"));
        world.add(vec![Host::new(other.artifact("Helper").expect("compiled").bytes.clone())]).expect("installs");
        world.connect_all();
    }
}

#[test]
fn at_a_deadline_what_a_gather_has_made_ready_is_cancelled_and_told() {
    let program = bb::compile(
        |graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>, to: On<Asker, Peer<Helper>>| {
            let there = graph.wire(x, cohort);
            let back = graph.wire(there, there.sender::<Asker>()).quorum(0.5).within(Duration::from_secs(3));
            let (a, b) = (graph.wire(x, to), graph.wire(back.sum(), to));
            graph.wire(digits(a, b), a.sender::<Asker>())
        },
    );
    let mut world = world(&program, 2);
    world.set_link(Link::default().delay(S..=S));
    world.set_link_between(NodeIx(2), ASKER, Link::default().drop(1.0));
    let call = world.call(ASKER, vec![number(1.0), EVERYONE, peer(1)], 3 * S);
    world.run_until(world.elapsed() + 2 * S);
    world.set_link(Link::default().delay(S / 10..=S / 10));
    // The helper's time began a second later than the asker's: it hears before that is over.
    world.run_until(world.elapsed() + S + S / 2);
    assert!(matches!(world.result(call), Some(Err(CallError::Deadline { .. }))), "{:?}", world.result(call));
    assert_eq!(world.usage(NodeIx(1)), Some(Usage::default()));
}

#[test]
fn within_counts_for_each_member_from_the_last_message_to_it() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        let mut again = None;
        let back = graph.wire(there, there.sender::<Asker>());
        let _first = back.each(|y| {
            let second = graph.wire(digits(y, y), y.sender::<Helper>());
            again = Some(graph.wire(second, second.sender::<Asker>()));
            y
        });
        again.expect("the body ran").quorum(0.5).within(Duration::from_secs(12)).count()
    });
    // Helper 2 takes ten seconds for each answer, helper 3 never answers.
    let mut world = world(&program, 3);
    world.set_link_between(NodeIx(2), ASKER, Link::default().delay(10 * S..=10 * S));
    world.set_link_between(NodeIx(3), ASKER, Link::default().drop(1.0));
    let call = world.call(ASKER, vec![number(5.0), EVERYONE], 60 * S);
    world.run_until(world.elapsed() + 19 * S);
    assert_eq!(world.result(call), None);
    world.run_until(world.elapsed() + 2 * S);
    assert_eq!(world.result(call), Some(&Ok(vec![Value::scalar(2u64)])));
}

fn kilobytes(n: u64) -> Arg {
    let tensor = RawTensor::from_vec(&[n * 256], vec![0.0f32; n as usize * 256]);
    Arg::Value(Value::Tensor(tensor.expect("as many as the shape says")))
}

#[test]
fn a_member_whose_message_is_refused_has_failed_at_once() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, Tensor>, cohort: On<Asker, Peers<Helper>>| {
        let there = graph.wire(x, cohort);
        graph.wire(there, there.sender::<Asker>()).quorum(0.5).count()
    });
    let small = Limits { bytes_max: 50_000, ..Limits::default() };
    let mut world = world_with(&program, &[small, Limits::default()]);
    assert_eq!(ask(&mut world, vec![kilobytes(10), EVERYONE]), Ok(vec![2.0]));
    // One of two is enough, and nobody waits for the other: the call is over long before its time.
    assert_eq!(ask(&mut world, vec![kilobytes(60), EVERYONE]), Ok(vec![1.0]));
    assert_eq!(events(&world, |e| matches!(e, Event::LimitReached { .. })), 1);
}

#[test]
fn a_message_to_the_node_itself_that_no_frame_holds_fails_its_lane_alone() {
    let program = bb::compile(|graph: &Graph, x: On<Asker, Tensor>, to: On<Asker, Peers<Asker>>| {
        let there = graph.wire(x, to);
        graph.wire(there, there.sender::<Asker>()).quorum(0.5).count()
    });
    let mut small = Limits::default();
    small.wire.frame_bytes_max = 50_000;
    let host = || vec![Host::new(program.artifact("Asker").expect("compiled").bytes.clone())];
    let mut world = World::new(7, bb::kernels());
    for _ in 0..2 {
        world.add_with(host(), Membership::open(), small.clone()).expect("installs");
    }
    world.connect_all();
    let both = || Arg::AllPeers { and_self: true };
    assert_eq!(ask(&mut world, vec![kilobytes(10), both()]), Ok(vec![2.0]));
    let answer = ask(&mut world, vec![kilobytes(60), both()]);
    let Err(CallError::Failed(cause)) = answer else { panic!("{answer:?}") };
    let missing = cause.quorum.expect("a quorum").missing;
    assert_eq!(missing[0], (peer_id(0), FailureCode::SendRefused));
}

#[bb::role]
pub trait Moody {
    fn answer(&mut self, x: f32) -> Result<f32, &'static str>;
}
/// Fails so many times.
struct Fails(u32);
impl Moody for Fails {
    fn answer(&mut self, x: f32) -> Result<f32, &'static str> {
        let before = self.0;
        self.0 = before.saturating_sub(1);
        if before > 0 { Err("not now") } else { Ok(x) }
    }
}

#[test]
fn a_member_that_failed_is_asked_again_where_its_answer_was_not_needed() {
    let program =
        bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>, moody: MoodyAt<Helper>| {
            let there = graph.wire(x, cohort);
            let first = graph.wire(moody.answer(there), there.sender::<Asker>()).quorum(0.5).sum();
            let again = graph.wire(first, cohort);
            let back = graph.wire(moody.answer(again), again.sender::<Asker>()).quorum(0.5);
            (back.sum(), back.count())
        });
    for (failures, expected) in [(0, [9.0, 3.0]), (1, [6.0, 3.0]), (2, [4.0, 2.0])] {
        let mut world = World::new(7, bb::kernels());
        let host = |class: &str| Host::new(program.artifact(class).expect("it takes part").bytes.clone());
        world.add(vec![host("Asker")]).expect("installs");
        for helper in 0..3 {
            let fails = if helper == 1 { failures } else { 0 };
            let moody = move || <MoodyAt<Helper> as bb::__private::Accepts<Fails>>::component(Fails(fails));
            world.add(vec![host("Helper").bind("c", moody)]).expect("installs");
        }
        world.connect_all();
        assert_eq!(ask(&mut world, vec![number(1.0), EVERYONE]), Ok(expected.into()), "{failures} failures");
    }
}

#[test]
fn a_member_that_is_missing_says_why() {
    #[bb::role]
    trait Strict {
        fn check(&mut self, x: f32) -> Result<f32, String>;
    }
    struct Wordy(usize);
    impl Strict for Wordy {
        fn check(&mut self, _: f32) -> Result<f32, String> {
            if self.0 == 0 { panic!("division by a duck") } else { Err("no ".repeat(self.0)) }
        }
    }
    let program =
        bb::compile(|graph: &Graph, x: On<Asker, f32>, cohort: On<Asker, Peers<Helper>>, strict: StrictAt<Helper>| {
            let there = graph.wire(x, cohort);
            graph.wire(strict.check(there), there.sender::<Asker>()).quorum(0.1).within(Duration::from_secs(5)).sum()
        });
    let mut world = World::new(7, bb::kernels());
    let host = |class: &str| Host::new(program.artifact(class).expect("it takes part").bytes.clone());
    world.add(vec![host("Asker")]).expect("installs");
    for words in [0, 1000] {
        let strict = move || <StrictAt<Helper> as bb::__private::Accepts<Wordy>>::component(Wordy(words));
        world.add(vec![host("Helper").bind("c", strict)]).expect("installs");
    }
    world.connect_all();
    let cohort = || Arg::Value(Value::Seq((0..3).map(|i| Value::Peer(peer_id(i))).collect()));
    let Err(CallError::Failed(cause)) = ask(&mut world, vec![number(1.0), cohort()]) else { panic!("it fails") };
    let has = |text: &str| assert!(cause.message.contains(text), "{cause}");
    has(&format!("{} (Deadline: is this node, which is no `Helper`", peer_id(0)));
    has(&format!("{} (OpFailed: `", peer_id(1)));
    has("division by a duck)");
    has("no n…)");
    assert!(cause.message.len() < 1000, "{cause}");
}
