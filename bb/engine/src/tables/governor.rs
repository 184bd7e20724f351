//! Peer health: who answers, who does not, and who is not to be talked to at all. A circuit breaker per peer (Nygard,
//! *Release It!*, 2007): after some failures in a row a peer cools; then one message at a time probes whether it is back.

use crate::bugs::{Bug, has};
use crate::time::Time;
use bb_ir::peer::PeerId;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many failures in a row, at different times, let a peer cool.
const FAILURES_MAX: u32 = 5;
/// How long it cools at first, and at most: twice as long each time in a row.
const COOLING_FIRST: Duration = Duration::from_secs(1);
const COOLING_MAX: Duration = Duration::from_secs(30);
/// A round trip that takes longer counts as a failure.
const LATENCY_MAX: Duration = Duration::from_secs(30);

/// What the node's operator says of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing: its health decides.
    #[default]
    Judged,
    /// It is talked to whatever its health.
    Allowed,
    /// It is never talked to, and not listened to.
    Blocked,
}

/// How a peer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It answers, or has not been asked.
    #[default]
    Well,
    /// It did not answer several times; nothing is sent until then.
    Cooling { until: Time },
    /// One message is on its way to see whether it is back; no other until then.
    Probing { until: Time },
}

/// One peer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub health: Health,
    /// Failures in a row.
    pub failures: u32,
    /// How often in a row it has cooled.
    pub cooled: u32,
    last: Option<Time>,
}

/// What a change means for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It cools for so long.
    Cools(Duration),
    /// It is back.
    Recovers,
}

/// Whether a message may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Goes,
    /// It goes, and tells whether the peer is back.
    Probes,
    Blocked,
    /// The peer cools for so long.
    Cools(Duration),
}

/// Every peer's health, by its number; and standings, by its identity.
#[derive(Default)]
pub struct PeerGovernor {
    rows: Vec<Row>,
    standings: BTreeMap<PeerId, Standing>,
}

impl PeerGovernor {
    pub fn new(standings: BTreeMap<PeerId, Standing>) -> Self {
        PeerGovernor { rows: Vec::new(), standings }
    }
    pub fn set_standing(&mut self, peer: PeerId, standing: Standing) {
        match standing {
            Standing::Judged => _ = self.standings.remove(&peer),
            other => _ = self.standings.insert(peer, other),
        }
    }
    pub fn standing(&self, peer: &PeerId) -> Standing {
        if self.standings.is_empty() { Standing::Judged } else { self.standings.get(peer).copied().unwrap_or_default() }
    }
    pub fn has_standings(&self) -> bool {
        !self.standings.is_empty()
    }
    fn row(&mut self, peer: u32) -> &mut Row {
        let at = peer as usize;
        if self.rows.len() <= at {
            self.rows.resize(at + 1, Row::default());
        }
        &mut self.rows[at]
    }
    pub fn image(&self, peer: u32) -> Row {
        self.rows.get(peer as usize).copied().unwrap_or_default()
    }
    /// Nothing is known of its health any more.
    pub fn forget(&mut self, peer: u32) {
        if let Some(row) = self.rows.get_mut(peer as usize) {
            *row = Row::default();
        }
    }
    /// A peer as it was saved.
    pub fn restore(&mut self, peer: u32, health: Health, failures: u32, cooled: u32) {
        if failures > 0 || cooled > 0 {
            *self.row(peer) = Row { health, failures, cooled, last: None };
        }
    }

