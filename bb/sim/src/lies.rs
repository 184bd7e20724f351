//! A peer that does not say what its engine says.

use crate::link::Faults;
use crate::world::script::Strikes;
use bytes::Bytes;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What a node does to the bytes it sends. Parts of the messages, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lies {
    /// One to eight bits are turned round.
    pub flip: f64,
    /// The end is missing.
    pub cut: f64,
    /// An earlier message, to whomever, goes in its place.
    pub replay: f64,
}

/// How many messages a liar remembers.
const REMEMBERED_MAX: usize = 64;

pub(crate) struct Liar {
    lies: Lies,
    earlier: Vec<Bytes>,
}

impl Liar {
    pub fn new(lies: Lies) -> Self {
        Liar { lies, earlier: Vec::new() }
    }

    /// What goes in the place of `frame`; `None` where it goes as it is.
    pub fn lie(
        &mut self,
        frame: &Bytes,
        rng: &mut ChaCha8Rng,
        faults: &mut Faults,
        strikes: &mut Strikes,
    ) -> Option<Bytes> {
        if self.earlier.len() < REMEMBERED_MAX {
            self.earlier.push(frame.clone());
        }
        let mut drawn = |rng: &mut ChaCha8Rng, part: f64| part > 0.0 && rng.random_bool(part) && strikes.lets();
        if drawn(rng, self.lies.flip) {
            faults.flipped += 1;
            let mut bytes = frame.to_vec();
            for _ in 0..rng.random_range(1..=8) {
                let bit = rng.random_range(0..bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            return Some(bytes.into());
        }
        if drawn(rng, self.lies.cut) {
            faults.cut += 1;
            return Some(frame.slice(..rng.random_range(0..frame.len())));
        }
        if drawn(rng, self.lies.replay) {
            faults.replayed += 1;
            return Some(self.earlier[rng.random_range(0..self.earlier.len())].clone());
        }
        None
    }
}
