//! What waits to be written to a peer: the newest Hello, and two bounded queues, control first.

use bb_engine::{Outgoing, Refusal, SendId, Time};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// How much may wait for one peer.
pub const QUEUE_MESSAGES_MAX: usize = 4096;
/// How many payload bytes may wait for one peer. One message may be larger, on its own.
pub const QUEUE_BYTES_MAX: usize = 256 << 20;

/// What a writer writes.
pub trait Message {
    /// Its number.
    fn id(&self) -> SendId;
    /// The bytes of its payloads; one without any is control and overtakes data.
    fn payload_bytes(&self) -> usize;
    /// Whether it is too late for what it carries.
    fn is_expired(&self, now: Time) -> bool;
    /// Its bytes, one piece behind the other.
    fn encode(&self, now: Time) -> Vec<Bytes>;
    /// Puts its bytes behind what is in `out`, where they are few. Whether they are.
    fn encode_behind(&self, now: Time, out: &mut Vec<u8>) -> bool;
}
impl Message for Outgoing {
    fn id(&self) -> SendId {
        self.id
    }
    fn payload_bytes(&self) -> usize {
        self.bytes()
    }
    fn is_expired(&self, now: Time) -> bool {
        Outgoing::is_expired(self, now)
    }
    fn encode(&self, now: Time) -> Vec<Bytes> {
        Outgoing::encode(self, now)
    }
    fn encode_behind(&self, now: Time, out: &mut Vec<u8>) -> bool {
        Outgoing::encode_behind(self, now, out)
    }
}

/// The node's end of the stream to a peer.
pub struct Link<M> {
    hello: watch::Sender<Bytes>,
    control: mpsc::Sender<M>,
    data: mpsc::Sender<M>,
    bytes: Arc<AtomicUsize>,
}

/// The writer's end.
pub struct Queues<M> {
    hello: watch::Receiver<Bytes>,
    control: mpsc::Receiver<M>,
    data: mpsc::Receiver<M>,
    bytes: Arc<AtomicUsize>,
}

/// What is to be written next.
#[derive(Debug)]
pub enum Next<M> {
    /// What this node is, once more.
    Hello(Bytes),
    Message(M),
}

/// A message that will not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub id: SendId,
    pub reason: Refusal,
}

impl<M: Message> Link<M> {
    /// Both ends of a stream that begins with this Hello.
    pub fn new(hello: Bytes) -> (Link<M>, Queues<M>) {
        let (hello, hello_end) = watch::channel(hello);
        let (control, control_end) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let (data, data_end) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let bytes = Arc::new(AtomicUsize::new(0));
        let queues = Queues { hello: hello_end, control: control_end, data: data_end, bytes: bytes.clone() };
        (Link { hello, control, data, bytes }, queues)
    }

    /// This node hosts more than before: the peer learns it before anything that is queued from now on.
    pub fn hello(&self, hello: Bytes) {
        // An error means that the writer is gone, and the connection with it.
        let _ = self.hello.send(hello);
    }

    /// Queues a message, or says at once that it cannot be.
    pub fn send(&self, message: M) -> Result<(), Lost> {
        let (id, size) = (message.id(), message.payload_bytes());
        let full = Lost { id, reason: Refusal::QueueFull };
        let waiting = self.bytes.load(Ordering::Relaxed);
        if size > 0 && waiting > 0 && waiting + size > QUEUE_BYTES_MAX {
            return Err(full);
        }
        let queue = if size == 0 { &self.control } else { &self.data };
        // Counted before the writer can take it out again.
        self.bytes.fetch_add(size, Ordering::Relaxed);
        queue.try_send(message).map_err(|refused| {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => full,
                TrySendError::Closed(_) => Lost { id, reason: Refusal::PeerLost },
            }
        })
    }
}

impl<M: Message> Queues<M> {
    /// The Hello that the stream begins with.
    pub fn first_hello(&mut self) -> Bytes {
        self.hello.borrow_and_update().clone()
    }
    /// A Hello that goes before whatever was taken out of a queue.
    pub fn next_hello(&mut self) -> Option<Bytes> {
        // An error means that the node has let go of the link: what it said last is still to be written.
        if !self.hello.has_changed().unwrap_or(true) {
            return None;
        }
        let hello = self.hello.borrow_and_update();
        hello.has_changed().then(|| hello.clone())
    }
    /// What is next, control first; `None` once the node has let go of the link and nothing waits.
    pub async fn next(&mut self) -> Option<Next<M>> {
        if let Ok(message) = self.control.try_recv().or_else(|_| self.data.try_recv()) {
            self.bytes.fetch_sub(message.payload_bytes(), Ordering::Relaxed);
            return Some(Next::Message(message));
        }
        let message = tokio::select! {
            biased;
            Some(message) = self.control.recv() => message,
            Some(message) = self.data.recv() => message,
            Ok(()) = self.hello.changed() => return Some(Next::Hello(self.first_hello())),
            else => return None,
        };
        self.bytes.fetch_sub(message.payload_bytes(), Ordering::Relaxed);
        Some(Next::Message(message))
    }
    /// The next control message, if one waits.
    pub fn next_control(&mut self) -> Option<M> {
        self.control.try_recv().ok()
    }
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.control.is_empty() && self.data.is_empty()
    }
    /// Whether the node writes no more here.
    #[cfg(test)]
    pub fn is_let_go(&self) -> bool {
        self.data.sender_strong_count() == 0
    }
    /// Everything that waits; nothing more can.
    pub fn drain(&mut self) -> Vec<SendId> {
        self.control.close();
        self.data.close();
        let mut ids = Vec::new();
        for queue in [&mut self.control, &mut self.data] {
            while let Ok(message) = queue.try_recv() {
                ids.push(message.id());
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Note;
    use super::*;

    fn refused(link: &Link<Note>, note: Note) -> Refusal {
        link.send(note).expect_err("refused").reason
    }

    fn id(next: Option<Next<Note>>) -> Option<SendId> {
        next.map(|n| if let Next::Message(note) = n { note.id() } else { panic!("a Hello") })
    }

    #[tokio::test]
    async fn a_full_queue_says_no_at_once_and_takes_more_when_something_is_out() {
        let (link, mut queues) = Link::new(Bytes::new());
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
        let (link, mut queues) = Link::new(Bytes::new());
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
    async fn the_newest_hello_is_next_where_nothing_else_waits_and_before_what_does() {
        let (link, mut queues) = Link::<Note>::new(Bytes::from_static(b"first"));
        assert_eq!(queues.first_hello(), &b"first"[..]);
        assert_eq!(queues.next_hello(), None);
        link.hello(Bytes::from_static(b"second"));
        link.hello(Bytes::from_static(b"third"));
        assert!(matches!(queues.next().await, Some(Next::Hello(hello)) if hello == b"third"[..]));
        link.hello(Bytes::from_static(b"last"));
        assert_eq!(link.send(Note::data(1, 1)), Ok(()));
        drop(link);
        assert!(queues.next().await.is_some());
        assert_eq!(queues.next_hello(), Some(Bytes::from_static(b"last")), "it goes before what was taken out");
        assert_eq!(queues.next_hello(), None);
        assert!(queues.next().await.is_none());
    }
}
