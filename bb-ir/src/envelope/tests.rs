use super::*;
use crate::limits::{self, WireLimits};
use crate::proto::wire::WireEnvelope;
use crate::scan::ScanError;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

const ADDRESS: SiteAddress = SiteAddress(*b"abcdefgh");

fn limits() -> WireLimits {
    WireLimits::default()
}

fn execution() -> ExecutionName {
    ExecutionName { origin: PeerId::from_bytes(vec![7; 38]), epoch: 3, counter: 9 }
}

fn envelope<P>(fills: Vec<FillContent<P>>) -> Envelope<P> {
    let fills = fills.into_iter().map(|content| Fill { address: ADDRESS, content }).collect();
    Envelope { execution: Some(execution()), remaining_ns: 5, fills, ..Envelope::bare(1, 0) }
}

fn payload(head: &[u8], body: &[u8]) -> FillContent<Parts> {
    FillContent::Payload { bytes: (head.into(), Bytes::copy_from_slice(body)), type_hash: 0xabc }
}

fn failure<P>(message: &str) -> FillContent<P> {
    FillContent::Failure { code: FailureCode::Cancelled, message: message.into() }
}

fn frame(envelope: &Envelope<Parts>) -> Bytes {
    encode(envelope).concat().into()
}

/// The frame of an envelope that `change` has made wrong.
fn changed(change: impl FnOnce(&mut WireEnvelope)) -> Result<Envelope, Refusal> {
    let good = frame(&envelope(vec![payload(b"head", b"body")]));
    let mut proto = WireEnvelope::decode(good).expect("just encoded");
    change(&mut proto);
    decode(proto.encode_to_vec().into(), &limits())
}

#[test]
fn every_limit_refuses_what_exceeds_it_and_says_so() {
    assert!(changed(|_| {}).is_ok());
    assert_eq!(changed(|e| e.version = 0), Err(Refusal::Version(0)));
    assert_eq!(changed(|e| e.version = 2), Err(Refusal::Version(2)));
    assert_eq!(changed(|e| e.seq = 0), Err(Refusal::NoSequenceNumber));
    assert_eq!(changed(|e| e.execution = None), Err(Refusal::NoExecution));
    assert_eq!(changed(|e| e.lane = Some(65_536)), Err(Refusal::Lane(65_536)));
    assert_eq!(changed(|e| e.remaining_ns = 0), Err(Refusal::NoTimeLeft));
    assert_eq!(changed(|e| e.fills[0].dest_suffix = Bytes::new()), Err(Refusal::Address { fill: 0 }));
    assert_eq!(changed(|e| e.fills[0].trigger_only = true), Err(Refusal::Ambiguous { fill: 0 }));
    let code = |code| {
        move |e: &mut WireEnvelope| {
            e.fills[0].payload = Bytes::new();
            e.fills[0].failure = Some(crate::proto::wire::Failure { code, message: String::new() });
        }
    };
    assert!(changed(code(10)).is_ok());
    for unknown in [0, 11] {
        assert_eq!(changed(code(unknown)), Err(Refusal::UnknownFailureCode { fill: 0, code: unknown }));
    }
    let too_many = |field, max| Err(Refusal::Bytes(ScanError::TooMany { message: "WireEnvelope", field, max }));
    let fill = |e: &mut WireEnvelope, n| e.fills = vec![e.fills[0].clone(); n];
    assert!(changed(|e| fill(e, 256)).is_ok());
    assert_eq!(changed(|e| fill(e, 257)), too_many("fills", 256));
    assert!(changed(|e| e.rtt = vec![Default::default(); 16]).is_ok());
    assert_eq!(changed(|e| e.rtt = vec![Default::default(); 17]), too_many("rtt", 16));
    let too_long = |message, field, bytes, max| Err(Refusal::Bytes(ScanError::TooLong { message, field, bytes, max }));
    assert_eq!(changed(|e| e.trace = vec![b'0'; 65].into()), too_long("WireEnvelope", "trace", 65, 64));
    assert_eq!(
        changed(|e| e.execution.as_mut().expect("set").origin = vec![1; 65].into()),
        too_long("Execution", "origin", 65, 64)
    );
    assert_eq!(
        changed(|e| {
            code(1)(e);
            e.fills[0].failure.as_mut().expect("set").message = "x".repeat(513);
        }),
        too_long("Failure", "message", 513, 512)
    );
}

#[test]
fn text_that_is_none_is_refused() {
    let mut bytes = frame(&envelope(vec![failure("gone")])).to_vec();
    let at = bytes.windows(4).position(|four| four == b"gone").expect("the message stands in the frame");
    bytes[at] = 0xff;
    assert_eq!(decode(bytes.into(), &limits()), Err(Refusal::Text));
}

