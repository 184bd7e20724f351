use super::*;
use crate::scan::ScanError;
use proptest::collection::vec;
use proptest::prelude::*;

prop_compose! {
    fn wires()(id: u64, from_class in "[A-Z][a-z]{0,9}", to_class in ".{0,16}", type_hashes in vec(any::<u64>(), 0..4))
        -> WireOffer {
        WireOffer { id, from_class, to_class, type_hashes }
    }
}
prop_compose! {
    fn hellos()(
        (epoch, frame_bytes_max, next_seq, forgot) in any::<(u64, u64, u64, bool)>(),
        classes in vec(("[A-Z][a-z]{0,9}", vec(any::<u8>(), 0..80)), 0..4),
        programs in vec(("[a-z]{1,9}", any::<[u8; 32]>(), vec(wires(), 0..6)), 0..4),
        addresses in vec(vec(any::<u8>(), 0..=256), 0..=8),
    ) -> Hello {
        Hello {
            epoch, frame_bytes_max, next_seq, forgot,
            classes: classes.into_iter().map(|(name, proof)| HostedClass { name, proof: proof.into() }).collect(),
            programs: programs.into_iter().map(|(name, digest, wires)| ProgramOffer { name, digest, wires }).collect(),
            addresses: addresses.into_iter().map(Bytes::from).collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_said_is_what_is_heard(hello in hellos()) {
        prop_assert_eq!(decode(encode(&hello), &WireLimits::default()), Ok(hello));
    }

    #[test]
    fn telling_of_a_wire_takes_no_more_than_is_reckoned(wire in wires()) {
        let reckoned = wire_bytes_max(&wire.from_class, &wire.to_class, wire.type_hashes.len());
        let hello = |wires: &[WireOffer]| {
            let programs = vec![ProgramOffer { name: "a".into(), digest: [0; 32], wires: wires.to_vec() }];
            let (classes, addresses) = (Vec::new(), Vec::new());
            encode(&Hello { epoch: 0, classes, programs, frame_bytes_max: 0, addresses, next_seq: 0, forgot: false }).len()
        };
        prop_assert!(hello(&vec![wire.clone(); 99]) - hello(&[]) <= 99 * reckoned + 4);
    }

    #[test]
    fn no_cut_or_flipped_hello_panics(hello in hellos(), at: prop::sample::Index, bit in 0..8u32) {
        let bytes = encode(&hello);
        let at = at.index(bytes.len());
        let _ = decode(bytes.slice(..at), &WireLimits::default());
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        let _ = decode(flipped.into(), &WireLimits::default());
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = decode(bytes.into(), &WireLimits::default());
    }
}

/// A Hello that `change` has made wrong.
fn changed(change: impl FnOnce(&mut wire::Hello)) -> Result<Hello, Refusal> {
    let mut proto = wire::Hello { version: WIRE_VERSION, ..Default::default() };
    change(&mut proto);
    decode(proto.encode_to_vec().into(), &WireLimits::default())
}

fn program() -> wire::ProgramOffer {
    wire::ProgramOffer { name: "round".into(), digest: vec![1; 32].into(), wires: Vec::new() }
}

#[test]
fn every_limit_refuses_what_exceeds_it_and_says_so() {
    assert!(changed(|_| {}).is_ok());
    assert_eq!(changed(|h| h.version = 0), Err(Refusal::Version(0)));
    let too_many = |message, field, max| Err(Refusal::Bytes(ScanError::TooMany { message, field, max }));
    assert_eq!(changed(|h| h.classes = vec![Default::default(); 65]), too_many("Hello", "classes", 64));
    assert_eq!(changed(|h| h.programs = vec![program(); 65]), too_many("Hello", "programs", 64));
    assert_eq!(changed(|h| h.addresses = vec![Bytes::from_static(b"a"); 9]), too_many("Hello", "addresses", 8));
    let too_long = |message, field, bytes, max| Err(Refusal::Bytes(ScanError::TooLong { message, field, bytes, max }));
    let class =
        |name: usize, proof: usize| vec![wire::HostedClass { name: "c".repeat(name), proof: vec![0; proof].into() }];
    assert_eq!(changed(|h| h.classes = class(65, 0)), too_long("HostedClass", "name", 65, 64));
    assert_eq!(changed(|h| h.classes = class(1, 1025)), too_long("HostedClass", "proof", 1025, 1024));
    assert_eq!(changed(|h| h.addresses = vec![vec![0; 257].into()]), too_long("Hello", "addresses", 257, 256));
    assert_eq!(
        changed(|h| h.programs = vec![wire::ProgramOffer { digest: vec![1; 31].into(), ..program() }]),
        Err(Refusal::Digest { program: 0, bytes: 31 })
    );
    let wires = |n| wire::ProgramOffer { wires: (0..n).map(wire_offer).collect(), ..program() };
    assert!(changed(|h| h.programs = vec![wires(2048)]).is_ok());
    assert_eq!(changed(|h| h.programs = vec![wires(2049)]), too_many("ProgramOffer", "wires", 2048));
    assert!(matches!(
        changed(|h| h.classes = vec![class(1, 1024)[0].clone(); 64]),
        Ok(hello) if hello.classes.len() == 64
    ));
    assert!(matches!(changed(|h| h.programs = vec![wires(2048); 6]), Err(Refusal::FrameTooLarge { max: 262_144, .. })));
}

#[test]
fn a_program_of_as_many_bytes_as_may_be_fits_beside_all_else_that_a_node_says() {
    let name = "n".repeat(limits::NAME_BYTES_MAX);
    let wire = |payloads: u64| wire::WireOffer {
        id: u64::MAX,
        from_class: name.clone(),
        to_class: name.clone(),
        type_hashes: (0..payloads).map(|n| u64::MAX - n).collect(),
    };
    for payloads in [1, 2, 16, 256] {
        let wires = limits::PROGRAM_OFFER_BYTES_MAX / wire_bytes_max(&name, &name, payloads as usize);
        let said = changed(|h| {
            h.epoch = u64::MAX;
            h.next_seq = u64::MAX;
            h.max_frame = u64::MAX;
            h.forgot = true;
            h.programs =
                vec![wire::ProgramOffer { name: name.clone(), wires: vec![wire(payloads); wires], ..program() }];
            h.classes = vec![wire::HostedClass { name: name.clone(), proof: Bytes::new() }; limits::CLASSES_MAX];
            h.addresses = vec![vec![0; limits::ADDRESS_BYTES_MAX].into(); limits::ADDRESSES_MAX];
        });
        assert!(said.is_ok(), "{wires} wires of {payloads}: {said:?}");
    }
}

fn wire_offer(id: u64) -> wire::WireOffer {
    wire::WireOffer { id, from_class: "Server".into(), to_class: "Client".into(), type_hashes: vec![u64::MAX - id] }
}

#[test]
fn empty_wires_that_would_become_forty_times_their_bytes_are_refused() {
    let one = wire::ProgramOffer { wires: vec![Default::default(); 2048], ..program() };
    assert!(matches!(changed(|h| h.programs = vec![one; 20]), Err(Refusal::Bytes(ScanError::Memory { .. }))));
}
