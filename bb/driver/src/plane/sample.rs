//! Messages for tests.

use super::link::Message;
use bb_engine::{SendId, Time};
use bytes::Bytes;

/// A message of given bytes, or one that pretends to be of a size.
#[derive(Clone, Debug)]
pub struct Note {
    id: u64,
    size: usize,
    pieces: Vec<Bytes>,
    expires: Time,
}

impl Note {
    pub fn control(id: u64) -> Self {
        Note { id, size: 0, pieces: vec![Bytes::from_static(b"control")], expires: Time(u64::MAX) }
    }
    pub fn data(id: u64, size: usize) -> Self {
        Note { size, ..Note::control(id) }
    }
    pub fn of(id: u64, pieces: Vec<Bytes>) -> Self {
        Note { size: pieces.iter().map(Bytes::len).sum(), pieces, ..Note::control(id) }
    }
    /// What is past as soon as there is time.
    pub fn past(id: u64) -> Self {
        Note { expires: Time(0), ..Note::data(id, 1) }
    }
}
impl Message for Note {
    fn id(&self) -> SendId {
        SendId { peer: 0, seq: self.id }
    }
    fn payload_bytes(&self) -> usize {
        self.size
    }
    fn is_expired(&self, now: Time) -> bool {
        self.expires <= now
    }
    fn encode(&self, now: Time) -> Vec<Bytes> {
        if self.is_expired(now) { vec![Bytes::from_static(b"number")] } else { self.pieces.clone() }
    }
    fn encode_behind(&self, now: Time, out: &mut Vec<u8>) -> bool {
        let pieces = self.encode(now);
        let few = pieces.iter().all(|p| p.len() <= 1024);
        pieces.iter().filter(|_| few).for_each(|p| out.extend_from_slice(p));
        few
    }
}
