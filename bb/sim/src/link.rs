//! What the network does to a message.

use crate::fate::{Fate, Kind, Strike};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How messages travel between two nodes. Parts lie in 0 to 1.
#[derive(Clone, Debug)]
pub struct Link {
    delay: Delay,
    drop: f64,
    duplicate: f64,
    reorder: f64,
    /// Bytes per second.
    bandwidth: Option<u64>,
}

/// How long a message is under way.
#[derive(Clone, Debug)]
enum Delay {
    Even { least: Duration, most: Duration },
    Normal { mean: Duration, deviation: Duration },
    Exponential { least: Duration, mean: Duration },
}

/// A link that delivers everything, in order, after a millisecond.
impl Default for Link {
    fn default() -> Self {
        let delay = Duration::from_millis(1);
        let delay = Delay::Even { least: delay, most: delay };
        Link { delay, drop: 0.0, duplicate: 0.0, reorder: 0.0, bandwidth: None }
    }
}

impl Link {
    /// Each message takes a time drawn evenly from this range.
    pub fn delay(self, range: RangeInclusive<Duration>) -> Self {
        let (least, most) = range.into_inner();
        Link { delay: Delay::Even { least, most }, ..self }
    }
    /// Each message takes a time drawn from a normal distribution, and never less than none.
    pub fn normal_delay(self, mean: Duration, deviation: Duration) -> Self {
        Link { delay: Delay::Normal { mean, deviation }, ..self }
    }
    /// Each message takes `least` and a time beyond it drawn from an exponential distribution, `mean` in all: most are
    /// quick, a few take very long.
    pub fn exponential_delay(self, least: Duration, mean: Duration) -> Self {
        Link { delay: Delay::Exponential { least, mean }, ..self }
    }
    /// The link takes so many bytes per second: a message begins its way when those before it have left.
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        Link { bandwidth: Some(bytes_per_second.max(1)), ..self }
    }
    /// This part of the messages is lost.
    pub fn drop(self, part: f64) -> Self {
        Link { drop: part, ..self }
    }
    /// This part of the messages arrives twice.
    pub fn duplicate(self, part: f64) -> Self {
        Link { duplicate: part, ..self }
    }
    /// This part of the messages may overtake others; the rest keeps its order.
    pub fn reorder(self, part: f64) -> Self {
        Link { reorder: part, ..self }
    }

    /// How long so many bytes take to leave, in nanoseconds.
    pub(crate) fn leaving_ns(&self, bytes: usize) -> u64 {
        let Some(bandwidth) = self.bandwidth else { return 0 };
        u64::try_from(bytes as u128 * 1_000_000_000 / u128::from(bandwidth)).unwrap_or(u64::MAX)
    }

    /// What becomes of the `number`th message from `from` to `to`: its copies.
    pub(crate) fn draw(&self, fate: &mut Fate, from: usize, to: usize, number: u64) -> [Option<Copied>; 2] {
        let strike = |kind| Strike { kind, node: from, of: to, number };
        if fate.strikes(strike(Kind::Drop), self.drop) {
            return [None, None];
        }
        let twice = fate.strikes(strike(Kind::Duplicate), self.duplicate);
        let overtakes = fate.strikes(strike(Kind::Overtake), self.reorder);
        let mut rng = if self.delay.varies() || overtakes { fate.delay(from, to, number) } else { None };
        let mut copy = || {
            let mut delay = self.delay.draw(rng.as_mut());
            if overtakes && let Some(rng) = &mut rng {
                delay += self.delay.scale().mul_f64(rng.random_range(0.0..=1.0));
            }
            Some(Copied { delay, overtakes })
        };
        [copy(), if twice { copy() } else { None }]
    }
}

/// One copy of a message.
#[derive(Debug, PartialEq)]
pub(crate) struct Copied {
    pub delay: Duration,
    pub overtakes: bool,
}

impl Delay {
    fn varies(&self) -> bool {
        !matches!(self, Delay::Even { least, most } if least >= most)
    }
    /// How much there is to overtake by.
    fn scale(&self) -> Duration {
        match self {
            Delay::Even { most, .. } => *most,
            Delay::Normal { mean, .. } | Delay::Exponential { mean, .. } => *mean,
        }
    }
    fn least(&self) -> Duration {
        match self {
            Delay::Even { least, .. } | Delay::Exponential { least, .. } => *least,
            Delay::Normal { mean, deviation } => mean.saturating_sub(*deviation * 2),
        }
    }
    /// About the least there is, where chance has no say.
    fn draw(&self, rng: Option<&mut ChaCha8Rng>) -> Duration {
        let Some(rng) = rng.filter(|_| self.varies()) else { return self.least() };
        match self {
            Delay::Even { least, most } => rng.random_range(*least..=*most),
            Delay::Normal { mean, deviation } => {
                let by: f64 = StandardNormal.sample(rng);
                // What would arrive before it left arrives at once.
                Duration::try_from_secs_f64(mean.as_secs_f64() + by * deviation.as_secs_f64()).unwrap_or_default()
            }
            Delay::Exponential { least, mean } => {
                let by: f64 = Exp1.sample(rng);
                *least + mean.saturating_sub(*least).mul_f64(by)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The mean of many delays in milliseconds, their standard deviation, and the least.
    fn delays(link: &Link, fate: &mut Fate) -> (f64, f64, f64) {
        let all: Vec<f64> = (0..4000)
            .map(|n| link.draw(fate, 0, 1, n)[0].as_ref().expect("nothing is lost").delay.as_secs_f64() * 1e3)
            .collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / all.len() as f64;
        (mean, variance.sqrt(), all.iter().copied().fold(f64::INFINITY, f64::min))
    }

    #[test]
    fn delays_follow_their_distribution() {
        let near = |is: (f64, f64, f64), to: (f64, f64), floor: f64| {
            assert!((is.0 - to.0).abs() < 0.05 * to.0, "mean {}, not {}", is.0, to.0);
            assert!((is.1 - to.1).abs() < 0.05 * to.1, "deviation {}, not {}", is.1, to.1);
            assert!(is.2 >= floor, "least {}", is.2);
        };
        let fate = &mut Fate::new(3);
        near(delays(&Link::default().delay(10 * MS..=30 * MS), fate), (20.0, 20.0 / 12f64.sqrt()), 10.0);
        near(delays(&Link::default().normal_delay(50 * MS, 10 * MS), fate), (50.0, 10.0), 0.0);
        near(delays(&Link::default().exponential_delay(20 * MS, 50 * MS), fate), (50.0, 30.0), 20.0);
        fate.least_delays = true;
        assert_eq!(delays(&Link::default().exponential_delay(20 * MS, 50 * MS), fate), (20.0, 0.0, 20.0));
    }

    #[test]
    fn bytes_leave_at_the_bandwidth() {
        assert_eq!(Link::default().leaving_ns(1000), 0);
        assert_eq!(Link::default().bandwidth(1_000_000).leaving_ns(1000), 1_000_000);
        assert_eq!(Link::default().bandwidth(0).leaving_ns(usize::MAX), u64::MAX);
    }
}
