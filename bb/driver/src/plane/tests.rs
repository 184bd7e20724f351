//! Writer and reader face to face, and a reader before any bytes.

use super::assembly::FrameError;
use super::chunk::HEAD_BYTES;
use super::link::{Link, Lost};
use super::reader::{End, Inflow, Reader, What};
use super::sample::Note;
use super::writer::write;
use crate::clock::Clock;
use crate::traffic::{Counters, Traffic};
use bb_engine::{PeerId, Refusal, SendId, WireLimits};
use bytes::Bytes;
use futures::executor::block_on;
use futures::io::{AsyncRead, Cursor};
use libp2p::swarm::ConnectionId;
use proptest::prelude::*;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

const HELLO: Bytes = Bytes::from_static(b"hello");

/// What a writer makes of these messages, the lost ones, and what it counts.
fn written(notes: Vec<Note>) -> (Vec<u8>, Vec<Lost>, Traffic) {
    let (link, queues) = Link::new(HELLO);
    for note in notes {
        link.send(note).expect("there is room");
    }
    drop(link);
    let (lost, mut lost_end) = mpsc::unbounded_channel();
    let (mut bytes, counters) = (Vec::new(), Counters::default());
    let clock = Clock::start();
    block_on(write(Cursor::new(&mut bytes), queues, lost, clock, counters.clone())).expect("memory takes it");
    let lost = std::iter::from_fn(|| lost_end.try_recv().ok()).collect();
    (bytes, lost, counters.now())
}

/// The messages in these bytes, and how they end.
fn read(bytes: &[u8], bytes_max: usize) -> (Vec<Bytes>, End, Traffic) {
    let counters = Counters::default();
    let mut reader = Reader::new(bytes, counters.clone());
    let mut messages = Vec::new();
    loop {
        match block_on(reader.message(bytes_max)) {
            Ok(message) => messages.push(message.bytes),
            Err(end) => return (messages, end, counters.now()),
        }
    }
}

/// A stream that gives so many bytes at once.
struct Trickle<'a> {
    rest: &'a [u8],
    at_once: usize,
}
impl AsyncRead for Trickle<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let n = self.at_once.min(self.rest.len()).min(out.len());
        let (now, rest) = self.rest.split_at(n);
        out[..n].copy_from_slice(now);
        self.rest = rest;
        Poll::Ready(Ok(n))
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(messages in proptest::collection::vec(
        proptest::collection::vec(prop_oneof![0..40usize, 60_000..140_000usize], 0..4), 0..6,
    )) {
        let pieces = |sizes: &[usize]| -> Vec<Bytes> {
            sizes.iter().enumerate().map(|(i, n)| vec![i as u8; *n].into()).collect()
        };
        let notes = messages.iter().zip(0..).map(|(sizes, id)| Note::of(id, pieces(sizes))).collect();
        let (bytes, lost, sent) = written(notes);
        prop_assert_eq!(lost, vec![]);
        let (read, end, received) = read(&bytes, 1 << 20);
        prop_assert!(matches!(end, End::Goodbye), "{:?}", end);
        let whole = |sizes: &Vec<usize>| Bytes::from(pieces(sizes).concat());
        // What carries nothing is control, and goes before the rest.
        let (empty, data): (Vec<Bytes>, Vec<Bytes>) = messages.iter().map(whole).partition(Bytes::is_empty);
        prop_assert_eq!(read, [vec![HELLO], empty, data].concat());
        prop_assert_eq!(sent.bytes_sent, bytes.len() as u64);
        prop_assert_eq!((sent.bytes_sent, sent.messages_sent), (received.bytes_received, received.messages_received));
    }

    /// A reader's task takes small messages out of what has come together, and others one by one.
    #[test]
    fn what_is_written_is_handed_on_in_order_however_it_comes(
        sizes in proptest::collection::vec(prop_oneof![0..40usize, 1_000..1_040usize, 15_000..70_000usize], 0..30),
        at_once in prop_oneof![1..50usize, 10_000..40_000usize],
    ) {
        let notes = sizes.iter().zip(0..).map(|(n, id)| Note::of(id, vec![vec![id as u8; *n].into()])).collect();
        let (bytes, ..) = written(notes);
        let (expected, ..) = read(&bytes, 1 << 20);
        let (inflow, mut out) = Inflow::new(1 << 10);
        let (limits, counters) = (WireLimits::default(), Counters::default());
        let (peer, connection) = (PeerId::from_bytes(vec![1]).expect("short"), ConnectionId::new_unchecked(0));
        let stream = Trickle { rest: &bytes, at_once };
        block_on(super::reader::read(stream, peer, connection, limits, inflow, counters.clone()));
        let (mut come, mut ended) = (Vec::new(), false);
        while let Ok(incoming) = out.try_recv() {
            match incoming.what {
                What::Hello(hello) => come.push(hello),
                What::Frames(frames) => come.extend(frames),
                What::Ended(end) => ended = matches!(end, End::Goodbye),
            }
        }
        prop_assert!(ended);
        prop_assert_eq!(counters.now().bytes_received, bytes.len() as u64);
        prop_assert_eq!(counters.now().messages_received, expected.len() as u64);
        prop_assert_eq!(come, expected);
    }

    #[test]
    fn a_reader_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let (messages, ..) = read(&bytes, 1000);
        prop_assert!(messages.iter().map(|m| m.len() + HEAD_BYTES).sum::<usize>() <= bytes.len());
        prop_assert!(messages.iter().all(|m| m.len() <= 1000));
    }

    /// Arbitrary bytes are seldom heads: these are, with little in the way of sense.
    #[test]
    fn a_reader_takes_any_chunks(chunks in proptest::collection::vec((0..4u32, 0..5u8, 0..200u32), 0..40)) {
        let mut bytes = Vec::new();
        for (message, flags, length) in chunks {
            bytes.extend(message.to_le_bytes());
            bytes.push(flags);
            bytes.extend(length.to_le_bytes());
            bytes.resize(bytes.len() + length as usize, 0xab);
        }
        let (messages, ..) = read(&bytes, 300);
        prop_assert!(messages.iter().all(|m| m.len() <= 300));
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_gives_the_messages_before(cut in 0..400usize) {
        let notes = (0..3).map(|id| Note::of(id, vec![vec![id as u8; 90].into()])).collect();
        let (bytes, ..) = written(notes);
        let cut = cut.min(bytes.len() - 1);
        let (messages, end, _) = read(&bytes[..cut], 1000);
        prop_assert!(matches!(end, End::Cut), "{:?}", end);
        let (all, ..) = read(&bytes, 1000);
        prop_assert!(all.starts_with(&messages));
    }
}

