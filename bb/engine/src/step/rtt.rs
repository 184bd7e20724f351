//! How long round trips to a peer take (Jacobson and Karels; RFC 6298).

use bb_ir::envelope::RttReport;
use std::time::Duration;

/// The least and the most time that an acknowledgement is waited for.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Every so many round trips the other side is told.
const REPORT_EVERY: u32 = 64;

/// One peer's round trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rtt {
    smoothed: Duration,
    variation: Duration,
    samples: u32,
    /// How many there were when the other side was told.
    reported: u32,
}

impl Rtt {
    /// As it was saved.
    pub fn restored(srtt_ns: u64, rttvar_ns: u64, samples: u32) -> Self {
        let (smoothed, variation) = (Duration::from_nanos(srtt_ns), Duration::from_nanos(rttvar_ns));
        Rtt { smoothed, variation, samples, reported: 0 }
    }
    /// Smoothed time and deviation in nanoseconds, and how many were measured.
    pub fn image(&self) -> (u64, u64, u32) {
        (self.smoothed.as_nanos() as u64, self.variation.as_nanos() as u64, self.samples)
    }
    /// One more round trip.
    pub fn sample(&mut self, took: Duration) {
        if self.samples == 0 {
            (self.smoothed, self.variation) = (took, took / 2);
        } else {
            // Gains of 1/4 and 1/8, as RFC 6298 recommends.
            self.variation = self.variation * 3 / 4 + self.smoothed.abs_diff(took) / 4;
            self.smoothed = self.smoothed * 7 / 8 + took / 8;
        }
        self.samples = self.samples.saturating_add(1);
    }
    /// What the other side measured counts as long as this one has measured nothing.
    pub fn told(&mut self, report: &RttReport) {
        if self.samples == 0 {
            let time = |ns: u64| Duration::from_nanos(ns).min(TIMEOUT_MAX);
            (self.smoothed, self.variation) = (time(report.srtt_ns), time(report.rttvar_ns));
        }
    }
    /// The smoothed time; zero without an estimate.
    pub fn smoothed(&self) -> Duration {
        self.smoothed
    }
    /// What to tell the other side along with a message of this wire: seldom, since it changes slowly.
    pub fn report(&mut self, wire_id: u64) -> Option<RttReport> {
        let news = self.samples != self.reported
            && (self.samples.is_power_of_two() || self.samples.is_multiple_of(REPORT_EVERY));
        news.then(|| {
            self.reported = self.samples;
            let (srtt_ns, rttvar_ns) = (self.smoothed.as_nanos() as u64, self.variation.as_nanos() as u64);
            RttReport { wire_id, srtt_ns, rttvar_ns, samples: self.samples }
        })
    }
    /// How long an acknowledgement is waited for.
    pub fn timeout(&self) -> Duration {
        (self.smoothed + self.variation * 4).clamp(TIMEOUT_MIN, TIMEOUT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_follow_rfc_6298() {
        let ms = Duration::from_millis;
        let mut rtt = Rtt::default();
        assert_eq!((rtt.smoothed(), rtt.timeout()), (Duration::ZERO, TIMEOUT_MIN));
        let told = |ms: u64| RttReport { wire_id: 1, srtt_ns: ms * 8_000_000, rttvar_ns: ms * 1_000_000, samples: 1 };
        assert_eq!(rtt.report(1), None, "nothing was measured");
        rtt.told(&told(100));
        assert_eq!(rtt.timeout(), ms(1200));
        rtt.sample(ms(400));
        assert_eq!((rtt.smoothed(), rtt.variation, rtt.timeout()), (ms(400), ms(200), ms(1200)));
        assert_eq!(rtt.report(7).map(|r| (r.wire_id, r.srtt_ns, r.samples)), Some((7, 400_000_000, 1)));
        assert_eq!(rtt.report(7), None, "once");
        rtt.told(&told(1));
        rtt.sample(ms(800));
        assert_eq!((rtt.smoothed(), rtt.variation, rtt.timeout()), (ms(450), ms(250), ms(1450)));
        rtt.sample(Duration::from_secs(3600));
        assert_eq!((rtt.timeout(), rtt.samples), (TIMEOUT_MAX, 3));
    }
}
