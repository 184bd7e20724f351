//! What is queued, refused, and next.

use super::*;
use crate::plane::sample::Note;

fn refused(link: &Link<Note>, note: Note) -> Refusal {
    link.send(note).expect_err("refused").reason
}

/// A stream whose Hello has gone out.
fn greeted() -> (Link<Note>, Queues<Note>) {
    let (link, mut queues) = Link::new(Bytes::new());
    assert!(matches!(queues.next_between(), Some(Next::Hello(_))));
    (link, queues)
}

fn id(next: Option<Next<Note>>) -> Option<SendId> {
    next.map(|n| if let Next::Message(note) = n { note.id() } else { panic!("a Hello") })
}

#[tokio::test]
async fn a_full_queue_says_no_at_once_and_takes_more_when_something_is_out() {
    let (link, mut queues) = greeted();
    for id in 0..QUEUE_MESSAGES_MAX as u64 {
        assert_eq!(link.send(Note::data(id, 1)), Ok(()));
    }
    let no = Lost { id: SendId { peer: 0, seq: 9_999 }, reason: Refusal::QueueFull };
    assert_eq!(link.send(Note::data(9_999, 1)), Err(no));
    assert_eq!(link.send(Note::control(7)), Ok(()), "control has a queue of its own");
    assert_eq!(id(queues.next().await), Some(SendId { peer: 0, seq: 7 }), "and goes first");
    assert_eq!(id(queues.next().await), Some(SendId { peer: 0, seq: 0 }));
    assert_eq!(link.send(Note::data(9_999, 1)), Ok(()));
}

#[tokio::test]
async fn bytes_are_bounded_too_but_one_message_always_fits() {
    let (link, mut queues) = greeted();
    assert_eq!(link.send(Note::data(1, QUEUE_BYTES_MAX + 1)), Ok(()));
    assert_eq!(refused(&link, Note::data(2, 1)), Refusal::QueueFull);
    assert!(queues.next().await.is_some());
    assert_eq!(link.send(Note::data(2, 1)), Ok(()));
}

#[test]
fn a_writer_that_is_gone_is_a_lost_peer() {
    let (link, mut queues) = Link::new(Bytes::new());
    assert_eq!(link.send(Note::data(1, 1)), Ok(()));
    assert_eq!(queues.drain(), [SendId { peer: 0, seq: 1 }]);
    assert_eq!(refused(&link, Note::data(2, 1)), Refusal::PeerLost);
}

#[tokio::test]
async fn the_newest_hello_goes_before_all_that_waits() {
    let (link, mut queues) = Link::<Note>::new(Bytes::from_static(b"first"));
    let hello = async |queues: &mut Queues<Note>| match queues.next().await {
        Some(Next::Hello(hello)) => Some(hello),
        _ => None,
    };
    assert_eq!(hello(&mut queues).await.as_deref(), Some(&b"first"[..]));
    link.hello(Bytes::from_static(b"second"));
    assert_eq!(link.send(Note::data(1, 1)), Ok(()));
    link.hello(Bytes::from_static(b"third"));
    assert_eq!(hello(&mut queues).await.as_deref(), Some(&b"third"[..]));
    link.hello(Bytes::from_static(b"last"));
    drop(link);
    assert!(matches!(queues.next_between(), Some(Next::Hello(hello)) if hello == b"last"[..]));
    assert!(queues.next_between().is_none(), "data does not stand between");
    assert_eq!(id(queues.next().await), Some(SendId { peer: 0, seq: 1 }));
    assert!(queues.next().await.is_none());
}

#[tokio::test]
async fn control_waits_for_no_more_data_than_a_chunk() {
    let (link, mut queues) = greeted();
    let sizes = [CHUNK_BYTES_MAX - 1, 1, 1, 1];
    for (id, size) in sizes.into_iter().enumerate() {
        assert_eq!(link.send(Note::data(id as u64, size)), Ok(()));
    }
    let mut order = vec![id(queues.next().await)];
    assert_eq!(link.send(Note::control(9)), Ok(()));
    drop(link);
    while let Some(next) = queues.next().await {
        order.push(id(Some(next)));
    }
    assert_eq!(order.iter().flatten().map(|id| id.seq).collect::<Vec<_>>(), [0, 1, 9, 2, 3]);
}

#[tokio::test]
async fn a_writer_that_waits_wakes_for_what_was_queued_before_it_was_rung() {
    let (link, mut queues) = greeted();
    let mut next = std::pin::pin!(queues.next());
    assert!(futures::poll!(&mut next).is_pending());
    assert_eq!(link.send(Note::data(1, 1)), Ok(()));
    link.ring();
    assert_eq!(id(next.await), Some(SendId { peer: 0, seq: 1 }));
}
