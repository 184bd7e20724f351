//! Which connection counts, what waits, and when a peer is lost.

use super::*;
use crate::plane::Next;
use crate::plane::sample::Note;
use bb_engine::SendId;

const SAID: Said = Said { epoch: 1, frame_bytes_max: 1 << 20 };
fn peer(n: u8) -> PeerId {
    PeerId::from_bytes(vec![n]).expect("short")
}
fn connection(n: usize) -> ConnectionId {
    ConnectionId::new_unchecked(n)
}
fn id_of(next: Next<Note>) -> SendId {
    match next {
        Next::Message(note) => note.id(),
        Next::Hello(_) => panic!("nobody has told a further Hello"),
    }
}
fn task() -> AbortHandle {
    tokio::spawn(std::future::pending::<()>()).abort_handle()
}
/// A connection that is up both ways, and its writer's end; the writer itself has written all.
fn up(
    peers: &mut Peers<Note>,
    id: &PeerId,
    n: usize,
    dialled: bool,
    said: Said,
) -> (Heard, crate::plane::Queues<Note>) {
    let (link, mut queues) = Link::new(bytes::Bytes::new());
    assert!(matches!(queues.next_between(), Some(Next::Hello(_))), "it has gone out");
    peers.connected(id, connection(n), dialled, Instant::now());
    assert!(peers.read(id, connection(n), task));
    assert!(!peers.read(id, connection(n), task), "one stream");
    peers.linked(id, connection(n), link, tokio::spawn(async {}).abort_handle());
    (peers.heard(id, connection(n), said), queues)
}

#[tokio::test]
async fn both_peers_settle_on_the_connection_that_the_smaller_one_dialled() {
    for (me, other, mine_wins) in [(peer(1), peer(2), true), (peer(2), peer(1), false)] {
        for mine_first in [true, false] {
            let mut peers = Peers::new(me.clone());
            let (_, mut first) = up(&mut peers, &other, 0, mine_first, SAID);
            assert_eq!(peers.send(&other, Note::data(1, 1), Instant::now), Ok(()));
            let (heard, mut second) = up(&mut peers, &other, 1, !mine_first, SAID);
            assert_eq!(heard, Heard::Again);
            assert_eq!(peers.send(&other, Note::data(2, 1), Instant::now), Ok(()));
            let first_wins = mine_first == mine_wins;
            // What was queued before goes out all the same; then the loser's writer is let go.
            assert_eq!(first.next().await.map(id_of), Some(SendId { peer: 0, seq: 1 }));
            let (winner, loser) = if first_wins { (&mut first, &mut second) } else { (&mut second, &mut first) };
            assert_eq!(winner.next().await.map(id_of), Some(SendId { peer: 0, seq: 2 }));
            assert!(loser.next().await.is_none(), "let go");
            // The other side lets go as well: its goodbye is not the peer's end.
            let loser = connection(if first_wins { 1 } else { 0 });
            assert!(!peers.ended(&other, loser, true));
            // Once its writer has ended, nothing is lost with it.
            tokio::task::yield_now().await;
            assert!(!peers.closed(&other, loser, false));
            assert!(peers.is_connected(&other));
        }
    }
}

#[tokio::test]
async fn a_second_connection_without_hello_is_not_written_to_alone() {
    let mut peers = Peers::new(peer(1));
    let (_, first) = up(&mut peers, &peer(2), 0, false, SAID);
    peers.connected(&peer(2), connection(1), true, Instant::now());
    let (link, _second) = Link::new(bytes::Bytes::new());
    peers.linked(&peer(2), connection(1), link, task());
    assert!(!first.is_let_go(), "the second has not been heard on");
    let now = Instant::now() + HELLO_WITHIN;
    assert_eq!(peers.silent(now), [(peer(2), connection(1))]);
}

#[tokio::test]
async fn a_restarted_peer_ends_what_was_there_of_it() {
    let mut peers = Peers::new(peer(1));
    let (heard, mut old) = up(&mut peers, &peer(2), 0, true, SAID);
    assert_eq!(heard, Heard::First);
    let (heard, _new) = up(&mut peers, &peer(2), 1, false, Said { epoch: 2, ..SAID });
    assert_eq!(heard, Heard::Anew(Parting::Restarted, vec![connection(0)]));
    assert!(old.next().await.is_none());
    assert!(!peers.is_heard(&peer(2), connection(0)));
    assert!(peers.is_heard(&peer(2), connection(1)));
}

#[tokio::test]
async fn a_peer_that_dials_again_has_lost_what_it_dialled_before() {
    let mut peers = Peers::new(peer(1));
    let (_, mut old) = up(&mut peers, &peer(2), 0, false, SAID);
    let (heard, mut new) = up(&mut peers, &peer(2), 1, false, SAID);
    assert_eq!(heard, Heard::Anew(Parting::Lost, vec![connection(0)]));
    assert!(old.next().await.is_none());
    assert_eq!(peers.send(&peer(2), Note::data(1, 1), Instant::now), Ok(()));
    assert_eq!(new.next().await.map(id_of), Some(SendId { peer: 0, seq: 1 }));
    assert!(!peers.ended(&peer(2), connection(0), false), "it was given up already");
    assert!(!peers.closed(&peer(2), connection(0), true));
}

