//! What chance decides, one named decision at a time.
//!
//! Every fault is drawn from the world's seed and its own name (the third message from node 0 to node 1 is lost), not
//! from one stream of numbers: a run without one of its faults is the same run otherwise, so a failing one can be made
//! smaller, and written down by the names of what struck.

use crate::faults::Faults;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Drop,
    Duplicate,
    Overtake,
    Flip,
    Cut,
    Replay,
    Nan,
    Shape,
    Error,
    Panic,
    Crash,
    Part,
}

/// The words of the text form; those of a component name it after a slash, those of a link its end after an arrow.
const WORDS: [(Kind, &str, char); 12] = [
    (Kind::Drop, "drop", '>'),
    (Kind::Duplicate, "duplicate", '>'),
    (Kind::Overtake, "overtake", '>'),
    (Kind::Flip, "flip", '>'),
    (Kind::Cut, "cut", '>'),
    (Kind::Replay, "replay", '>'),
    (Kind::Nan, "nan", '/'),
    (Kind::Shape, "shape", '/'),
    (Kind::Error, "error", '/'),
    (Kind::Panic, "panic", '/'),
    (Kind::Crash, "crash", '/'),
    (Kind::Part, "part", '>'),
];

/// One thing that may strike: the `number`th message from `node` to the node `of`, the `number`th call of the component
/// `of` at `node`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Strike {
    pub kind: Kind,
    pub node: usize,
    pub of: usize,
    pub number: u64,
}

/// As `drop 0>1 #3`.
impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word, between) = WORDS.iter().find(|row| row.0 == self.kind).expect("every kind has a row");
        write!(f, "{word} {}{between}{} #{}", self.node, self.of, self.number)
    }
}
impl FromStr for Strike {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (word, rest) = text.trim().split_once(' ')?;
            let (kind, _, between) = WORDS.iter().find(|row| row.1 == word)?;
            let (ends, number) = rest.split_once(" #")?;
            let (node, of) = ends.split_once(*between)?;
            Some(Strike { kind: *kind, node: node.parse().ok()?, of: of.parse().ok()?, number: number.parse().ok()? })
        };
        read().ok_or_else(|| format!("`{text}` names no fault, like `drop 0>1 #3` does"))
    }
}

/// The source of all chance in a world.
pub(crate) struct Fate {
    seed: u64,
    /// Nothing else may strike.
    only: Option<BTreeSet<Strike>>,
    /// Every message takes the least time its link knows.
    pub least_delays: bool,
    /// What has struck, in order.
    pub struck: Vec<Strike>,
    pub faults: Faults,
}

impl Fate {
    pub fn new(seed: u64) -> Self {
        Fate { seed, only: None, least_delays: false, struck: Vec::new(), faults: Faults::default() }
    }
    /// Nothing else strikes from now on.
    pub fn allow_only(&mut self, strikes: impl IntoIterator<Item = Strike>) {
        self.only = Some(strikes.into_iter().collect());
    }

    /// Whether it strikes, which is counted.
    pub fn strikes(&mut self, strike: Strike, part: f64) -> bool {
        let strikes = self.would_strike(strike, part);
        if strikes {
            self.has_struck(strike);
        }
        strikes
    }
    /// Whether it strikes if it can.
    pub fn would_strike(&self, strike: Strike, part: f64) -> bool {
        part > 0.0 && (part >= 1.0 || self.rng(strike).random_bool(part)) && self.allows(strike)
    }
    pub fn allows(&self, strike: Strike) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&strike))
    }
    pub fn has_struck(&mut self, strike: Strike) {
        self.faults.count(strike.kind);
        self.struck.push(strike);
    }
    /// What the details of a strike are drawn from.
    pub fn details(&self, strike: Strike) -> ChaCha8Rng {
        let mut rng = self.rng(strike);
        rng.set_stream(1);
        rng
    }
    /// What the delay of a message is drawn from; `None` where it is to be the least.
    pub fn delay(&self, node: usize, of: usize, number: u64) -> Option<ChaCha8Rng> {
        (!self.least_delays).then(|| self.named([u64::MAX, node as u64, of as u64, number]))
    }

    fn rng(&self, strike: Strike) -> ChaCha8Rng {
        self.named([strike.kind as u64, strike.node as u64, strike.of as u64, strike.number])
    }
    fn named(&self, name: [u64; 4]) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(name.into_iter().fold(mix(self.seed), |all, word| mix(all ^ word)))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(kind: Kind, number: u64) -> Strike {
        Strike { kind, node: 0, of: 12, number }
    }

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for (kind, ..) in WORDS {
            let strike = strike(kind, 7);
            assert_eq!(strike.to_string().parse(), Ok(strike), "{strike}");
        }
        assert_eq!(strike(Kind::Drop, 3).to_string(), "drop 0>12 #3");
        for wrong in ["", "drop", "drop 0>1", "drop 0/1 #3", "melt 0>1 #3", "drop 0>1 #x"] {
            assert!(wrong.parse::<Strike>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_may_not_strike_does_not_and_the_rest_is_as_it_was() {
        let all = |fate: &mut Fate| (0..200).filter(|n| fate.strikes(strike(Kind::Drop, *n), 0.3)).collect::<Vec<_>>();
        let mut free = Fate::new(5);
        let struck = all(&mut free);
        assert!((30..90).contains(&struck.len()), "{struck:?}");
        assert_eq!(free.faults.dropped, struck.len() as u64);
        let mut bound = Fate::new(5);
        bound.allow_only(struck[..3].iter().map(|n| strike(Kind::Drop, *n)));
        assert_eq!(all(&mut bound), struck[..3]);
        assert_ne!(all(&mut Fate::new(6)), struck);
    }
}
