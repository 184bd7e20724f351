use super::super::super::checkpoint::PeerImage;
use super::*;
use bytes::Bytes;
use rustc_hash::FxHashMap;

const DAY: u64 = REMAINING_NS_MAX;

fn id(n: u32) -> PeerId {
    PeerId::from_bytes(n.to_le_bytes()).expect("short")
}
/// So many peers that were connected and have left, one after the other.
fn gone(count: u32) -> (Peers, Vec<PeerIx>) {
    let mut peers = Peers::new(id(u32::MAX));
    let all: Vec<PeerIx> = (0..count).map(|n| peers.intern(&id(n))).collect();
    all.iter().for_each(|ix| peers.leaves(*ix, Time(ix.0.into())));
    (peers, all)
}
fn vacant(peers: &mut Peers, now: u64) -> Option<PeerIx> {
    peers.vacancy(Time(now), Time(now), false, |_| false)
}

#[test]
fn a_place_is_given_away_in_turn_and_numbers_never_begin_again() {
    let (mut peers, all) = gone(3);
    let mut begins = 1;
    for n in 100..10_100 {
        let ix = vacant(&mut peers, 7).expect("all of them are gone");
        assert_eq!(ix, all[(n as usize - 100) % 3]);
        let before = peers.outbox(ix).0.next_number();
        peers.replace(ix, &id(n));
        let first = peers.next_unsettled(ix);
        assert!(first >= begins.max(2) && peers.unnumbered(ix) >= before, "{first}, {before}");
        assert!(!peers.is_of(ix, before - 1) && peers.is_of(ix, first), "numbers say whose they are");
        begins = first;
    }
    assert_eq!((peers.len(), peers.by_id.len(), peers.find(&id(99))), (3, 3, None));
    assert!(peers.gone.strangers.len() <= 2 * 3 + LOOKS_MAX + 1);
    assert!(!peers.is_of(PeerIx(3), 1), "there is no such place");
}

#[test]
fn who_comes_and_goes_does_not_fill_the_queue() {
    let (mut peers, all) = gone(2);
    (0..100_000).for_each(|at| peers.leaves(all[0], Time(at)));
    assert!(peers.gone.strangers.len() <= 2 * 2 + LOOKS_MAX + 1, "{}", peers.gone.strangers.len());
    assert_eq!(
        [vacant(&mut peers, 1), vacant(&mut peers, 1), vacant(&mut peers, 1)],
        [Some(all[1]), Some(all[0]), None]
    );
}

#[test]
fn who_may_have_had_an_effect_is_remembered_until_nothing_of_that_is_left() {
    let (mut peers, all) = gone(0);
    assert!(all.is_empty());
    let ix = peers.intern(&id(1));
    peers.at(ix).mattered = true;
    peers.leaves(ix, Time(5));
    assert_eq!(vacant(&mut peers, DAY + 5), None);
    // A timer of that day has not rung: a frame may be there still.
    assert_eq!(peers.vacancy(Time(3 * DAY), Time(DAY + 5), false, |_| false), None);
    assert_eq!(peers.vacancy(Time(DAY + 6), Time(DAY + 6), false, |ix| ix.0 == 0), None, "the gates keep it waiting");
    assert_eq!(vacant(&mut peers, DAY + 6), Some(ix));
}

#[test]
fn what_a_peer_says_is_settled_makes_nothing_of_it_matter_and_a_message_of_a_member_does() {
    let (mut peers, _) = gone(1);
    let ix = PeerIx(0);
    let peer = peers.at(ix);
    (peer.settled, peer.contiguous) = (1 << 40, 1 << 40);
    peer.classes.insert("Client".into());
    assert!(!peer.matters());
    assert!(peers.is_new(ix, (1 << 40) + 2));
    assert!(peers.at(ix).matters(), "it has come before its turn");
    assert!(peers.is_new(ix, (1 << 40) + 1));
    assert!(peers.at(ix).matters());
    peers.at(ix).classes.clear();
    assert!(!peers.at(ix).matters(), "who is a member of nothing fills nothing");
}

#[test]
fn those_that_are_busy_are_passed_over_and_do_not_cost_more_the_more_they_are() {
    let (mut peers, all) = gone(1000);
    let free = all[LOOKS_MAX + 3];
    let looked = std::cell::Cell::new(0);
    let mut look = || {
        peers.vacancy(Time(1), Time(1), false, |ix| {
            looked.set(looked.get() + 1);
            ix != free
        })
    };
    assert_eq!((look(), look()), (None, Some(free)));
    assert_eq!(looked.get(), LOOKS_MAX + 4);
    let (mut peers, all) = gone(1);
    peers.at(all[0]).violations.push_back(Time(1));
    let second = VIOLATIONS_WITHIN.as_nanos() as u64 + 1;
    assert_eq!([second - 1, second].map(|now| vacant(&mut peers, now)), [None, Some(all[0])]);
}

#[test]
fn this_node_itself_never_leaves() {
    let (mut peers, _) = gone(0);
    let me = peers.me().clone();
    let ix = peers.intern(&me);
    peers.leaves(ix, Time(1));
    assert_eq!(vacant(&mut peers, 3 * DAY), None);
}

#[test]
fn who_is_numbered_in_vain_is_heard_of_again() {
    let (mut peers, _) = gone(2);
    let there = vec![Bytes::from_static(b"there")];
    assert!(peers.set_addresses(id(7), there.clone(), 9));
    peers.intern(&id(7));
    peers.truncate(2);
    assert_eq!((peers.len(), peers.find(&id(7)), peers.addresses(&id(7))), (2, None, there));
    peers.intern(&id(8));
    assert_eq!(peers.find(&id(8)), Some(PeerIx(2)));
    assert!(vacant(&mut peers, 1).is_some());
}

#[test]
fn an_image_says_who_can_be_forgotten_and_how_long_everyone_has_been_gone() {
    let (mut peers, all) = gone(3);
    peers.at(all[1]).mattered = true;
    peers.leaves(all[1], Time(40));
    assert!(peers.set_addresses(id(9), vec![Bytes::from_static(b"x")], 9));
    let images = peers.images(Time(50), &FxHashMap::default());
    let said = |p: &PeerImage| (p.stranger, p.gone_ns, p.is_heard_of());
    let expected = [(true, 0, true), (false, 10, true), (true, 0, true), (true, 0, true)];
    assert_eq!(images.iter().map(said).collect::<Vec<_>>(), expected);
    let known = PeerImage { epoch: Some(1), ..images[0].clone() };
    assert!(!known.is_heard_of() && !PeerImage { first: 2, ..images[0].clone() }.is_heard_of());
    // Of a former version: nothing says that it can be forgotten.
    let mut again = Peers::new(peers.me().clone());
    let ix = again.intern(&id(1));
    again.restore(ix, &PeerImage { stranger: false, gone_ns: 10, ..images[1].clone() }, Vec::new(), Time(100));
    again.all_left();
    assert_eq!([DAY + 90, DAY + 91].map(|now| vacant(&mut again, now)), [None, Some(ix)]);
}
