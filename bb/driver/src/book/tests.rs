//! What is kept, in which order, and for how long. Time is an argument.

use super::*;
use crate::address::parse;
use Source::{Announced, Configured, Observed};

fn peer(n: u16) -> PeerId {
    PeerId::from_bytes(n.to_le_bytes()).expect("short")
}
fn address(port: u16) -> Multiaddr {
    parse(&format!("/ip4/127.0.0.1/tcp/{port}")).expect("an address")
}
/// A book that knows these of the first peer, in that order of time.
fn book(known: &[(u16, Source)]) -> (AddressBook, Instant) {
    let (mut book, mut now) = (AddressBook::default(), Instant::now());
    for (port, source) in known {
        now += Duration::from_secs(1);
        assert!(book.add(&peer(1), address(*port), *source, now));
    }
    (book, now)
}
fn ports(book: &AddressBook, now: Instant) -> Vec<u16> {
    let port = |a: Multiaddr| crate::address::socket(&a).expect("a socket").port();
    book.of(&peer(1), now).into_iter().map(port).collect()
}

#[test]
fn what_was_configured_stays_whatever_is_announced() {
    let (mut book, now) = book(&[(1, Configured), (2, Observed)]);
    for port in 3..20 {
        assert!(book.add(&peer(1), address(port), Announced, now));
    }
    assert!(!book.add(&peer(1), address(1), Announced, now), "known, and as good as before");
    assert_eq!(ports(&book, now), [1, 2, 19, 18, 17, 16, 15, 14], "the newest of those that are as good");
    let displaced: Vec<_> = book.forgotten().into_iter().map(|(_, a, why)| (a, why)).collect();
    assert_eq!(displaced, (3..14).map(|port| (address(port), Forgotten::Displaced)).collect::<Vec<_>>());
    assert_eq!(book.forgotten(), []);
    assert_eq!(book.counters(), Addresses { peers: 1, known: 8, learned: 19, displaced: 11, ..Addresses::default() });
}

#[test]
fn where_everything_is_better_an_address_is_refused() {
    let (mut book, now) = book(&[(1, Configured), (2, Configured), (3, Configured), (4, Configured), (5, Configured)]);
    for port in 6..9 {
        book.reached(&peer(1), address(port), now);
    }
    assert!(!book.add(&peer(1), address(9), Announced, now), "the peer was met at the others");
    assert_eq!(book.forgotten(), [(peer(1), address(9), Forgotten::NoRoom)]);
    assert_eq!((book.counters().refused, book.counters().learned, book.counters().reached), (1, 8, 3));
    assert_eq!(ports(&book, now), [6, 7, 8, 5, 4, 3, 2, 1], "what worked first");
}

#[test]
fn a_score_follows_what_came_of_dials() {
    let (mut book, now) = book(&[(1, Configured), (2, Announced)]);
    book.failed(&peer(1), address(1));
    assert_eq!(ports(&book, now), [2, 1], "what was not tried goes before what failed");
    for _ in 0..10 {
        book.failed(&peer(1), address(2));
    }
    assert_eq!(ports(&book, now), [1, 2]);
    book.reached(&peer(1), address(2), now);
    assert_eq!(ports(&book, now), [2, 1], "once is enough");
    for _ in 0..2 {
        book.failed(&peer(1), address(2));
    }
    assert_eq!(ports(&book, now), [1, 2], "of two that are as bad the better source");
    assert_eq!((book.counters().reached, book.counters().failed), (1, 13));
}

#[test]
fn what_is_not_said_again_is_forgotten_and_what_fails_is_sooner() {
    let (mut book, start) = book(&[(1, Configured), (2, Observed), (3, Announced), (4, Announced)]);
    for _ in 0..4 {
        book.failed(&peer(1), address(4));
    }
    let nobody = |_: &PeerId| false;
    let mut after = |time: Duration| {
        // Sooner than it is swept, it is not given any more.
        let given = ports(&book, start + time);
        book.sweep(start + time, nobody);
        assert_eq!(ports(&book, start + time), given);
        given
    };
    let second = Duration::from_secs(1);
    assert_eq!(after(FAILING_FOR - second), [1, 2, 3, 4]);
    assert_eq!(after(FAILING_FOR), [1, 2, 3]);
    assert_eq!(after(ANNOUNCED_FOR), [1, 2]);
    assert_eq!(after(OBSERVED_FOR), [1]);
    assert_eq!(after(OBSERVED_FOR * 100), [1]);
    let gone: Vec<_> = book.forgotten().into_iter().map(|(_, a, why)| (a, why)).collect();
    assert_eq!(gone, [3, 4, 2].map(|port| (address(port), Forgotten::Expired)));
    assert_eq!(book.counters().expired, 3);
}

#[test]
fn what_is_said_again_or_belongs_to_a_connected_peer_is_as_good_as_new() {
    let (mut book, start) = book(&[(1, Announced)]);
    let later = start + ANNOUNCED_FOR - Duration::from_secs(1);
    assert!(!book.add(&peer(1), address(1), Announced, later));
    book.sweep(start + ANNOUNCED_FOR, |_| false);
    assert_eq!(ports(&book, start + ANNOUNCED_FOR), [1], "it was said again");
    let next = later + ANNOUNCED_FOR;
    book.sweep(next, |p| *p == peer(1));
    assert_eq!(ports(&book, next), [1], "the peer is there");
    assert_eq!(book.next(), Some(next + SWEEP_EVERY));
    book.sweep(next + ANNOUNCED_FOR, |_| false);
    assert_eq!((book.counters().peers, book.next()), (0, None), "nobody is left to look after");
}

#[test]
fn where_another_peer_is_met_nobody_looks_again() {
    let (mut book, now) = book(&[(1, Configured), (2, Observed)]);
    book.someone_else(&peer(1), address(2));
    assert_eq!(book.forgotten(), [(peer(1), address(2), Forgotten::SomeoneElse)]);
    book.someone_else(&peer(1), address(1));
    assert_eq!(ports(&book, now), [1], "but where the user says so");
    assert_eq!((book.counters().someone_else, book.counters().failed), (1, 2));
}

#[test]
fn the_book_is_bounded_and_who_makes_way_is_the_least() {
    let (mut book, now) = (AddressBook::default(), Instant::now());
    book.add(&peer(0), address(1), Configured, now);
    book.reached(&peer(1), address(1), now);
    for n in 2..=PEERS_MAX as u16 {
        assert!(book.add(&peer(n), address(1), Announced, now));
    }
    let known = |book: &AddressBook, n: u16| !book.of(&peer(n), now).is_empty();
    assert_eq!([0, 1, 2, 3].map(|n| known(&book, n)), [true, true, false, true], "who was heard of first");
    book.failed(&peer(9), address(1));
    assert!(book.add(&peer(5000), address(1), Observed, now));
    assert_eq!([3, 9].map(|n| known(&book, n)), [true, false], "or who is not where it was said to be");
    assert_eq!(book.counters().known, PEERS_MAX);
    assert_eq!(book.counters().displaced, 2);
    for n in 0..PEERS_MAX as u16 {
        book.add(&peer(n), address(1), Configured, now);
    }
    assert!(!book.add(&peer(6000), address(1), Observed, now), "nobody is worth less");
    assert_eq!(book.counters().refused, 1);
    assert_eq!(book.counters().peers, PEERS_MAX);
}