#[test]
fn what_expired_in_the_queue_goes_out_as_its_number_and_is_reported() {
    let (bytes, lost, _) = written(vec![Note::past(4), Note::of(5, vec![Bytes::from_static(b"whole")])]);
    assert_eq!(lost, [Lost { id: SendId { peer: 0, seq: 4 }, reason: Refusal::Expired }]);
    let (messages, ..) = read(&bytes, 1000);
    assert_eq!(messages, [&b"hello"[..], b"number", b"whole"]);
}

#[test]
fn a_message_that_is_too_long_ends_the_stream() {
    let (bytes, ..) = written(vec![Note::of(1, vec![vec![0; 2_000_000].into()])]);
    let (messages, end, _) = read(&bytes, 1_000_000);
    assert_eq!(messages, [HELLO]);
    assert!(matches!(end, End::Refused(FrameError::TooLong { max: 1_000_000 })), "{end:?}");
}

#[test]
fn control_stands_between_the_chunks_of_data() {
    // Control is queued first here, so the stream is put together by hand: two chunks with a message between them.
    let chunk = |message: u32, flags: u8, byte: u8| {
        let mut chunk = [message.to_le_bytes().as_slice(), &[flags], &2u32.to_le_bytes()].concat();
        chunk.extend([byte; 2]);
        chunk
    };
    let (messages, ..) = read(&[chunk(1, 0, 1), chunk(2, 1, 2), chunk(1, 1, 3)].concat(), 1000);
    assert_eq!(messages, [&[2, 2][..], &[1, 1, 3, 3]]);
}

#[test]
fn a_failing_stream_reports_what_was_queued() {
    let (link, queues) = Link::new(HELLO);
    for id in 0..3 {
        link.send(Note::data(id, 1)).expect("there is room");
    }
    drop(link);
    let (lost, mut lost_end) = mpsc::unbounded_channel();
    let mut tiny = [0u8; 4];
    let result = block_on(write(Cursor::new(&mut tiny[..]), queues, lost, Clock::start(), Counters::default()));
    assert!(result.is_err());
    let ids: Vec<u64> = std::iter::from_fn(|| lost_end.try_recv().ok()).map(|l| l.id.seq).collect();
    assert_eq!(ids, [0, 1, 2]);
}

#[tokio::test]
async fn a_further_hello_is_one_and_goes_before_what_is_queued_behind_it() {
    let (link, queues) = Link::new(HELLO);
    let (lost, _lost_end) = mpsc::unbounded_channel();
    let mut bytes = Vec::new();
    let more = Bytes::from(vec![b'h'; 70_000]);
    {
        let writing = write(Cursor::new(&mut bytes), queues, lost, Clock::start(), Counters::default());
        let mut writing = std::pin::pin!(writing);
        assert!(futures::poll!(&mut writing).is_pending(), "the first is out");
        link.hello(Bytes::from_static(b"overtaken"));
        link.hello(more.clone());
        link.send(Note::of(1, vec![vec![1; 100_000].into()])).expect("there is room");
        link.send(Note::control(2)).expect("there is room");
        drop(link);
        writing.await.expect("memory takes it");
    }
    let mut reader = Reader::new(&bytes[..], Counters::default());
    let mut next = || block_on(reader.message(1 << 20));
    assert!(matches!(next(), Ok(first) if first.bytes == HELLO));
    assert!(matches!(next(), Ok(hello) if hello.hello && hello.bytes == more));
    assert!(matches!(next(), Ok(control) if control.bytes == b"control"[..]));
    assert!(matches!(next(), Ok(data) if data.bytes.len() == 100_000));
    assert!(matches!(next(), Err(End::Goodbye)));
}
