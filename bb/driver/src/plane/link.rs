//! What waits to be written to a peer: the newest Hello, and two bounded queues, control first.

use super::chunk::CHUNK_BYTES_MAX;
use bb_engine::{Outgoing, Refusal, SendId, Time};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How much may wait for one peer.
pub const QUEUE_MESSAGES_MAX: usize = 4096;
/// How many payload bytes may wait for one peer. One message may be larger, on its own.
pub const QUEUE_BYTES_MAX: usize = 256 << 20;
/// How many messages a writer takes at once, of no more bytes than a chunk: control waits for no more than that.
const TAKEN_MAX: usize = 64;

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
pub struct Link<M>(Arc<Shared<M>>);

/// The writer's end.
pub struct Queues<M> {
    shared: Arc<Shared<M>>,
    /// What it has taken and not written.
    taken: VecDeque<M>,
}

struct Shared<M> {
    waiting: Mutex<Waiting<M>>,
    writer: Notify,
}

struct Waiting<M> {
    /// What this node is, where that is still to be said.
    hello: Option<Bytes>,
    control: VecDeque<M>,
    data: VecDeque<M>,
    /// Of payloads.
    bytes: usize,
    /// The node writes no more here.
    let_go: bool,
    /// The writer is gone.
    over: bool,
}

/// What is to be written next.
#[derive(Debug)]
pub enum Next<M> {
    /// What this node is, at first or once more.
    Hello(Bytes),
    Message(M),
}

/// A message that will not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub id: SendId,
    pub reason: Refusal,
}

impl<M> Shared<M> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<M>> {
        // Nothing panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Message> Link<M> {
    /// Both ends of a stream that begins with this Hello.
    pub fn new(hello: Bytes) -> (Link<M>, Queues<M>) {
        let (control, data) = (VecDeque::new(), VecDeque::new());
        let waiting = Waiting { hello: Some(hello), control, data, bytes: 0, let_go: false, over: false };
        let shared = Arc::new(Shared { waiting: Mutex::new(waiting), writer: Notify::new() });
        (Link(shared.clone()), Queues { shared, taken: VecDeque::new() })
    }

    /// This node hosts more than before: the peer learns it before anything that is queued from now on.
    pub fn hello(&self, hello: Bytes) {
        self.0.waiting().hello = Some(hello);
        self.ring();
    }

    /// Queues a message, or says at once that it cannot be. The writer learns of it with [`Link::ring`].
    pub fn send(&self, message: M) -> Result<(), Lost> {
        let (id, size) = (message.id(), message.payload_bytes());
        let mut waiting = self.0.waiting();
        let waiting = &mut *waiting;
        let queue = if size == 0 { &mut waiting.control } else { &mut waiting.data };
        let too_many_bytes = size > 0 && waiting.bytes > 0 && waiting.bytes + size > QUEUE_BYTES_MAX;
        if waiting.over {
            Err(Lost { id, reason: Refusal::PeerLost })
        } else if too_many_bytes || queue.len() == QUEUE_MESSAGES_MAX {
            Err(Lost { id, reason: Refusal::QueueFull })
        } else {
            waiting.bytes += size;
            queue.push_back(message);
            Ok(())
        }
    }

    /// Wakes the writer: once for many messages.
    pub fn ring(&self) {
        self.0.writer.notify_one();
    }
}

impl<M> Drop for Link<M> {
    fn drop(&mut self) {
        self.0.waiting().let_go = true;
        self.0.writer.notify_one();
    }
}

impl<M: Message> Queues<M> {
    /// What is next: Hello, then control; `None` once the node has let go of the link and nothing waits.
    pub async fn next(&mut self) -> Option<Next<M>> {
        loop {
            if let Some(message) = self.taken.pop_front() {
                return Some(Next::Message(message));
            }
            let let_go = {
                let mut waiting = self.shared.waiting();
                if let Some(hello) = waiting.hello.take() {
                    return Some(Next::Hello(hello));
                }
                waiting.take(&mut self.taken);
                waiting.let_go
            };
            if self.taken.is_empty() {
                if let_go {
                    return None;
                }
                self.shared.writer.notified().await;
            }
        }
    }
    /// What may stand between the chunks of a message: Hello, and control.
    pub fn next_between(&mut self) -> Option<Next<M>> {
        let mut waiting = self.shared.waiting();
        let hello = waiting.hello.take().map(Next::Hello);
        hello.or_else(|| waiting.control.pop_front().map(Next::Message))
    }
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.shared.waiting().is_empty()
    }
    /// Whether the node writes no more here.
    #[cfg(test)]
    pub fn is_let_go(&self) -> bool {
        self.shared.waiting().let_go
    }
    /// Everything that waits; nothing more can.
    pub fn drain(&mut self) -> Vec<SendId> {
        let mut waiting = self.shared.waiting();
        let waiting = &mut *waiting;
        (waiting.over, waiting.bytes) = (true, 0);
        let all = self.taken.drain(..).chain(waiting.control.drain(..)).chain(waiting.data.drain(..));
        all.map(|message| message.id()).collect()
    }
}

impl<M> Drop for Queues<M> {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting();
        waiting.over = true;
        (waiting.control, waiting.data) = (VecDeque::new(), VecDeque::new());
    }
}

impl<M> Waiting<M> {
    fn is_empty(&self) -> bool {
        self.hello.is_none() && self.control.is_empty() && self.data.is_empty()
    }
}

impl<M: Message> Waiting<M> {
    /// Takes what is to be written next, together.
    fn take(&mut self, taken: &mut VecDeque<M>) {
        let few = self.control.len().min(TAKEN_MAX);
        taken.extend(self.control.drain(..few));
        let mut bytes = 0;
        while taken.len() < TAKEN_MAX && bytes < CHUNK_BYTES_MAX {
            let Some(message) = self.data.pop_front() else { break };
            bytes += message.payload_bytes();
            taken.push_back(message);
        }
        self.bytes -= bytes;
    }
}

#[cfg(test)]
mod tests;
