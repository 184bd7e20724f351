//! What waits to be written to a peer: two bounded queues, control first.

use bb_engine::{Outgoing, Refusal, SendId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// How much may wait for one peer.
pub const QUEUE_MESSAGES_MAX: usize = 4096;
/// How many payload bytes may wait for one peer. One message may be larger, on its own.
pub const QUEUE_BYTES_MAX: usize = 256 << 20;

/// The node's end of the stream to a peer.
pub struct Link {
    control: mpsc::Sender<Outgoing>,
    data: mpsc::Sender<Outgoing>,
    bytes: Arc<AtomicUsize>,
}

/// The writer's end.
pub struct Queues {
    pub control: mpsc::Receiver<Outgoing>,
    pub data: mpsc::Receiver<Outgoing>,
    bytes: Arc<AtomicUsize>,
}

/// The queue takes no more: the message comes back.
pub struct Full(pub SendId);

/// A message that a writer could not deliver.
pub struct Lost {
    pub id: SendId,
    pub reason: Refusal,
}

impl Link {
    /// Both ends.
    pub fn new() -> (Link, Queues) {
        let (control, control_end) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let (data, data_end) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let bytes = Arc::new(AtomicUsize::new(0));
        (Link { control, data, bytes: bytes.clone() }, Queues { control: control_end, data: data_end, bytes })
    }

    /// Queues a message. What carries no values is control and overtakes data.
    pub fn send(&self, message: Outgoing) -> Result<(), Full> {
        let size = message.bytes();
        if size == 0 {
            return self.control.try_send(message).map_err(|e| Full(e.into_inner().id));
        }
        let waiting = self.bytes.load(Ordering::Relaxed);
        if waiting > 0 && waiting + size > QUEUE_BYTES_MAX {
            return Err(Full(message.id));
        }
        self.data.try_send(message).map_err(|e| Full(e.into_inner().id))?;
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }
}

impl Queues {
    /// The next message, control first; `None` once the node has let go of the link and nothing waits.
    pub async fn next(&mut self) -> Option<Outgoing> {
        let message = tokio::select! {
            biased;
            Some(message) = self.control.recv() => message,
            Some(message) = self.data.recv() => message,
            else => return None,
        };
        self.taken(&message);
        Some(message)
    }
    /// The next control message, if one waits.
    pub fn next_control(&mut self) -> Option<Outgoing> {
        self.control.try_recv().ok()
    }
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.control.is_empty() && self.data.is_empty()
    }
    /// Everything that waits.
    pub fn drain(&mut self) -> Vec<SendId> {
        self.control.close();
        self.data.close();
        let mut ids = Vec::new();
        while let Ok(message) = self.control.try_recv() {
            ids.push(message.id);
        }
        while let Ok(message) = self.data.try_recv() {
            ids.push(message.id);
        }
        ids
    }
    fn taken(&self, message: &Outgoing) {
        let size = message.bytes();
        if size > 0 {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
        }
    }
}
