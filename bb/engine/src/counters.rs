//! What became of everything, in numbers.

use bb_ir::failure::FailureCode;
use std::fmt;

/// How often what happened since the engine was made; a restore begins at zero.
///
/// Every message that was accepted for sending ends in exactly one way:
/// `accepted = delivered + refused + expired + lost + Usage::in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Messages accepted for sending.
    pub accepted: u64,
    /// Of these, acknowledged.
    pub delivered: u64,
    /// Of these, refused: too large, the host's queue is full, or nobody can be reached.
    pub refused: u64,
    /// Of these, past their deadline.
    pub expired: u64,
    /// Of these, lost with their peer, or with its former process.
    pub lost: u64,
    /// Messages sent once more.
    pub sent_again: u64,
    /// Messages that came a second time.
    pub duplicates: u64,
    /// Messages for frames that had ended.
    pub late: u64,
    /// Messages for executions that are not known here.
    pub stale: u64,
    /// Messages from a peer that may not fill the site.
    pub unexpected: u64,
    /// Frames of bytes that were refused.
    pub refused_frames: u64,
    /// Values that were refused.
    pub refused_values: u64,
    /// What blocked peers said, and connections they wanted.
    pub health_rx: u64,
    /// What peers said that were sent away a short while ago, and connections they wanted.
    pub backoff_rx: u64,
    /// Messages that did not go to a peer that is blocked or cools.
    pub health_tx: u64,
    /// Messages that did not go to a peer that is left alone for a while.
    pub backoff_tx: u64,
    /// Messages that did not go because there was no time left.
    pub deadline_checks: u64,
    /// Peers that began to cool.
    pub cooled: u64,
    /// Peers that answered again.
    pub recovered: u64,
    /// Messages that were sent to see whether a peer is back.
    pub probes: u64,
    /// Times that much was on its way to a peer.
    pub backpressure: u64,
}

impl Counters {
    pub(crate) fn failed(&mut self, code: FailureCode) {
        *match code {
            FailureCode::Deadline => &mut self.expired,
            FailureCode::PeerLost | FailureCode::PeerRestarted => &mut self.lost,
            _ => &mut self.refused,
        } += 1;
    }
    fn rows(&self) -> [(&'static str, u64); 21] {
        [
            ("accepted", self.accepted),
            ("delivered", self.delivered),
            ("refused", self.refused),
            ("expired", self.expired),
            ("lost", self.lost),
            ("sent again", self.sent_again),
            ("duplicates", self.duplicates),
            ("late", self.late),
            ("stale", self.stale),
            ("unexpected", self.unexpected),
            ("refused frames", self.refused_frames),
            ("refused values", self.refused_values),
            ("blocked peers", self.health_rx),
            ("backed off, receiving", self.backoff_rx),
            ("cooling peers", self.health_tx),
            ("backed off, sending", self.backoff_tx),
            ("too late to send", self.deadline_checks),
            ("peers cooled", self.cooled),
            ("peers recovered", self.recovered),
            ("probes", self.probes),
            ("backpressure", self.backpressure),
        ]
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.refused += other.refused;
        self.expired += other.expired;
        self.lost += other.lost;
        self.sent_again += other.sent_again;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.stale += other.stale;
        self.unexpected += other.unexpected;
        self.refused_frames += other.refused_frames;
        self.refused_values += other.refused_values;
        self.health_rx += other.health_rx;
        self.backoff_rx += other.backoff_rx;
        self.health_tx += other.health_tx;
        self.backoff_tx += other.backoff_tx;
        self.deadline_checks += other.deadline_checks;
        self.cooled += other.cooled;
        self.recovered += other.recovered;
        self.probes += other.probes;
        self.backpressure += other.backpressure;
    }
}

/// A line per number.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().iter().try_for_each(|(name, count)| writeln!(f, "{count:>12}  {name}"))
    }
}
