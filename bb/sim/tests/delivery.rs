//! What is accepted for sending arrives once at the same process, or fails with a reason.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{CallError, Event, Usage};
use bb::ir::failure::FailureCode;
use bb::prelude::*;
use bb_sim::{Link, NodeIx, What, World};

const HELPER: NodeIx = NodeIx(1);

#[bb::module]
fn there_and_back(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>) -> On<Asker, f32> {
    let there = graph.wire(x, to);
    graph.wire(digits(there, there), there.sender::<Asker>())
}

fn slow(delay: u32) -> (World, Vec<bb::engine::Arg>) {
    let mut world = world(&bb::compile(there_and_back), 1);
    world.set_link(Link::default().delay(delay * S / 10..=delay * S / 10));
    (world, vec![number(1.0), peer(1)])
}

#[test]
fn what_a_lossy_network_loses_is_sent_again_and_counts_once() {
    let (mut world, args) = slow(1);
    world.set_link(Link::default().delay(S / 100..=S / 10).drop(0.3).duplicate(0.3).reorder(0.3));
    let calls: Vec<_> = (0..50).map(|_| world.call(ASKER, args.clone(), 60 * S)).collect();
    world.run_until(59 * S);
    let answers = calls.iter().filter(|c| world.result(**c).is_some_and(Result::is_ok)).count();
    assert_eq!(answers, 50);
    assert!(world.faults().dropped > 30, "{:?}", world.faults());
    assert_eq!(
        events(&world, |e| matches!(e, Event::DuplicateFill { .. } | Event::Late { .. } | Event::SendFailed { .. })),
        0
    );
    world.run_until(120 * S);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

#[test]
fn what_was_in_flight_when_a_connection_broke_arrives_over_the_next_one() {
    for broken_at in [1, 4, 7] {
        // The message leaves at 0 and arrives at 3, the answer at 6 tenths of a second.
        let (mut world, args) = slow(3);
        let call = world.call(ASKER, args, 60 * S);
        world.run_until(broken_at * S / 10);
        world.disconnect(ASKER, HELPER);
        world.run_until(2 * S);
        assert_eq!(world.result(call).is_some(), broken_at == 7);
        world.connect(ASKER, HELPER);
        world.run_until(4 * S);
        assert!(matches!(world.result(call), Some(Ok(_))), "broken at {broken_at}: {:?}", world.result(call));
        world.run_until(9 * S);
        assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2], "broken at {broken_at}");
    }
}

#[test]
fn a_peer_that_does_not_come_back_is_lost() {
    let (mut world, args) = slow(3);
    let call = world.call(ASKER, args, 60 * S);
    world.run_until(S / 10);
    world.disconnect(ASKER, HELPER);
    world.run_until(11 * S);
    let Some(Err(CallError::Failed(cause))) = world.result(call) else { panic!("{:?}", world.result(call)) };
    assert_eq!(cause.code, FailureCode::PeerLost);
    assert_eq!(world.usage(ASKER), Some(Usage::default()));
}

#[test]
fn a_peer_that_was_started_again_answers_nothing_of_before() {
    for killed_at in [1, 4] {
        let (mut world, args) = slow(3);
        let call = world.call(ASKER, args, 60 * S);
        world.run_until(killed_at * S / 10);
        world.kill(HELPER);
        world.run_until(S);
        world.start(HELPER).expect("installs");
        world.connect(ASKER, HELPER);
        world.run_until(2 * S);
        let Some(Err(CallError::Failed(cause))) = world.result(call) else { panic!("{:?}", world.result(call)) };
        assert_eq!(cause.code, FailureCode::PeerRestarted, "killed at {killed_at}");
        // Numbers go on, and nothing waits for those that were given up.
        let args = vec![number(1.0), peer(1)];
        let next = world.call(ASKER, args, 60 * S);
        world.run_until(5 * S);
        assert!(matches!(world.result(next), Some(Ok(_))), "{:?}", world.result(next));
        assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2], "killed at {killed_at}");
    }
}

/// The process that a message is going to is not known before it says Hello: it may have sent nothing yet.
#[test]
fn nothing_of_a_former_process_is_acknowledged_to_the_next() {
    let (mut world, args) = slow(1);
    for _ in 0..5 {
        world.call(ASKER, args.clone(), 60 * S);
    }
    world.run_until(2 * S);
    world.kill(HELPER);
    world.run_until(3 * S);
    // It waits for a connection, and goes out before the other side has said who it is.
    let call = world.call(ASKER, args.clone(), 60 * S);
    world.start(HELPER).expect("installs");
    world.connect(ASKER, HELPER);
    world.run_until(5 * S);
    assert!(world.result(call).is_some());
    let next = world.call(ASKER, args, 60 * S);
    world.run_until(7 * S);
    assert!(matches!(world.result(next), Some(Ok(_))), "{:?}", world.result(next));
    assert_eq!(events(&world, |e| matches!(e, Event::EnvelopeRefused { .. })), 0);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
}

