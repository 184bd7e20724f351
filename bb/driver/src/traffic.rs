//! What has gone over the data plane.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes and messages on the data plane since the node's start, chunk heads included, encryption not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes written.
    pub bytes_sent: u64,
    /// Bytes read.
    pub bytes_received: u64,
    /// Messages written.
    pub messages_sent: u64,
    /// Messages read whole.
    pub messages_received: u64,
}

/// Counted by readers and writers, read by handles.
#[derive(Clone, Default)]
pub(crate) struct Counters(Arc<Cells>);

#[derive(Default)]
struct Cells {
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    messages_sent: AtomicU64,
    messages_received: AtomicU64,
}

impl Counters {
    pub fn sent(&self, bytes: usize) {
        self.0.bytes_sent.fetch_add(bytes as u64, Relaxed);
        self.0.messages_sent.fetch_add(1, Relaxed);
    }
    pub fn received(&self, bytes: usize) {
        self.0.bytes_received.fetch_add(bytes as u64, Relaxed);
        self.0.messages_received.fetch_add(1, Relaxed);
    }
    pub fn framing_sent(&self, bytes: usize) {
        self.0.bytes_sent.fetch_add(bytes as u64, Relaxed);
    }
    pub fn framing_received(&self, bytes: usize) {
        self.0.bytes_received.fetch_add(bytes as u64, Relaxed);
    }
    pub fn now(&self) -> Traffic {
        Traffic {
            bytes_sent: self.0.bytes_sent.load(Relaxed),
            bytes_received: self.0.bytes_received.load(Relaxed),
            messages_sent: self.0.messages_sent.load(Relaxed),
            messages_received: self.0.messages_received.load(Relaxed),
        }
    }
}
