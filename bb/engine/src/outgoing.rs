//! A message on its way out.

use crate::input::SendId;
use crate::time::Time;
use bb_ir::codec::Parts;
use bb_ir::envelope::{self, Envelope};
use bb_ir::peer::PeerId;
use bytes::Bytes;
use std::sync::Arc;

/// A message to a peer. It is encoded when it is handed to the transport: only then is known how much time is left.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What to answer with where it cannot be delivered.
    pub id: SendId,
    /// To whom.
    pub peer: PeerId,
    /// From when on it goes out as its number alone.
    pub expires: Time,
    pub(crate) envelope: Arc<Envelope<Parts>>,
}

impl Outgoing {
    /// The frame's pieces, to be written one behind the other. What has expired is its number without fills.
    pub fn encode(&self, now: Time) -> Vec<Bytes> {
        if self.is_expired(now) {
            return envelope::encode(&Envelope::bare(self.envelope.seq, self.envelope.ack));
        }
        envelope::encode_with(&self.envelope, now.until(self.expires).as_nanos() as u64)
    }
    /// Puts the frame behind what is in `out`, where all of it is small. Whether it is: otherwise nothing has happened, and
    /// [`Outgoing::encode`] gives its pieces.
    pub fn encode_behind(&self, now: Time, out: &mut Vec<u8>) -> bool {
        if self.is_expired(now) {
            let bare = Envelope::bare(self.envelope.seq, self.envelope.ack);
            return envelope::encode_behind(&bare, bare.remaining_ns, out);
        }
        envelope::encode_behind(&self.envelope, now.until(self.expires).as_nanos() as u64, out)
    }
    /// Whether it is too late for its values, and the host answers `Refusal::Expired`. Failures are never too late.
    pub fn is_expired(&self, now: Time) -> bool {
        now >= self.expires && self.has_values()
    }
    /// Whether all it says is that something will not come.
    pub fn fails(&self) -> bool {
        self.has_fills() && !self.has_values()
    }
    fn has_values(&self) -> bool {
        self.envelope.fills.iter().any(|f| !matches!(f.content, envelope::FillContent::Failure { .. }))
    }
    /// The bytes of the values in it: what a queue's bound is charged.
    pub fn bytes(&self) -> usize {
        let size = |fill: &envelope::Fill<Parts>| match &fill.content {
            envelope::FillContent::Payload { bytes: (head, body), .. } => head.len() + body.len(),
            _ => 0,
        };
        self.envelope.fills.iter().map(size).sum()
    }
    /// Whether it carries values or failures; a bare acknowledgement does not.
    pub fn has_fills(&self) -> bool {
        !self.envelope.fills.is_empty()
    }
}
