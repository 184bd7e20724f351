//! How long a peer is left alone: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS
//! Architecture Blog, 2015): any time between nothing and a bound that doubles with every failure in a row.

use super::Random;
use crate::time::Time;
use std::time::Duration;

/// Peers that are left alone, by their number.
pub struct BackoffTable {
    rows: Vec<Row>,
    first: Duration,
    longest: Duration,
}

/// One peer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Failures in a row.
    pub failures: u32,
    /// Until when it is left alone.
    pub until: Time,
}

impl BackoffTable {
    pub fn new(first: Duration, longest: Duration) -> Self {
        BackoffTable { rows: Vec::new(), first, longest }
    }
    fn row(&mut self, peer: u32) -> &mut Row {
        let at = peer as usize;
        if self.rows.len() <= at {
            self.rows.resize(at + 1, Row::default());
        }
        &mut self.rows[at]
    }
    /// Whether no peer was ever left alone.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// One more failure: how long the peer is left alone from now on.
    pub fn failed(&mut self, peer: u32, now: Time, random: &mut Random) -> Duration {
        let (first, longest) = (self.first, self.longest);
        let row = self.row(peer);
        let most = first.saturating_mul(1u32.checked_shl(row.failures).unwrap_or(u32::MAX)).min(longest);
        row.failures = row.failures.saturating_add(1);
        let pause = random.below(most);
        row.until = row.until.max(now.after(pause));
        now.until(row.until)
    }
    /// It answers: it is not left alone any more.
    pub fn succeeded(&mut self, peer: u32) {
        if let Some(row) = self.rows.get_mut(peer as usize) {
            *row = Row::default();
        }
    }
    /// How long it is still left alone.
    pub fn waits(&self, peer: u32, now: Time) -> Option<Duration> {
        let until = self.rows.get(peer as usize)?.until;
        (until > now).then(|| now.until(until))
    }
    pub fn image(&self, peer: u32) -> Row {
        self.rows.get(peer as usize).copied().unwrap_or_default()
    }
    pub fn restore(&mut self, peer: u32, row: Row) {
        if row != Row::default() {
            *self.row(peer) = row;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_below_a_bound_that_doubles_and_an_answer_ends_them() {
        let ms = Duration::from_millis;
        let mut table = BackoffTable::new(ms(100), ms(1000));
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let mut now = Time(0);
            for most in [100, 200, 400, 800, 1000, 1000] {
                let pause = table.failed(3, now, &mut random);
                assert!(pause < ms(most), "{pause:?} of {most}");
                assert_eq!(table.waits(3, now), (pause > Duration::ZERO).then_some(pause));
                now = now.after(pause);
                assert_eq!(table.waits(3, now), None);
            }
            assert_eq!(table.waits(2, now), None, "others go on");
            table.succeeded(3);
            assert_eq!(table.image(3), Row::default());
        }
    }

    #[test]
    fn failures_without_end_do_not_overflow() {
        let mut table = BackoffTable::new(Duration::from_secs(1), Duration::from_secs(30));
        let mut random = Random::new(1);
        for _ in 0..100 {
            assert!(table.failed(0, Time(u64::MAX - 1), &mut random) <= Duration::from_secs(30));
        }
    }
}
