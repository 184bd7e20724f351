//! What the network does to a message.

use crate::world::script::Strikes;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How messages travel between two nodes. Probabilities lie in 0 to 1.
#[derive(Clone, Debug)]
pub struct Link {
    delay: RangeInclusive<Duration>,
    drop: f64,
    duplicate: f64,
    reorder: f64,
}

/// A link that delivers everything, in order, after a millisecond.
impl Default for Link {
    fn default() -> Self {
        let delay = Duration::from_millis(1);
        Link { delay: delay..=delay, drop: 0.0, duplicate: 0.0, reorder: 0.0 }
    }
}

impl Link {
    /// Each message takes a time drawn evenly from this range.
    pub fn delay(mut self, range: RangeInclusive<Duration>) -> Self {
        self.delay = range;
        self
    }
    /// This part of the messages is lost.
    pub fn drop(mut self, part: f64) -> Self {
        self.drop = part;
        self
    }
    /// This part of the messages arrives twice.
    pub fn duplicate(mut self, part: f64) -> Self {
        self.duplicate = part;
        self
    }
    /// This part of the messages may overtake others; the rest keeps its order.
    pub fn reorder(mut self, part: f64) -> Self {
        self.reorder = part;
        self
    }

    /// What becomes of one message: the delay of each copy, and whether it may overtake.
    pub(crate) fn draw(
        &self,
        rng: &mut ChaCha8Rng,
        faults: &mut Faults,
        strikes: &mut Strikes,
    ) -> Vec<(Duration, bool)> {
        if self.drop > 0.0 && rng.random_bool(self.drop) && strikes.lets() {
            faults.dropped += 1;
            return Vec::new();
        }
        let copies = if self.duplicate > 0.0 && rng.random_bool(self.duplicate) && strikes.lets() {
            faults.duplicated += 1;
            2
        } else {
            1
        };
        (0..copies)
            .map(|_| {
                let (least, most) = (self.delay.start().as_nanos() as u64, self.delay.end().as_nanos() as u64);
                let mut delay = if least < most { rng.random_range(least..=most) } else { least };
                let overtakes = self.reorder > 0.0 && rng.random_bool(self.reorder) && strikes.lets();
                if overtakes {
                    faults.reordered += 1;
                    delay = delay.saturating_add(rng.random_range(0..=most.max(1)));
                }
                (Duration::from_nanos(delay), overtakes)
            })
            .collect()
    }
}

/// How often each kind of fault struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages lost.
    pub dropped: u64,
    /// Messages that arrived twice.
    pub duplicated: u64,
    /// Messages that were free to overtake others, or to be overtaken.
    pub reordered: u64,
    /// Nodes killed.
    pub killed: u64,
    /// Groups cut off.
    pub partitioned: u64,
    /// Messages with bits turned round.
    pub flipped: u64,
    /// Messages cut short.
    pub cut: u64,
    /// Messages in whose place an earlier one went.
    pub replayed: u64,
}
