//! A peer that does not say what its engine says.

use crate::fate::{Fate, Kind, Strike};
use bytes::Bytes;
use rand::RngExt;

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

    /// What goes in the place of `frame`, the `number`th message from `from` to `to`; `None` where it goes as it is.
    pub fn lie(&mut self, frame: &Bytes, fate: &mut Fate, (from, to, number): (usize, usize, u64)) -> Option<Bytes> {
        if self.earlier.len() < REMEMBERED_MAX {
            self.earlier.push(frame.clone());
        }
        let strike = |kind| Strike { kind, node: from, of: to, number };
        if fate.strikes(strike(Kind::Flip), self.lies.flip) {
            let mut rng = fate.details(strike(Kind::Flip));
            let mut bytes = frame.to_vec();
            for _ in 0..rng.random_range(1..=8) {
                let bit = rng.random_range(0..bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            return Some(bytes.into());
        }
        if fate.strikes(strike(Kind::Cut), self.lies.cut) {
            return Some(frame.slice(..fate.details(strike(Kind::Cut)).random_range(0..frame.len())));
        }
        if fate.strikes(strike(Kind::Replay), self.lies.replay) {
            let earlier = fate.details(strike(Kind::Replay)).random_range(0..self.earlier.len());
            return Some(self.earlier[earlier].clone());
        }
        None
    }
}
