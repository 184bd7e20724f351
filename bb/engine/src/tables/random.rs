//! Chance, from one seed: the same seed and the same inputs give the same run.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::time::Duration;

/// ChaCha with 8 rounds: the same numbers on every platform and in every version.
pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }
    /// Seed and position, as they are saved.
    pub fn image(&self) -> ([u8; 32], u64) {
        (self.0.get_seed(), u64::try_from(self.0.get_word_pos()).unwrap_or(u64::MAX))
    }
    pub fn restored(seed: [u8; 32], position: u64) -> Self {
        let mut random = ChaCha8Rng::from_seed(seed);
        random.set_word_pos(u128::from(position));
        Random(random)
    }
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// Any duration below `most`, by multiplication of a fraction (Lemire 2019, without its rejection: the bias is 2⁻⁶⁴).
    pub fn below(&mut self, most: Duration) -> Duration {
        let ns = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(((u128::from(self.next_u64()) * u128::from(ns)) >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_generator_goes_on_where_it_was() {
        let mut random = Random::new(7);
        let first: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();
        let (seed, position) = random.image();
        let next: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();
        let mut restored = Random::restored(seed, position);
        assert_eq!((0..5).map(|_| restored.next_u64()).collect::<Vec<_>>(), next);
        assert_ne!(first, next);
    }

    #[test]
    fn durations_fill_their_range() {
        let (mut random, most) = (Random::new(1), Duration::from_millis(100));
        let all: Vec<Duration> = (0..1000).map(|_| random.below(most)).collect();
        assert!(all.iter().all(|d| *d < most));
        let below = all.iter().filter(|d| **d < most / 2).count();
        assert!((400..600).contains(&below), "{below}");
        assert_eq!(random.below(Duration::ZERO), Duration::ZERO);
    }
}