    /// It has answered, after so long where that was measured.
    pub fn answered(&mut self, peer: u32, took: Option<Duration>, now: Time) -> Option<Change> {
        if took.is_some_and(|took| took > LATENCY_MAX) {
            return self.failed(peer, now);
        }
        let row = self.rows.get_mut(peer as usize)?;
        if has(Bug::AnswersIgnored) {
            return None;
        }
        let was = std::mem::take(row).health;
        (was != Health::Well).then_some(Change::Recovers)
    }
    /// It has not answered. What fails at one time counts once.
    pub fn failed(&mut self, peer: u32, now: Time) -> Option<Change> {
        let row = self.row(peer);
        if row.last == Some(now) {
            return None;
        }
        row.last = Some(now);
        row.failures = row.failures.saturating_add(1);
        let cools = match row.health {
            Health::Well => row.failures >= FAILURES_MAX,
            Health::Probing { .. } => true,
            Health::Cooling { .. } => false,
        };
        if !cools {
            return None;
        }
        let pause = COOLING_FIRST.saturating_mul(1u32.checked_shl(row.cooled).unwrap_or(u32::MAX)).min(COOLING_MAX);
        row.cooled = row.cooled.saturating_add(1);
        row.health = Health::Cooling { until: now.after(pause) };
        Some(Change::Cools(pause))
    }
    /// Whether a message may go to it; a probe is on its way from then on.
    pub fn may_go(&mut self, peer: u32, id: &PeerId, now: Time) -> Verdict {
        match self.standing(id) {
            Standing::Allowed => return Verdict::Goes,
            Standing::Blocked => return Verdict::Blocked,
            Standing::Judged => {}
        }
        let Some(row) = self.rows.get_mut(peer as usize) else { return Verdict::Goes };
        match row.health {
            Health::Well => Verdict::Goes,
            Health::Cooling { until } | Health::Probing { until } if now < until => Verdict::Cools(now.until(until)),
            Health::Cooling { .. } | Health::Probing { .. } => {
                row.health = Health::Probing { until: now.after(COOLING_MAX) };
                Verdict::Probes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);
    fn id(n: u8) -> PeerId {
        PeerId::from_bytes(vec![n]).expect("short")
    }
    fn at(s: u32) -> Time {
        Time(0).after(S * s)
    }

    #[test]
    fn a_peer_cools_after_some_failures_is_probed_and_recovers() {
        let mut g = PeerGovernor::default();
        for s in 0..4 {
            assert_eq!((g.failed(1, at(s)), g.failed(1, at(s))), (None, None), "twice at one time is once");
            assert_eq!(g.may_go(1, &id(1), at(s)), Verdict::Goes);
        }
        assert_eq!(g.failed(1, at(4)), Some(Change::Cools(S)));
        assert_eq!(g.may_go(1, &id(1), at(4)), Verdict::Cools(S));
        assert_eq!(g.may_go(0, &id(0), at(4)), Verdict::Goes, "others go on");
        assert_eq!(g.may_go(1, &id(1), at(5)), Verdict::Probes);
        assert_eq!(g.may_go(1, &id(1), at(6)), Verdict::Cools(COOLING_MAX - S), "one probe at a time");
        assert_eq!(g.failed(1, at(7)), Some(Change::Cools(S * 2)), "twice as long");
        assert_eq!(g.may_go(1, &id(1), at(9)), Verdict::Probes);
        assert_eq!(g.answered(1, None, at(10)), Some(Change::Recovers));
        assert_eq!((g.image(1), g.may_go(1, &id(1), at(10))), (Row::default(), Verdict::Goes));
        assert_eq!(g.answered(1, Some(S), at(11)), None);
    }

    #[test]
    fn an_answer_in_between_counts_from_the_beginning_and_a_late_one_is_none() {
        let mut g = PeerGovernor::default();
        for s in 0..20 {
            assert_eq!(g.failed(1, at(s)), None);
            if s % 4 == 3 {
                g.answered(1, Some(S), at(s));
            }
        }
        let slow: Vec<_> = (20..25).map(|s| g.answered(1, Some(LATENCY_MAX + S), at(s))).collect();
        assert_eq!(slow, [None, None, None, None, Some(Change::Cools(S))]);
    }

    #[test]
    fn standings_go_before_health() {
        let mut g = PeerGovernor::new([(id(1), Standing::Allowed), (id(2), Standing::Blocked)].into());
        (0..9).for_each(|s| _ = g.failed(1, at(s)));
        assert_eq!(
            [1, 2, 3].map(|n| g.may_go(n.into(), &id(n), at(9))),
            [Verdict::Goes, Verdict::Blocked, Verdict::Goes]
        );
        g.set_standing(id(2), Standing::Judged);
        assert_eq!(g.may_go(2, &id(2), at(9)), Verdict::Goes);
    }
}