/// What was sent again often is waited for long; what is new is not.
#[test]
fn every_message_has_its_own_wait() {
    let (mut world, args) = slow(1);
    let lossy = |world: &mut World, part| {
        world.set_link_between(ASKER, HELPER, Link::default().delay(S / 10..=S / 10).drop(part));
    };
    lossy(&mut world, 1.0);
    for _ in 0..3 {
        world.call(ASKER, args.clone(), 4 * S);
        world.run_until(world.elapsed() + 10 * S);
    }
    let before = world.elapsed();
    let call = world.call(ASKER, args, 4 * S);
    world.run_until(before + S / 2);
    lossy(&mut world, 0.0);
    world.run_until(before + 2 * S);
    assert!(matches!(world.result(call), Some(Ok(_))), "{:?}", world.result(call));
}

#[test]
fn a_burst_of_2000_messages_is_acknowledged_to_the_last_and_none_is_sent_twice() {
    let (mut world, args) = slow(1);
    for _ in 0..2000 {
        world.call(ASKER, args.clone(), 60 * S);
    }
    world.run_until(5 * S);
    assert_eq!([ASKER, HELPER].map(|n| world.usage(n)), [Some(Usage::default()); 2]);
    let sent = world.trace().iter().filter(|r| matches!(r.what, What::Sent { bytes: 60.., .. })).count();
    assert_eq!(sent, 4000);
}

#[test]
fn what_waits_long_for_a_silent_peer_waits_no_longer_once_it_is_heard() {
    let (mut world, args) = slow(1);
    for ends in [(ASKER, HELPER), (HELPER, ASKER)] {
        world.set_link_between(ends.0, ends.1, Link::default().drop(1.0));
    }
    let lost = world.call(ASKER, args.clone(), 3 * S);
    for at in 4..10 {
        // Its number has to arrive all the same, and is sent again over every connection.
        world.run_until(at * S);
        world.disconnect(ASKER, HELPER);
        world.call(ASKER, args.clone(), 3 * S);
        world.connect(ASKER, HELPER);
    }
    world.run_until(15 * S);
    assert!(world.result(lost).is_some_and(Result::is_err));
    for ends in [(ASKER, HELPER), (HELPER, ASKER)] {
        world.clear_link_between(ends.0, ends.1);
    }
    let before = world.counters();
    let call = world.call(ASKER, args, 10 * S);
    world.run_until(40 * S);
    assert!(world.result(call).is_some_and(Result::is_ok));
    // Both messages are known to have arrived, though numbers before them were missing for a while.
    let after = world.counters();
    assert_eq!((after.delivered - before.delivered, after.expired - before.expired), (2, 0), "{after}");
}

#[test]
fn what_comes_for_a_frame_whose_time_was_out_is_late() {
    let program =
        bb::compile(|graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peer<Helper>>, by: On<Asker, Peer<Helper>>| {
            let direct = graph.wire(x, to);
            let way = graph.wire(x, by);
            let round = graph.wire(graph.wire(way, way.sender::<Asker>()), to);
            graph.wire(digits(direct, round), direct.sender::<Asker>())
        });
    let mut world = world(&program, 2);
    // A quarter of a second is written down when a message leaves, and it takes two.
    world.set_link_between(ASKER, HELPER, Link::default().delay(2 * S..=2 * S));
    for ends in [(ASKER, NodeIx(2)), (NodeIx(2), ASKER)] {
        world.set_link_between(ends.0, ends.1, Link::default().delay(S / 20..=S / 20));
    }
    let call = world.call(ASKER, vec![number(1.0), peer(1), peer(2)], S / 4);
    world.run_until(S / 20);
    world.set_link_between(ASKER, HELPER, Link::default().delay(4 * S..=4 * S));
    world.run_until(20 * S);
    assert!(world.result(call).is_some_and(Result::is_err));
    let expired = world.events_of(HELPER).filter(|e| matches!(e, Event::FrameExpired { .. })).count();
    let late = world.events_of(HELPER).filter(|e| matches!(e, Event::Late { .. })).count();
    assert_eq!((expired, late), (1, 1));
}