#[test]
fn messages_wait_for_a_connection_and_then_no_longer() {
    let (mut peers, now) = (Peers::new(peer(1)), Instant::now());
    for id in 0..WAITING_MAX as u64 {
        assert_eq!(peers.send(&peer(2), Note::data(id, 1), || now), Ok(()));
    }
    let full = Lost { id: SendId { peer: 0, seq: 5000 }, reason: Refusal::QueueFull };
    assert_eq!(peers.send(&peer(2), Note::data(5000, 1), || now), Err(full));
    assert_eq!(peers.dial_next(now), [peer(2)]);
    assert_eq!(peers.dial_next(now), [], "one attempt at a time");
    assert_eq!(peers.next(), Some(now + REDIAL_AFTER));
    assert_eq!(peers.expired(now + WAIT_MAX).len(), WAITING_MAX);
    assert_eq!(peers.next(), None);
    assert!(peers.of.is_empty(), "nothing is left of a peer that nobody waits for");
}

#[tokio::test]
async fn a_message_larger_than_the_peer_takes_is_refused() {
    let mut peers = Peers::new(peer(1));
    let (_, _queues) = up(&mut peers, &peer(2), 0, true, SAID);
    let large = Note::data(3, 1 << 20);
    let lost = Lost { id: SendId { peer: 0, seq: 3 }, reason: Refusal::TooLarge };
    assert_eq!(peers.send(&peer(2), large, Instant::now), Err(lost));
}

#[tokio::test]
async fn the_last_goodbye_and_any_cut_are_the_loss_of_the_peer() {
    for goodbye in [true, false] {
        let mut peers = Peers::new(peer(1));
        let (_, _first) = up(&mut peers, &peer(2), 0, true, SAID);
        let (_, _second) = up(&mut peers, &peer(2), 1, false, SAID);
        assert_eq!(peers.ended(&peer(2), connection(1), goodbye), !goodbye);
        assert!(peers.ended(&peer(2), connection(0), goodbye));
        assert!(!peers.ended(&peer(2), connection(0), goodbye), "once");
    }
}

#[tokio::test]
async fn a_lost_peer_leaves_nothing_once_its_connections_are_closed() {
    let mut peers = Peers::new(peer(1));
    let (_, _queues) = up(&mut peers, &peer(2), 0, true, SAID);
    assert!(!peers.closed(&peer(2), connection(0), false), "its reader tells");
    assert!(peers.ended(&peer(2), connection(0), false));
    assert!(peers.lost(&peer(2)));
    assert!(peers.of.is_empty());
}

#[tokio::test]
async fn a_connection_that_this_node_closes_is_a_loss_at_once_and_its_reader_ends() {
    let mut peers = Peers::<Note>::new(peer(1));
    let mut readers = tokio::task::JoinSet::new();
    peers.connected(&peer(2), connection(0), true, Instant::now());
    assert!(peers.read(&peer(2), connection(0), || readers.spawn(std::future::pending::<()>())));
    assert!(peers.closed(&peer(2), connection(0), true));
    assert!(readers.join_next().await.is_some_and(|r| r.is_err_and(|e| e.is_cancelled())));
    assert!(peers.of.is_empty());
}

#[tokio::test]
async fn a_connection_that_closes_while_it_is_still_written_to_is_a_loss() {
    let mut peers = Peers::new(peer(1));
    let (_, _best) = up(&mut peers, &peer(2), 0, true, SAID);
    peers.connected(&peer(2), connection(1), false, Instant::now());
    assert!(peers.read(&peer(2), connection(1), task));
    let (link, _queues) = Link::new(bytes::Bytes::new());
    peers.linked(&peer(2), connection(1), link, task());
    assert!(!peers.ended(&peer(2), connection(1), true), "the other one is there");
    assert!(peers.closed(&peer(2), connection(1), false), "but what this one had to write is gone");
}

#[tokio::test]
async fn peers_for_whom_there_is_nothing_to_do_are_not_asked_each_turn() {
    let (mut peers, mut queues) = (Peers::new(peer(1)), Vec::new());
    let now = Instant::now();
    for n in 2..=100 {
        queues.push(up(&mut peers, &peer(n), n.into(), true, SAID));
    }
    // One is connected and silent, one not connected.
    peers.connected(&peer(200), connection(200), false, now);
    assert_eq!(peers.send(&peer(201), Note::data(1, 1), || now), Ok(()));
    assert_eq!(peers.dial_next(now), [peer(201)]);
    assert_eq!(peers.timed.iter().cloned().collect::<Vec<_>>(), [peer(200), peer(201)]);
    assert_eq!(peers.next(), Some(now + REDIAL_AFTER));
    let late = now + HELLO_WITHIN;
    assert_eq!(peers.silent(late), [(peer(200), connection(200))]);
    assert_eq!(peers.expired(late).len(), 1);
    assert!(peers.dial_next(late).is_empty() && !peers.of.contains_key(&peer(201)), "nothing is left of it");
    assert_eq!(peers.timed.iter().cloned().collect::<Vec<_>>(), [peer(200)]);
}