#[test]
fn a_day_is_the_longest_budget() {
    let read = changed(|e| e.remaining_ns = u64::MAX).expect("clamped");
    assert_eq!(read.remaining_ns, 86_400 * 1_000_000_000);
}

#[test]
fn failures_arrive_when_no_time_is_left_and_their_text_is_cut_to_fit() {
    let mut late = envelope(vec![failure(&"ü".repeat(300))]);
    late.remaining_ns = 0;
    let read = decode(frame(&late), &limits()).expect("only failures");
    assert_eq!(read.fills[0].content, failure(&"ü".repeat(256)));
}

#[test]
fn a_frame_or_a_header_or_a_payload_over_its_limit_is_refused() {
    let large = frame(&envelope(vec![payload(&[1; 16], &[2; 5000])]));
    let bytes = large.len();
    let small = |change: fn(&mut WireLimits)| {
        let mut limits = limits();
        change(&mut limits);
        limits
    };
    assert_eq!(
        decode(large.clone(), &small(|l| l.frame_bytes_max = 5000)),
        Err(Refusal::FrameTooLarge { bytes, max: 5000 })
    );
    assert_eq!(
        decode(large.clone(), &small(|l| l.header_bytes_max = 50)),
        Err(Refusal::HeaderTooLarge { bytes: bytes - 5016, max: 50 })
    );
    assert_eq!(
        decode(large, &small(|l| l.payload_bytes_max = 5015)),
        Err(Refusal::PayloadTooLarge { fill: 0, bytes: 5016, max: 5015 })
    );
    // A field nobody knows is skipped, and counts as header all the same.
    let mut unknown = frame(&Envelope::bare(0, 4)).to_vec();
    unknown.extend([0x9a, 0x06, 3, 1, 2, 3]);
    assert_eq!(decode(unknown.clone().into(), &limits()), Ok(Envelope::bare(0, 4)));
    unknown.extend([0x9a, 0x06, 0x80, 0x80, 0x04]);
    unknown.extend([0; 65_536]);
    assert!(matches!(decode(unknown.into(), &limits()), Err(Refusal::HeaderTooLarge { .. })));
}

#[test]
fn sixteen_mebibytes_of_small_fills_are_refused_at_the_257th() {
    let fill = [&[0x3a, 15, 0x0a, 13][..], &ADDRESS.to_segment()].concat();
    let frame: Bytes = fill.repeat((16 << 20) / fill.len()).into();
    assert_eq!(
        decode(frame, &limits()),
        Err(Refusal::Bytes(ScanError::TooMany { message: "WireEnvelope", field: "fills", max: 256 }))
    );
}

#[test]
fn a_large_payload_is_a_piece_of_its_own_and_comes_back_as_a_view_of_the_frame() {
    let body = Bytes::from(vec![9u8; 100_000]);
    let content = FillContent::Payload { bytes: (b"head"[..].into(), body.clone()), type_hash: 1 };
    let pieces = encode(&envelope(vec![content]));
    assert_eq!(pieces.iter().map(Bytes::len).filter(|n| *n > 1024).count(), 1);
    assert!(pieces.iter().any(|piece| piece.as_ptr() == body.as_ptr()));
    let frame: Bytes = pieces.concat().into();
    let read = decode(frame.clone(), &limits()).expect("just encoded");
    let FillContent::Payload { bytes, .. } = &read.fills[0].content else { panic!("a payload was sent") };
    assert!(frame.as_ptr_range().contains(&bytes.as_ptr()));
}

fn contents() -> impl Strategy<Value = FillContent<Parts>> {
    let bytes = |max| vec(any::<u8>(), 0..max).prop_map(Bytes::from);
    prop_oneof![
        (bytes(80), bytes(3000), any::<u64>())
            .prop_map(|(head, body, type_hash)| FillContent::Payload { bytes: (head[..].into(), body), type_hash }),
        any::<u64>().prop_map(|type_hash| FillContent::Trigger { type_hash }),
        (1..=10u32, ".{0,40}").prop_map(|(code, message)| FillContent::Failure {
            code: FailureCode::from_number(code).expect("in the table"),
            message,
        }),
    ]
}

