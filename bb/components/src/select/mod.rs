//! Selectors: who takes part.

use bb::prelude::*;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Everyone.
#[derive(Clone, Copy, Debug, Default)]
pub struct All;

impl<C: PeerClass> PeerSelector<C> for All {
    fn select(&mut self, from: Peers<C>) -> Peers<C> {
        from
    }
}

/// So many at random, another draw each time; all where there are no more. The same seed draws the same.
#[derive(Clone, Debug)]
pub struct Random {
    count: usize,
    rng: ChaCha8Rng,
}

impl Random {
    /// Draws `count` peers.
    pub fn new(count: usize, seed: u64) -> Self {
        Random { count, rng: ChaCha8Rng::seed_from_u64(seed) }
    }
}

impl<C: PeerClass> PeerSelector<C> for Random {
    fn select(&mut self, from: Peers<C>) -> Peers<C> {
        let drawn = from.ids().sample(&mut self.rng, self.count);
        Peers::of(drawn.cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb::PeerId;

    #[derive(bb::Peer)]
    struct Client;

    fn five() -> Peers<Client> {
        Peers::of((1..=5u8).map(|i| PeerId::from_bytes(vec![i]).expect("short")))
    }

    #[test]
    fn everyone_is_everyone() {
        assert_eq!(All.select(five()), five());
    }

    #[test]
    fn a_seed_draws_the_same_distinct_peers() {
        let draw = |seed| {
            let mut it = Random::new(3, seed);
            [it.select(five()), it.select(five())]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7)[0], draw(7)[1]);
        for peers in draw(1) {
            assert_eq!(peers.ids().len(), 3);
        }
        assert_eq!(Random::new(9, 1).select(five()), five());
    }
}