prop_compose! {
    fn envelopes()(
        seq in 1..=u64::MAX,
        ack: u64,
        origin in vec(any::<u8>(), 0..=64),
        (epoch, counter) in any::<(u64, u64)>(),
        lane in proptest::option::of(0..65_536u32),
        remaining_ns in 1..=limits::REMAINING_NS_MAX,
        fills in vec((any::<[u8; 8]>(), contents()), 0..5),
        rtt in vec(any::<(u64, u64, u64, u32)>(), 0..3),
        trace in vec(any::<u8>(), 0..=64),
    ) -> Envelope<Parts> {
        Envelope {
            seq, ack, lane, remaining_ns,
            execution: Some(ExecutionName { origin: PeerId::from_bytes(origin), epoch, counter }),
            fills: fills.into_iter().map(|(a, content)| Fill { address: SiteAddress(a), content }).collect(),
            rtt: rtt.into_iter()
                .map(|(wire_id, srtt_ns, rttvar_ns, samples)| RttReport { wire_id, srtt_ns, rttvar_ns, samples })
                .collect(),
            trace: trace.into(),
        }
    }
}

/// What a receiver makes of what was sent.
fn received(sent: Envelope<Parts>) -> Envelope {
    let Envelope { seq, ack, execution, lane, remaining_ns, fills, rtt, trace } = sent;
    let content = |content: FillContent<Parts>| match content {
        FillContent::Payload { bytes: (head, body), type_hash } => {
            FillContent::Payload { bytes: Bytes::from([&head[..], &body].concat()), type_hash }
        }
        FillContent::Trigger { type_hash } => FillContent::Trigger { type_hash },
        FillContent::Failure { code, message } => FillContent::Failure { code, message },
    };
    let fills = fills.into_iter().map(|f| Fill { address: f.address, content: content(f.content) }).collect();
    Envelope { seq, ack, execution, lane, remaining_ns, fills, rtt, trace }
}

/// What is read of a frame is what prost reads of it; more than that is refused.
fn is_what_prost_reads(frame: Bytes) {
    let Ok(read) = decode(frame.clone(), &limits()) else { return };
    let proto = WireEnvelope::decode(frame).expect("what is read is protobuf");
    let fills = proto.fills.into_iter().map(|fill| Fill {
        address: SiteAddress::from_segment(&fill.dest_suffix).expect("it was read"),
        content: match fill.failure {
            Some(failure) => FillContent::Failure {
                code: FailureCode::from_number(failure.code).expect("it was read"),
                message: failure.message,
            },
            None if fill.trigger_only => FillContent::Trigger { type_hash: fill.type_hash },
            None => FillContent::Payload { bytes: fill.payload, type_hash: fill.type_hash },
        },
    });
    let rtt = proto.rtt.into_iter().map(|r| {
        let (wire_id, srtt_ns, rttvar_ns, samples) = (r.wire_id, r.srtt_ns, r.rttvar_ns, r.samples);
        RttReport { wire_id, srtt_ns, rttvar_ns, samples }
    });
    let same = Envelope {
        seq: proto.seq,
        ack: proto.ack,
        execution: proto.execution.map(|e| ExecutionName {
            origin: PeerId::from_bytes(e.origin),
            epoch: e.epoch,
            counter: e.counter,
        }),
        lane: proto.lane,
        remaining_ns: proto.remaining_ns.min(limits::REMAINING_NS_MAX),
        fills: fills.collect(),
        rtt: rtt.collect(),
        trace: proto.trace,
    };
    assert_eq!(read, same);
}

proptest! {
    #[test]
    fn what_is_sent_is_what_arrives(sent in envelopes()) {
        let frame = frame(&sent);
        let proto = WireEnvelope::decode(frame.clone()).expect("protobuf");
        prop_assert_eq!(proto.encode_to_vec(), frame.to_vec(), "the pieces are what prost would write");
        let mut behind = b"before".to_vec();
        if encode_behind(&sent, sent.remaining_ns, &mut behind) {
            prop_assert_eq!(&behind[6..], &frame[..]);
        } else {
            prop_assert_eq!(behind, b"before");
        }
        prop_assert_eq!(decode(frame, &limits()), Ok(received(sent)));
    }

    #[test]
    fn no_cut_or_flipped_frame_panics(sent in envelopes(), at: prop::sample::Index, bit in 0..8u32) {
        let frame = frame(&sent);
        let at = at.index(frame.len());
        is_what_prost_reads(frame.slice(..at));
        let mut flipped = frame.to_vec();
        flipped[at] ^= 1 << bit;
        is_what_prost_reads(flipped.into());
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        is_what_prost_reads(bytes.into());
    }
}

#[test]
fn every_truncation_of_a_frame_is_refused_or_whole() {
    let whole =
        frame(&envelope(vec![payload(b"head", &[3; 40]), failure("gone"), FillContent::Trigger { type_hash: 4 }]));
    for end in 0..whole.len() {
        // Bytes that end between two fields are a message with fewer of them.
        if let Ok(read) = decode(whole.slice(..end), &limits()) {
            assert!(read.fills.len() < 3);
        }
    }
}
